"""A map over a map becomes one map, unless that would compute something twice; a map that changes nothing goes."""

from __future__ import annotations

from collections.abc import Callable

from sylph.plan.expressions import Call, ColumnRef, Expression, Literal
from sylph.plan.nodes import Map, Node, Plan
from sylph.plan.walk import depth, rewrite, subexpressions, substitute

#: Deeper expressions stay apart: DuckDB refuses very deep ones.
MAX_DEPTH = 24
#: Characters of a text that may be there several times.
MAX_TEXT = 256


def apply(plan: Plan) -> Plan:
    """Merge maps where the inner one is read by the outer one only."""
    return rewrite(plan, _merge)


def _merge(node: Node, shared: Callable[[Node], bool]) -> Node:
    if not isinstance(node, Map):
        return node
    if _identity(node):
        return node.input
    inner = node.input
    if not isinstance(inner, Map) or shared(inner):
        return node
    values = dict(inner.outputs)
    times: dict[str, int] = {}
    for _, value in node.outputs:
        for item in subexpressions(value):
            if isinstance(item, ColumnRef):
                times[item.name] = times.get(item.name, 0) + 1
    if any(count > 1 and _large(values[name]) for name, count in times.items()):
        return node
    outputs = tuple((name, substitute(value, values)) for name, value in node.outputs)
    if any(depth(value) > MAX_DEPTH for _, value in outputs):
        return node
    return Map(inner.input, outputs)


def _large(value: Expression) -> bool:
    """Whether it is computed, or so long a text that it is not to be written twice."""
    return isinstance(value, Call) or (
        isinstance(value, Literal) and isinstance(value.value, str) and len(value.value) > MAX_TEXT
    )


def _identity(node: Map) -> bool:
    relation = node.input.relation
    return len(relation) == len(node.outputs) and all(
        isinstance(value, ColumnRef) and value.name == name == column and value.type == kind
        for (name, value), (column, kind) in zip(node.outputs, relation.items(), strict=True)
    )
