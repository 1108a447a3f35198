"""Walking and rewriting plans and expressions. Plans are walked without recursion, so that no depth can hurt."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from operator import is_
from typing import Any

from sylph.plan.expressions import Call, ColumnRef, Expression, Literal
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
    Sink,
    Sort,
    Source,
    TableFunctionSource,
    Union,
)


def _one(node: Any) -> tuple[Node, ...]:
    return (node.input,)


def _none(_node: Any) -> tuple[Node, ...]:
    return ()


#: By type: a plan is walked some thirty times before it runs, and matching classes in turn was most of that.
_INPUTS: dict[type[Node], Callable[[Any], tuple[Node, ...]]] = {
    **dict.fromkeys((Map, Filter, Limit, Sort, Explode, Aggregate, PartialAggregate, MergeAggregate), _one),
    **dict.fromkeys((Source, TableFunctionSource, Remote), _none),
    Join: lambda node: (node.left, node.right),
    Union: lambda node: node.inputs,
}


def inputs(node: Node) -> tuple[Node, ...]:
    """The nodes that `node` reads, in order."""
    return _INPUTS[type(node)](node)


def with_inputs(node: Node, new: tuple[Node, ...]) -> Node:
    """`node` over other inputs; the same object when they are the same."""
    if all(map(is_, inputs(node), new)):
        return node
    match node:
        case Map():
            return Map(new[0], node.outputs)
        case Filter():
            return Filter(new[0], node.condition)
        case Limit():
            return Limit(new[0], node.rows, node.per_agent)
        case Sort():
            return Sort(new[0], node.keys, node.rows)
        case Explode():
            return Explode(new[0], node.column)
        case Aggregate():
            return Aggregate(new[0], node.groups, node.outputs)
        case PartialAggregate():
            return PartialAggregate(new[0], node.groups, node.outputs)
        case MergeAggregate():
            return MergeAggregate(new[0], node.groups, node.outputs)
        case Join():
            return Join(new[0], new[1], node.how, node.left_on, node.right_on, node.outputs, node.tolerance)
        case Union():
            return Union(new)
        case Source() | TableFunctionSource() | Remote():
            return node


def postorder(roots: Iterable[Node]) -> list[Node]:
    """Every node once, inputs before their consumers, in a stable order."""
    order: list[Node] = []
    seen: set[int] = set()
    for root in roots:
        stack: list[tuple[Node, bool]] = [(root, False)]
        while stack:
            node, done = stack.pop()
            if done:
                order.append(node)
                continue
            if id(node) in seen:
                continue
            seen.add(id(node))
            below = inputs(node)
            if not below:
                order.append(node)
                continue
            stack.append((node, True))
            stack += [(child, False) for child in reversed(below)]
    return order


def roots(plan: Plan) -> list[Node]:
    """What each sink shows."""
    return [sink.input for sink in plan.sinks]


def consumers(plan: Plan) -> dict[int, int]:
    """How many nodes and sinks read each node, by the node's id()."""
    return _consumers(plan, postorder(roots(plan)))


def _consumers(plan: Plan, order: list[Node]) -> dict[int, int]:
    count: dict[int, int] = {}
    for sink in plan.sinks:
        count[id(sink.input)] = count.get(id(sink.input), 0) + 1
    for node in order:
        for child in inputs(node):
            count[id(child)] = count.get(id(child), 0) + 1
    return count


def rewrite(plan: Plan, rule: Callable[[Node, Callable[[Node], bool]], Node]) -> Plan:
    """Apply `rule(node, shared)` to every node, inputs first; `shared(input)` tells whether others read it too.

    Shared nodes stay shared, and an unchanged plan is the same object.
    """
    order = postorder(roots(plan))
    uses = _consumers(plan, order)
    shared: set[int] = set()
    new: dict[int, Node] = {}

    def is_shared(child: Node) -> bool:
        return id(child) in shared

    for node in order:
        changed = rule(with_inputs(node, tuple([new[id(child)] for child in inputs(node)])), is_shared)
        new[id(node)] = changed
        if uses[id(node)] > 1:
            shared.add(id(changed))
    return with_roots(plan, [new[id(sink.input)] for sink in plan.sinks])


def with_roots(plan: Plan, new: list[Node]) -> Plan:
    """The plan with other nodes under its sinks; the same object when they are the same."""
    if all(sink.input is node for sink, node in zip(plan.sinks, new, strict=True)):
        return plan
    sinks = tuple(
        sink if sink.input is node else Sink(node, sink.name) for sink, node in zip(plan.sinks, new, strict=True)
    )
    return replace(plan, sinks=sinks)


def expressions(node: Node) -> tuple[Expression, ...]:
    """The scalar expressions of an operator."""
    # By type, not by matching: a plan is walked many times.
    if isinstance(node, Map):
        return tuple([value for _, value in node.outputs])
    return (node.condition,) if isinstance(node, Filter) else ()


def subexpressions(expression: Expression) -> Iterator[Expression]:
    """The expression and everything in it."""
    stack = [expression]
    while stack:
        item = stack.pop()
        yield item
        if isinstance(item, Call):
            stack.extend(item.args)


def references(expression: Expression) -> set[str]:
    """Names of the columns that the expression reads."""
    return {item.name for item in subexpressions(expression) if isinstance(item, ColumnRef)}


def substitute(expression: Expression, values: Mapping[str, Expression]) -> Expression:
    """The expression with columns replaced; columns not in `values` stay."""
    match expression:
        case ColumnRef(name, kind):
            found = values.get(name, expression)
            # A reference may give its column another meaning, which stays.
            return found if found.type == kind else replace(found, type=kind)
        case Literal():
            return expression
        case Call(function, args, overload, kind):
            new = tuple(substitute(arg, values) for arg in args)
            if all(a is b for a, b in zip(args, new, strict=True)):
                return expression
            return Call(function, new, overload, kind)


def depth(expression: Expression) -> int:
    """Nesting depth: 1 for a column or literal."""
    if not isinstance(expression, Call):
        return 1
    return 1 + max((depth(arg) for arg in expression.args), default=0)


def conjuncts(condition: Expression) -> list[Expression]:
    """The terms of a chain of BOOLEAN `logicalAnd`s, left to right."""
    terms: list[Expression] = []
    stack = [condition]
    while stack:
        item = stack.pop()
        if is_and(item):
            assert isinstance(item, Call)
            stack.extend(reversed(item.args))
        else:
            terms.append(item)
    return terms


def is_and(expression: Expression) -> bool:
    """Whether this is `and` of two BOOLEANs."""
    return (
        isinstance(expression, Call)
        and expression.function == "logicalAnd"
        and all(arg.type.data == expression.type.data for arg in expression.args)
    )
