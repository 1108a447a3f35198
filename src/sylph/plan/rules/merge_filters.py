"""A filter over a filter becomes one filter of both conditions, whose terms then sink each as far as it can."""

from __future__ import annotations

from collections.abc import Callable

from sylph.functions.declare import Placement
from sylph.plan.nodes import Filter, Node, Plan
from sylph.plan.placement import uses
from sylph.plan.rules.push_filters import filtered
from sylph.plan.walk import conjuncts, rewrite

#: More terms stay in filters of their own: a chain of `and`s is as deep as it is long.
MAX_TERMS = 32


def apply(plan: Plan) -> Plan:
    """Merge filters where the inner one is read by the outer one only; the inner one's terms come first."""
    return rewrite(plan, _merge)


def _merge(node: Node, shared: Callable[[Node], bool]) -> Node:
    if not (isinstance(node, Filter) and isinstance(node.input, Filter)) or shared(node.input):
        return node
    inner = node.input
    if uses(node, Placement.BROKER) and not uses(inner, Placement.BROKER):
        # One filter would take the inner one, which agents can do, to the broker.
        return node
    terms = conjuncts(inner.condition) + conjuncts(node.condition)
    return filtered(inner.input, terms) if len(terms) <= MAX_TERMS else node
