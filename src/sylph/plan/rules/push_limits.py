"""Limits move towards the sources, so that what they cut off is never computed.

A limit over a map with agent-only functions leaves itself above it, and a limit for each agent below: the map must
stay before the first operator that needs all agents.
"""

from __future__ import annotations

from collections.abc import Callable

from sylph.plan.nodes import Limit, Map, Node, Plan, Sort, Union
from sylph.plan.walk import rewrite


def apply(plan: Plan) -> Plan:
    """Push limits through maps and untimed unions; of two limits keep the lower."""
    return rewrite(plan, _push)


def _push(node: Node, shared: Callable[[Node], bool]) -> Node:
    if not isinstance(node, Limit):
        return node
    child = node.input
    # Finding the first few once more costs less than sending all for others' sake.
    if shared(child) and not isinstance(child, Sort):
        return node
    match child:
        case Limit() if child.per_agent == node.per_agent:
            return Limit(child.input, min(child.rows, node.rows), node.per_agent)
        case Sort():
            return Sort(child.input, child.keys, node.rows if child.rows is None else min(child.rows, node.rows))
        case Map() if node.per_agent:
            return Map(Limit(child.input, node.rows, per_agent=True), child.outputs)
        case Map() if not _limited(child.input, node.rows):
            return Limit(Map(Limit(child.input, node.rows, per_agent=True), child.outputs), node.rows, node.per_agent)
        case Union() if "time_" not in child.relation and not all(_limited(i, node.rows) for i in child.inputs):
            inputs = tuple(i if _limited(i, node.rows) else Limit(i, node.rows, per_agent=True) for i in child.inputs)
            return Limit(Union(inputs), node.rows, node.per_agent)
    return node


def _limited(node: Node, rows: int) -> bool:
    """Whether a limit of at most `rows` is under any maps here already."""
    while isinstance(node, Map):
        node = node.input
    return isinstance(node, Limit | Sort) and node.rows is not None and node.rows <= rows
