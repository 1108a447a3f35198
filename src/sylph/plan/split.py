"""A plan cut in two: what every agent does over its own rows, and what the broker does with all they send.

The cut is at the first operator that needs all agents. An aggregate is cut in itself: agents send partial states,
one row a group, and the broker merges them. A limit is on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sylph.functions.declare import Placement
from sylph.plan.expressions import Call, ColumnRef, Expression
from sylph.plan.nodes import (
    Aggregate,
    Filter,
    Limit,
    Map,
    MergeAggregate,
    Node,
    PartialAggregate,
    Plan,
    Remote,
    Sink,
    Sort,
)
from sylph.plan.placement import agent_side, placement, uses
from sylph.plan.walk import (
    expressions,
    inputs,
    postorder,
    references,
    rewrite,
    roots,
    subexpressions,
    with_inputs,
    with_roots,
)


@dataclass(frozen=True, slots=True)
class SplitPlan:
    """`agent` runs on every agent; its sinks are what the `Remote`s of `broker` read, by name."""

    agent: Plan
    broker: Plan


def split(plan: Plan) -> SplitPlan:
    """Cut an optimised plan. Raises PlanError for a function in the wrong place."""
    plan = rewrite(plan, lambda node, _: _precede(node))
    local = agent_side(plan, unions=True)
    sent: dict[tuple[str, int], Remote] = {}
    sinks: list[Sink] = []
    kept_alive: list[Node] = []

    def send(node: Node, kind: str) -> Remote:
        remote = sent.get((kind, id(node)))
        if remote is None:
            name = f"sent_{len(sent)}"
            remote = sent[kind, id(node)] = Remote(name, node.relation)
            sinks.append(Sink(node, name))
        return remote

    partials: dict[tuple[object, ...], Node] = {}

    def partial(key: tuple[object, ...], node: Node) -> Node:
        # Consumers that need the same of the same node share what is sent.
        kept_alive.append(node)
        return partials.setdefault(key, node)

    broker: dict[int, Node] = {}
    for node in postorder(roots(plan)):
        if id(node) in local:
            continue
        match node:
            case Aggregate() if id(node.input) in local and _splittable(node):
                half = partial((id(node),), PartialAggregate(node.input, node.groups, node.outputs))
                broker[id(node)] = MergeAggregate(send(half, "partial"), node.groups, node.outputs)
            case Limit() if id(node.input) in local:
                half = partial((id(node.input), node.rows), _limited(node.input, node.rows))
                broker[id(node)] = Limit(send(half, "limit"), node.rows)
            case Sort() if id(node.input) in local and node.rows is not None:
                # The first of all are among the first of each.
                half = partial((id(node),), Sort(node.input, node.keys, node.rows))
                broker[id(node)] = Sort(send(half, "first"), node.keys, node.rows)
            case _:
                children = tuple(
                    send(child, "rows") if id(child) in local else broker[id(child)] for child in inputs(node)
                )
                broker[id(node)] = with_inputs(node, children)
    tops = [send(sink.input, "rows") if id(sink.input) in local else broker[id(sink.input)] for sink in plan.sinks]
    agent = replace(plan, sinks=tuple(sinks))
    return SplitPlan(agent, with_roots(plan, tops))


def _limited(node: Node, rows: int) -> Node:
    if isinstance(node, Limit) and node.per_agent and node.rows <= rows:
        return node
    return Limit(node, rows, per_agent=True)


def _splittable(node: Aggregate) -> bool:
    """Whether all outputs have partial states, whose columns are not also groups."""
    return all(call.overload.partial for _, call in node.outputs) and not any("#" in name for name in node.groups)


def _precede(node: Node) -> Node:
    """Agent-only functions of an operator that also needs the broker move into a map before it."""
    if not isinstance(node, Map | Filter) or not (uses(node, Placement.AGENT) and uses(node, Placement.BROKER)):
        return node
    calls: dict[Expression, str] = {}
    for expression in expressions(node):
        for item in subexpressions(expression):
            if placement(item) is Placement.AGENT and item not in calls:
                calls[item] = _fresh(node.input, len(calls))
    needed = {name for expression in expressions(node) for name in references(_replaced(expression, calls))}
    if isinstance(node, Filter):
        needed |= set(node.relation)
    needed -= set(calls.values())
    relation = node.input.relation
    columns: tuple[tuple[str, Expression], ...] = tuple(
        (name, ColumnRef(name, relation[name])) for name in relation if name in needed
    )
    before = Map(node.input, columns + tuple((name, call) for call, name in calls.items()))
    if isinstance(node, Map):
        return Map(before, tuple((name, _replaced(value, calls)) for name, value in node.outputs))
    rows = Filter(before, _replaced(node.condition, calls))
    return Map(rows, columns)


def _fresh(node: Node, index: int) -> str:
    name = f"agent_{index}"
    while name in node.relation:
        name += "_"
    return name


def _replaced(expression: Expression, calls: dict[Expression, str]) -> Expression:
    if not isinstance(expression, Call):
        return expression
    if placement(expression) is Placement.AGENT:
        return ColumnRef(calls[expression], expression.type)
    args = tuple(_replaced(arg, calls) for arg in expression.args)
    return Call(expression.function, args, expression.overload, expression.type)
