"""What does nothing goes: filters that are always true, unions of one input, `True and`, an order that nobody sees."""

from __future__ import annotations

from sylph.plan.expressions import Call, Expression, Literal
from sylph.plan.nodes import Aggregate, Filter, Join, Node, Plan, Sort, Union
from sylph.plan.rules.push_filters import filtered
from sylph.plan.walk import conjuncts, inputs, rewrite, with_inputs
from sylph.tables.types import DataType


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
            kept = [short for short in map(_shortened, terms) if not _is(short, value=True)]
            same = len(kept) == len(terms) and all(a is b for a, b in zip(kept, terms, strict=True))
            return node if same else filtered(node.input, kept)
        case _:
            return node


def _shortened(term: Expression) -> Expression:
    """`True and x` and `False or x` are `x`; scripts build such chains in loops."""
    if not isinstance(term, Call) or term.type.data is not DataType.BOOLEAN:
        return term
    args = tuple(map(_shortened, term.args))
    neutral = {"logicalAnd": True, "logicalOr": False}.get(term.function)
    if neutral is not None and len(args) == 2:
        for value, other in (args, args[::-1]):
            if _is(value, value=neutral) and other.type.data is DataType.BOOLEAN:
                return other
    same = all(a is b for a, b in zip(args, term.args, strict=True))
    return term if same else Call(term.function, args, term.overload, term.type)


def _is(term: Expression, *, value: bool) -> bool:
    return isinstance(term, Literal) and term.value is value


def _unsorted(node: Node) -> Node:
    while isinstance(node, Sort) and node.rows is None:
        node = node.input
    return node
