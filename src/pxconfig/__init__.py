"""`pxconfig` as editors and type checkers see it: settings of agents, changed by a script.

A script that uses it changes agents; its text is compiled and never runs as Python.
"""

from __future__ import annotations

from px.outside import outside

__all__ = ["set_agent_config"]


def set_agent_config(agent_pod_name: str, key: str, value: str) -> None:
    """Sets one setting of one agent, named by its pod; a dot in `key` nests."""
    raise outside("pxconfig.set_agent_config")
