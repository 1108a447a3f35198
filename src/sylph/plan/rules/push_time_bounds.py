"""Conditions on `time_` become the source's time bounds, by which whole batches and segments are left out."""

from __future__ import annotations

from collections.abc import Callable

from sylph.plan.expressions import Call, ColumnRef, Expression, Literal
from sylph.plan.nodes import Filter, Node, Plan, Source
from sylph.plan.rules.push_filters import filtered
from sylph.plan.walk import conjuncts, rewrite
from sylph.tables.types import DataType

_MIRRORED = {
    "lessThan": "greaterThan",
    "lessThanEqual": "greaterThanEqual",
    "greaterThan": "lessThan",
    "greaterThanEqual": "lessThanEqual",
    "equal": "equal",
}


def apply(plan: Plan) -> Plan:
    """Move every comparison of `time_` with a literal from a filter into the source below it."""
    return rewrite(plan, _push)


def _push(node: Node, shared: Callable[[Node], bool]) -> Node:
    del shared  # A source that others read too is read once for each of them anyway.
    if not (isinstance(node, Filter) and isinstance(node.input, Source)):
        return node
    source = node.input
    start, end = source.start, source.end
    kept: list[Expression] = []
    for term in conjuncts(node.condition):
        bounds = _bounds(term)
        if bounds is None:
            kept.append(term)
            continue
        low, high = bounds
        start = low if start is None else start if low is None else max(start, low)
        end = high if end is None else end if high is None else min(end, high)
    if len(kept) == len(conjuncts(node.condition)):
        return node
    bounded = Source(source.table, source.relation, start, end, source.streaming)
    return filtered(bounded, kept)


def _bounds(term: Expression) -> tuple[int | None, int | None] | None:
    """Inclusive bounds that a term puts on `time_`; None if it is not such a term."""
    if not isinstance(term, Call) or term.function not in _MIRRORED or len(term.args) != 2:
        return None
    left, right = term.args
    operator = term.function
    if isinstance(left, Literal):
        left, right, operator = right, left, _MIRRORED[operator]
    if not (isinstance(left, ColumnRef) and left.name == "time_" and isinstance(right, Literal)):
        return None
    if left.type.data is not DataType.TIME64NS or right.type.data is not DataType.TIME64NS:
        return None
    value = int(right.value)
    if not -(2**63) < value < 2**63 - 1:
        return None
    match operator:
        case "lessThan":
            return None, value - 1
        case "lessThanEqual":
            return None, value
        case "greaterThan":
            return value + 1, None
        case "greaterThanEqual":
            return value, None
        case _:
            return value, value
