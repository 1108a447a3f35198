"""`agg`: one row for each group."""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import Any

from sylph.functions.declare import ByTime
from sylph.functions.registry import AGGREGATES, FunctionError, resolve_aggregate
from sylph.plan.expressions import AggregateCall, ColumnRef, Expression, Literal
from sylph.plan.nodes import Aggregate, Map
from sylph.plan.text import aggregate_text
from sylph.pxl import operators
from sylph.pxl.aggregated import complete, is_aggregated
from sylph.pxl.errors import Kind
from sylph.pxl.scalars import call as scalar_call
from sylph.pxl.scalars import column_not_found
from sylph.pxl.values import (
    POISON,
    AggregateValue,
    Bound,
    Computed,
    Fault,
    FunctionValue,
    Grouped,
    Poisoned,
    Scalar,
    article,
)

_FORM = "write it as out=('column', px.mean)"


_resolve = lru_cache(maxsize=4096)(resolve_aggregate)


def grouped_rows(grouped: Grouped, bound: Bound) -> tuple[Aggregate | Map, bool]:
    """The node of `grouped.agg(...)`, and whether an error was reported for one of its outputs.

    It is a map over an aggregate when an output is computed of several aggregates.
    """
    outputs: dict[str, Scalar | AggregateCall] = {}
    inner = _Inner(grouped, bound)
    tainted = False
    if not bound.extra and not grouped.groups:
        raise Fault("agg() without groups needs at least one output", Kind.DATAFRAME, _FORM)
    for name, value in bound.extra.items():
        node = bound.node(name)
        if name in grouped.groups:
            raise Fault(f"agg() output '{name}' has the name of a group column", Kind.DATAFRAME, node=node)
        try:
            outputs[name] = (
                inner.computed(value) if isinstance(value, Computed) else _output(grouped, name, value, node)
            )
        except Poisoned:
            tainted = True
        except Fault as fault:
            # Other outputs may be wrong too: report all of them.
            bound.interpreter.report(fault, node)
            tainted = True
    plain = [(name, output) for name, output in outputs.items() if isinstance(output, AggregateCall)]
    aggregate = Aggregate(grouped.frame.node, grouped.groups, (*plain, *inner.calls()))
    if len(plain) == len(outputs):
        return aggregate, tainted
    columns: dict[str, Expression] = {name: ColumnRef(name, aggregate.relation[name]) for name in grouped.groups}
    for name, output in outputs.items():
        columns[name] = ColumnRef(name, output.type) if isinstance(output, AggregateCall) else output.expression
    bound.interpreter.add_operator(len(columns))
    return Map(aggregate, tuple(columns.items())), tainted


class _Inner:
    """Aggregates that outputs are computed of, each once, under names of their own."""

    def __init__(self, grouped: Grouped, bound: Bound) -> None:
        self._grouped = grouped
        self._bound = bound
        self._taken = {*grouped.groups, *bound.extra}
        self._names: dict[tuple[object, ...], tuple[str, AggregateCall]] = {}

    def calls(self) -> list[tuple[str, AggregateCall]]:
        """The aggregates by name."""
        return list(self._names.values())

    def computed(self, value: Computed) -> Scalar:
        """`value` over columns of the aggregates' names. Raises Fault where an operand is wrong."""
        self._bound.interpreter.charge(1)
        operands = [self._operand(operand, node) for operand, node in zip(value.operands, value.nodes, strict=True)]
        make = scalar_call if value.operator == "select" else operators.apply
        return make(value.operator, operands)

    def _operand(self, value: Any, node: ast.AST) -> Scalar:
        if isinstance(value, Computed):
            try:
                return self.computed(value)
            except Fault as fault:
                fault.node = fault.node or node
                raise
        if isinstance(value, Scalar):
            return value
        call = _output(self._grouped, "", value, node)
        key = (call.function, tuple(arg.name for arg in call.args), call.options)
        found = self._names.get(key)
        if found is None:
            name = aggregate_text(call)
            while name in self._taken:
                name += "_"
            self._taken.add(name)
            found = self._names[key] = (name, call)
        return Scalar(ColumnRef(found[0], call.type))


def _output(grouped: Grouped, name: str, value: Any, node: ast.AST) -> AggregateCall:
    if value is POISON:
        raise Poisoned
    if isinstance(value, AggregateValue):
        return _called(grouped, value)
    what = f"agg() output '{name}'" if name else "an aggregate"
    if not isinstance(value, tuple):
        raise Fault(f"{what} must be a tuple, not {article(value)}", Kind.DATAFRAME, _FORM)
    inner = node.value if isinstance(node, ast.keyword) else node
    parts: list[ast.AST] = list(inner.elts) if isinstance(inner, ast.Tuple) else []
    if len(parts) != len(value):
        parts = [node] * len(value)
    if not value:
        raise Fault(f"{what} is empty", Kind.DATAFRAME, _FORM)
    *names, function = value
    if isinstance(function, AggregateValue) and not function.columns:
        name, options = function.function, function.options
    elif not isinstance(function, FunctionValue):
        raise _not_a_function(what, function, parts[-1])
    elif function.name not in AGGREGATES:
        hint = "assign it to a column first, then aggregate that column"
        raise Fault(f"'{function.name}' is not an aggregate", Kind.TYPE, hint, parts[-1])
    else:
        name, options = function.name, complete(AGGREGATES[function.name], {}, parts[-1])
    columns = [_column(grouped, item, part) for item, part in zip(names, parts, strict=False)]
    return _resolved(grouped, name, columns, options, parts[-1])


def _called(grouped: Grouped, value: AggregateValue) -> AggregateCall:
    if not value.columns:
        message = f"{value.function}() does not say of which column"
        raise Fault(message, Kind.DATAFRAME, f"write px.{value.function}('column', ...)", value.node)
    columns = [_named(grouped, name, where) for name, where in value.columns]
    return _resolved(grouped, value.function, columns, value.options, value.node)


def _resolved(
    grouped: Grouped, name: str, columns: list[ColumnRef], options: tuple[Any, ...], node: ast.AST
) -> AggregateCall:
    function = AGGREGATES[name]
    if function.by_time is not ByTime.NEVER and len(columns) == len(function.parameters):
        time = grouped.frame.columns.get("time_")
        if time is not None:
            columns = [*columns, time]
        elif function.by_time is ByTime.ALWAYS:
            if grouped.frame.tainted:
                raise Poisoned
            hint = "call it before agg() or drop() remove time_"
            raise Fault(f"{name}() needs the column 'time_', which is not here", Kind.DATAFRAME, hint, node)
    try:
        overload, type_ = _resolve(name, tuple([column.type for column in columns]), options)
    except FunctionError as error:
        raise Fault(str(error), Kind.TYPE, error.hint, node) from None
    return AggregateCall(name, tuple(columns), overload, type_, options)


def _not_a_function(what: str, value: Any, node: ast.AST) -> Exception:
    if value is POISON:
        return Poisoned()
    if is_aggregated(value):
        hint = "write px.mean('column') instead of the tuple, or name the function without calling it"
        return Fault(f"the aggregate of {what} already has its columns", Kind.DATAFRAME, hint, node)
    if isinstance(value, Scalar) and not isinstance(value.expression, Literal):
        hint = "name the function without calling it: px.mean, not px.mean(...); compute columns before agg()"
        return Fault(f"the function of {what} is already called", Kind.DATAFRAME, hint, node)
    return Fault(
        f"the last element of {what} must be a function, not {article(value)}",
        Kind.DATAFRAME,
        _FORM,
        node,
    )


def _column(grouped: Grouped, item: Any, node: ast.AST) -> ColumnRef:
    if item is POISON:
        raise Poisoned
    if not isinstance(item, Scalar) or not isinstance(item.expression, Literal):
        raise Fault(
            f"agg() takes column names, not {article(item)}",
            Kind.DATAFRAME,
            "assign the expression to a column first, then name it: ('column', px.mean)",
            node,
        )
    name = item.expression.value
    if not isinstance(name, str):
        raise Fault("agg() takes column names as strings", Kind.DATAFRAME, _FORM, node)
    return _named(grouped, name, node)


def _named(grouped: Grouped, name: str, node: ast.AST) -> ColumnRef:
    found = grouped.frame.columns.get(name)
    if found is None:
        if grouped.frame.tainted:
            raise Poisoned
        raise column_not_found(name, grouped.frame.columns, node)
    return found
