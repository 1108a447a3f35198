"""The module `pxconfig`: settings of agents, as typed mutations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sylph.pxl.arguments import required, string
from sylph.pxl.mutations import SetAgentConfig
from sylph.pxl.values import Bound, Builtin, Module

if TYPE_CHECKING:
    from sylph.pxl.interpreter import Interpreter


def pxconfig_module(_interpreter: Interpreter) -> Module:
    """The module for one compilation."""
    function = Builtin("set_agent_config", _set_agent_config, required("agent_pod_name", "key", "value"))
    return Module("pxconfig", {"set_agent_config": function})


def _set_agent_config(bound: Bound) -> None:
    texts = [string(bound, name) for name in ("agent_pod_name", "key", "value")]
    bound.interpreter.mutations.append(SetAgentConfig(*texts))
