"""Nodes that say the same of the same inputs become one node, which is computed once."""

from __future__ import annotations

from collections.abc import Hashable

from sylph.plan.expressions import AggregateCall, Call, ColumnRef, Expression
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
from sylph.plan.walk import inputs, rewrite


def apply(plan: Plan) -> Plan:
    """Merge equal subplans, across sinks too."""
    first: dict[Hashable, Node] = {}
    return rewrite(plan, lambda node, _: first.setdefault(_key(node), node))


def _key(node: Node) -> Hashable:
    children = tuple(id(child) for child in inputs(node))
    match node:
        case Source(table, relation, start, end, streaming):
            return (Source, table, tuple(relation), start, end, streaming)
        case TableFunctionSource(function, arguments, relation):
            return (TableFunctionSource, function, tuple(arguments.items()), tuple(relation))
        case Map():
            return (Map, children, tuple((name, _value(value)) for name, value in node.outputs))
        case Filter():
            return (Filter, children, _value(node.condition))
        case Limit():
            return (Limit, children, node.rows, node.per_agent)
        case Sort():
            return (Sort, children, node.keys, node.rows)
        case Explode():
            return (Explode, children, node.column)
        case Aggregate() | PartialAggregate() | MergeAggregate():
            outputs = tuple((name, _aggregate(call)) for name, call in node.outputs)
            return (type(node), children, node.groups, outputs)
        case Join():
            return (Join, children, node.how, node.left_on, node.right_on, node.outputs, node.tolerance)
        case Union():
            return (Union, children)
        case Remote(name):
            return (Remote, name)


def _value(expression: Expression) -> Hashable:
    # Built of small tuples: hashing the dataclasses would hash every overload on the way.
    if isinstance(expression, ColumnRef):
        return (expression.name, expression.type.semantic)
    if isinstance(expression, Call):
        args = tuple(_value(arg) for arg in expression.args)
        return (expression.function, id(expression.overload), expression.type.semantic, args)
    # True == 1 == 1.0, and nan != nan: the text tells them apart.
    return (repr(expression.value), expression.type.data, expression.type.semantic)


def _aggregate(call: AggregateCall) -> Hashable:
    return (call.function, id(call.overload), call.type.semantic, tuple(arg.name for arg in call.args), call.options)
