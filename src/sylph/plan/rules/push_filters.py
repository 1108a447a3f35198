"""Filters move towards the sources: what is filtered early need not be computed, joined or sent."""

from __future__ import annotations

from collections.abc import Callable

from sylph.functions.declare import Placement
from sylph.functions.registry import resolve_scalar
from sylph.plan.expressions import Call, ColumnRef, Expression, Literal
from sylph.plan.nodes import Aggregate, Explode, Filter, Join, Map, Node, Plan, Sort, Union
from sylph.plan.placement import placement
from sylph.plan.walk import conjuncts, references, rewrite, subexpressions, substitute, with_inputs

#: Parts of a term that may go into every input of a union.
MAX_COPIED = 200


def apply(plan: Plan) -> Plan:
    """Push each term of each filter down one node, where the answer stays the same and nothing is computed twice."""
    return rewrite(plan, _push)


def _push(node: Node, shared: Callable[[Node], bool]) -> Node:
    if not isinstance(node, Filter) or shared(node.input):
        return node
    child = node.input
    if not isinstance(child, Map | Join | Union | Aggregate | Sort | Explode):
        return node
    kept: list[Expression] = []
    moved: dict[int, list[Expression]] = {}
    for term in conjuncts(node.condition):
        targets = _targets(child, term)
        if not targets:
            kept.append(term)
        for side, pushed in targets:
            moved.setdefault(side, []).append(pushed)
    if not moved:
        return node
    match child:
        case Map():
            new: Node = Map(filtered(child.input, moved[0]), child.outputs)
        case Aggregate():
            new = Aggregate(filtered(child.input, moved[0]), child.groups, child.outputs)
        case Sort():
            new = Sort(filtered(child.input, moved[0]), child.keys)
        case Explode():
            new = Explode(filtered(child.input, moved[0]), child.column)
        case Union():
            new = Union(tuple(filtered(branch, moved[i]) for i, branch in enumerate(child.inputs)))
        case Join():
            sides = [filtered(side, moved.get(i, [])) for i, side in enumerate((child.left, child.right))]
            new = with_inputs(child, tuple(sides))
    return filtered(new, kept)


def _targets(child: Node, term: Expression) -> list[tuple[int, Expression]]:
    """Which inputs of `child` may be filtered by `term` instead, and as what."""
    names = references(term)
    if any(placement(item) is Placement.BROKER for item in subexpressions(term)):
        # Below, it would drag to the broker what agents can do, or must.
        return []
    match child:
        case Map():
            values = dict(child.outputs)
            if all(isinstance(values[name], ColumnRef | Literal) for name in names):
                return [(0, substitute(term, values))]
        case Aggregate():
            # Without groups there is one row also of no rows, so the filter must come after.
            if names and names <= set(child.groups):
                return [(0, term)]
        case Sort():
            # The first so many of what is left are others.
            return [] if child.rows is not None else [(0, term)]
        case Explode():
            return [] if child.column in names else [(0, term)]
        case Union():
            # Each input gets a term of its own: what is large is not copied.
            if sum(1 for _ in subexpressions(term)) > MAX_COPIED:
                return []
            return [(i, _retyped(term, branch)) for i, branch in enumerate(child.inputs)]
        case Join():
            origin = {name: (side, column) for side, column, name in child.outputs}
            sides = {origin[name][0] for name in names}
            safe = {"inner": {0, 1}, "left": {0}, "as_of": {0}}.get(child.how, set())
            if len(sides) == 1 and sides <= safe:
                (side,) = sides
                relation = (child.left, child.right)[side].relation
                columns = {name: ColumnRef(origin[name][1], relation[origin[name][1]]) for name in names}
                return [(side, substitute(term, columns))]
    return []


def _retyped(term: Expression, branch: Node) -> Expression:
    columns = {name: ColumnRef(name, branch.relation[name]) for name in references(term)}
    return substitute(term, columns)


def filtered(node: Node, terms: list[Expression]) -> Node:
    """`node` with all terms demanded."""
    if not terms:
        return node
    condition = terms[0]
    for term in terms[1:]:
        overload, kind = resolve_scalar("logicalAnd", (condition.type, term.type))
        condition = Call("logicalAnd", (condition, term), overload, kind)
    return Filter(node, condition)
