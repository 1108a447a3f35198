"""`agg`: one row for each group."""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import Any

from sylph.functions.declare import ByTime
from sylph.functions.registry import AGGREGATES, FunctionError, resolve_aggregate
from sylph.plan.expressions import AggregateCall, ColumnRef, Expression, Literal
from sylph.plan.nodes import Aggregate, Map, Node
from sylph.plan.text import aggregate_text, expression_text
from sylph.plan.walk import references
from sylph.pxl import habits, limits
from sylph.pxl.aggregated import complete, is_aggregated
from sylph.pxl.errors import Kind
from sylph.pxl.scalars import bind, column_not_found
from sylph.pxl.values import (
    POISON,
    AggregateValue,
    Bound,
    Computed,
    Fault,
    Frame,
    FunctionValue,
    Grouped,
    Poisoned,
    Scalar,
    article,
)

_FORM = "write it as out=('column', px.mean)"


#: Longer names of aggregates are numbered instead.
_LONG = 200

_resolve = lru_cache(maxsize=4096)(resolve_aggregate)


def grouped_rows(grouped: Grouped, bound: Bound) -> tuple[Aggregate | Map, bool]:
    """The node of `grouped.agg(...)`, and whether an error was reported for one of its outputs.

    It is a map over an aggregate when an output is computed of several aggregates.
    """
    outputs: dict[str, Scalar | AggregateCall] = {}
    rows = _Rows(grouped.frame, bound)
    inner = _Inner(rows, grouped.groups, bound)
    tainted = False
    if not bound.extra and not grouped.groups:
        raise Fault("agg() without groups needs at least one output", Kind.DATAFRAME, _FORM)
    for name, value in bound.extra.items():
        node = bound.node(name)
        if name in grouped.groups:
            raise Fault(f"agg() output '{name}' has the name of a group column", Kind.DATAFRAME, node=node)
        try:
            if isinstance(value, Computed):
                outputs[name] = inner.computed(value)
            elif isinstance(value, Scalar) and value.literal is None:
                outputs[name] = inner.of_group(value, node)
            else:
                outputs[name] = _output(rows, name, value, node)
        except Poisoned:
            tainted = True
        except Fault as fault:
            # Other outputs may be wrong too: report all of them.
            bound.interpreter.report(
                fault, node.value if isinstance(node, ast.keyword) and isinstance(value, Computed) else node
            )
            tainted = True
    plain = [(name, output) for name, output in outputs.items() if isinstance(output, AggregateCall)]
    calls = (*plain, *inner.calls())
    if not (calls or grouped.groups or tainted):
        raise Fault("agg() without groups needs at least one aggregate", Kind.DATAFRAME, _FORM)
    if len(calls) > limits.MAX_COLUMNS:
        raise Fault(f"agg() computes more than {limits.MAX_COLUMNS:,} aggregates", Kind.LIMIT)
    for _, call in calls:
        # Options may be long lists.
        bound.interpreter.add_bytes(128 + sum(len(option) for option in call.options if isinstance(option, str)))
    aggregate = Aggregate(rows.node(), grouped.groups, calls)
    if len(plain) == len(outputs):
        return aggregate, tainted
    columns: dict[str, Expression] = {name: ColumnRef(name, aggregate.relation[name]) for name in grouped.groups}
    for name, output in outputs.items():
        if isinstance(output, AggregateCall):
            columns[name] = ColumnRef(name, output.type)
        else:
            bound.interpreter.add_expression(output.nodes)
            columns[name] = output.expression
    bound.interpreter.add_operator(len(columns))
    return Map(aggregate, tuple(columns.items())), tainted


class _Rows:
    """The rows that are aggregated: those of a DataFrame, with what aggregates take that is none of its columns."""

    def __init__(self, frame: Frame, bound: Bound) -> None:
        self._bound = bound
        self.columns = frame.columns
        self.tainted = frame.tainted
        self._frame = frame
        #: Names by expression and its text, in which 0.0 and -0.0 differ.
        self._computed: dict[tuple[Expression, str], str] = {}

    def named(self, name: str, node: ast.AST) -> ColumnRef:
        """The column of that name. Raises Fault at `node`."""
        found = self.columns.get(name)
        if found is None:
            if self.tainted:
                raise Poisoned
            raise column_not_found(name, self.columns, node)
        return found

    def expression(self, value: Scalar, node: ast.AST) -> ColumnRef:
        """The column that holds `value`, which is made if there is none. Raises Fault at `node`."""
        self._bound.interpreter.add_expression(value.nodes)
        try:
            found = bind(value, self.columns)
        except Fault as fault:
            if self.tainted:
                raise Poisoned from None
            fault.node = fault.node or node
            raise
        if isinstance(found, ColumnRef) and self.columns.get(found.name) == found:
            return found
        key = (found, expression_text(found))
        name = self._computed.get(key)
        if name is None:
            name = f"value_{len(self._computed) + 1}"
            while name in self.columns:
                name += "_"
            self._computed[key] = name
        return ColumnRef(name, found.type)

    def node(self) -> Node:
        """The rows."""
        if not self._computed:
            return self._frame.node
        outputs = (*self.columns.items(), *((name, value) for (value, _), name in self._computed.items()))
        if len(outputs) > limits.MAX_COLUMNS:
            raise Fault(f"agg() needs more than {limits.MAX_COLUMNS:,} columns", Kind.LIMIT)
        self._bound.interpreter.add_operator(len(outputs))
        return Map(self._frame.node, outputs)


class _Inner:
    """Aggregates that outputs are computed of, each once, under names of their own."""

    def __init__(self, rows: _Rows, groups: tuple[str, ...], bound: Bound) -> None:
        self._rows = rows
        self._groups = groups
        self._bound = bound
        self._taken = {*groups, *bound.extra}
        self._names: dict[tuple[object, ...], tuple[str, AggregateCall]] = {}

    def calls(self) -> list[tuple[str, AggregateCall]]:
        """The aggregates by name."""
        return list(self._names.values())

    def computed(self, value: Computed) -> Scalar:
        """`value` over columns of the aggregates' names. Raises Fault where an operand is wrong."""
        self._bound.interpreter.charge(1)
        return value.make(
            [self._operand(operand, node) for operand, node in zip(value.operands, value.nodes, strict=True)]
        )

    def _operand(self, value: Any, node: ast.AST) -> Scalar:
        if isinstance(value, Computed):
            try:
                return self.computed(value)
            except Fault as fault:
                fault.node = fault.node or node
                raise
        if isinstance(value, Scalar):
            return self.of_group(value, node)
        call = _output(self._rows, "", value, node)
        key = (call.function, tuple(arg.name for arg in call.args), call.options)
        found = self._names.get(key)
        if found is None:
            name = aggregate_text(call)
            if len(name) > _LONG:
                name = f"{call.function}_{len(self._names) + 1}"
            while name in self._taken:
                name += "_"
            self._taken.add(name)
            found = self._names[key] = (name, call)
        return Scalar(ColumnRef(found[0], call.type))

    def of_group(self, value: Scalar, node: ast.AST) -> Scalar:
        """What is the same in all rows of a group: a literal, or made of the groups' columns."""
        if value.frame is None:
            return value
        for name in sorted(references(value.expression)):
            if name not in self._groups:
                self._rows.named(name, node)
                message = f"column '{name[:80]}' has many values in a group"
                raise Fault(
                    message, Kind.DATAFRAME, f"aggregate it: px.any('{name[:80]}'), px.mean('{name[:80]}')", node
                )
        columns = {name: self._rows.columns[name] for name in self._groups}
        return Scalar(bind(value, columns), None, value.nodes, value.depth)


def _output(rows: _Rows, name: str, value: Any, node: ast.AST) -> AggregateCall:
    if value is POISON:
        raise Poisoned
    if isinstance(value, AggregateValue):
        return _called(rows, value)
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
    columns = [_column(rows, item, part) for item, part in zip(names, parts, strict=False)]
    return _resolved(rows, name, columns, options, parts[-1])


def _called(rows: _Rows, value: AggregateValue) -> AggregateCall:
    if not value.columns:
        message = f"{value.function}() does not say of which column"
        raise Fault(message, Kind.DATAFRAME, f"write px.{value.function}('column', ...)", value.node)
    columns = [
        rows.named(column, where) if isinstance(column, str) else rows.expression(column, where)
        for column, where in value.columns
    ]
    return _resolved(rows, value.function, columns, value.options, value.node)


def _resolved(
    rows: _Rows, name: str, columns: list[ColumnRef], options: tuple[Any, ...], node: ast.AST
) -> AggregateCall:
    function = AGGREGATES[name]
    given = len(columns)
    if function.by_time is not ByTime.NEVER and len(columns) == len(function.parameters):
        time = rows.columns.get("time_")
        if time is not None:
            columns = [*columns, time]
        elif function.by_time is ByTime.ALWAYS:
            if rows.tainted:
                raise Poisoned
            hint = "call it before agg() or drop() remove time_"
            raise Fault(f"{name}() needs the column 'time_', which is not here", Kind.DATAFRAME, hint, node)
    try:
        overload, type_ = _resolve(name, tuple([column.type for column in columns]), options)
    except FunctionError as error:
        hint = error.hint
        if function.by_time is not ByTime.NEVER and given != len(function.parameters):
            hint = f"'{name}' takes {len(function.parameters)} column, not {given}; it finds 'time_' itself"
        raise Fault(str(error), Kind.TYPE, hint, node) from None
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
        habits.QUANTILE if isinstance(value, Scalar) and isinstance(value.literal, float) else _FORM,
        node,
    )


def _column(rows: _Rows, item: Any, node: ast.AST) -> ColumnRef:
    if item is POISON:
        raise Poisoned
    if not isinstance(item, Scalar) or not isinstance(item.expression, Literal):
        raise Fault(
            f"agg() takes column names, not {article(item)}",
            Kind.DATAFRAME,
            "name the column: ('column', px.mean); expressions go into the call: px.mean(df.a * 2)",
            node,
        )
    name = item.expression.value
    if not isinstance(name, str):
        raise Fault("agg() takes column names as strings", Kind.DATAFRAME, _FORM, node)
    return rows.named(name, node)
