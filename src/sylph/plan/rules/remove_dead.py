"""Nodes that do nothing go: filters that are always true, unions of one input, an order that nobody sees."""

from __future__ import annotations

from sylph.plan.expressions import Expression, Literal
from sylph.plan.nodes import Aggregate, Filter, Join, Node, Plan, Sort, Union
from sylph.plan.rules.push_filters import and_of, filtered
from sylph.plan.walk import conjuncts, inputs, rewrite, with_inputs


def apply(plan: Plan) -> Plan:
    """Replace what does nothing by its input."""
    return rewrite(plan, lambda node, _: _simplify(node))


def _simplify(node: Node) -> Node:
    match node:
        case Union(inputs=(only,)):
            return only
        case Aggregate() | Join() | Sort():
            return with_inputs(node, tuple(map(_unsorted, inputs(node))))
        case Filter():
            terms = conjuncts(node.condition)
            kept = [term for term in terms if not _is_true(term)]
            return node if len(kept) == len(terms) else filtered(node.input, kept, and_of(node.condition))
        case _:
            return node


def _is_true(term: Expression) -> bool:
    return isinstance(term, Literal) and term.value is True


def _unsorted(node: Node) -> Node:
    while isinstance(node, Sort) and node.rows is None:
        node = node.input
    return node
