"""Columns that nobody reads are not computed, joined, sent or even taken from the table."""

from __future__ import annotations

from sylph.plan.expressions import ColumnRef
from sylph.plan.nodes import (
    Aggregate,
    Explode,
    Filter,
    Join,
    Limit,
    Map,
    MergeAggregate,
    Node,
    PartialAggregate,
    Plan,
    Remote,
    Sort,
    Source,
    TableFunctionSource,
    Union,
)
from sylph.plan.walk import inputs, postorder, references, roots, with_inputs, with_roots


def apply(plan: Plan) -> Plan:
    """Narrow every node to what its consumers need together; a sink needs all."""
    order = postorder(roots(plan))
    needed: dict[int, set[str]] = {id(node): set() for node in order}
    for root in roots(plan):
        needed[id(root)].update(root.relation)
    for node in reversed(order):
        if not needed[id(node)] and node.relation:
            # Rows count even when no column does.
            needed[id(node)].add(next(iter(node.relation)))
        for child, columns in zip(inputs(node), _demands(node, needed[id(node)]), strict=True):
            needed[id(child)] |= columns
    new: dict[int, Node] = {}
    for node in order:
        children = tuple(new[id(child)] for child in inputs(node))
        new[id(node)] = _narrow(node, children, needed[id(node)])
    return with_roots(plan, [new[id(root)] for root in roots(plan)])


def _demands(node: Node, needed: set[str]) -> list[set[str]]:
    """What the node reads of each input to give `needed`."""
    match node:
        case Source() | TableFunctionSource() | Remote():
            return []
        case Map():
            return [{name for out, value in node.outputs if out in needed for name in references(value)}]
        case Filter():
            return [needed | references(node.condition)]
        case Limit():
            return [needed]
        case Sort():
            return [needed | {name for name, _ in node.keys}]
        case Explode():
            return [needed | {node.column}]
        case Aggregate():
            args = {arg.name for out, call in node.outputs if out in needed for arg in call.args}
            return [args | set(node.groups)]
        case PartialAggregate() | MergeAggregate():
            return [set(node.input.relation)]
        case Join():
            sides = [set(node.left_on), set(node.right_on)]
            for side, column, name in node.outputs:
                if name in needed:
                    sides[side].add(column)
            return sides
        case Union():
            order = {"time_"} & set(node.relation)
            return [needed | order for _ in node.inputs]


def _narrow(node: Node, children: tuple[Node, ...], needed: set[str]) -> Node:
    match node:
        case Source(table, relation, start, end, streaming) if len(needed) < len(relation):
            kept = {name: kind for name, kind in relation.items() if name in needed}
            return Source(table, kept, start, end, streaming)
        case Map() if any(name not in needed for name, _ in node.outputs):
            return Map(children[0], tuple(output for output in node.outputs if output[0] in needed))
        case Aggregate() if any(name not in needed for name, _ in node.outputs):
            outputs = tuple(output for output in node.outputs if output[0] in needed)
            if node.groups or outputs:
                return Aggregate(children[0], node.groups, outputs)
        case Join() if any(name not in needed for _, _, name in node.outputs):
            chosen = tuple(output for output in node.outputs if output[2] in needed)
            return Join(children[0], children[1], node.how, node.left_on, node.right_on, chosen, node.tolerance)
        case Union():
            # Inputs may give more columns than are needed, and not the same ones.
            columns = [name for name in node.relation if name in needed or name == "time_"]
            return with_inputs(node, tuple(_project(child, columns) for child in children))
    return with_inputs(node, children)


def _project(node: Node, columns: list[str]) -> Node:
    if set(node.relation) == set(columns):
        return node
    return Map(node, tuple((name, ColumnRef(name, node.relation[name])) for name in columns))
