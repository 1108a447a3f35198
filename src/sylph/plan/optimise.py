"""The rewrite rules in their order."""

from __future__ import annotations

from sylph.plan.nodes import Plan


def optimise(plan: Plan) -> Plan:
    """The plan rewritten by every rule until none changes it."""
    return plan
