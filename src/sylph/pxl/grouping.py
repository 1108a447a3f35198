"""`agg`: one row for each group."""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import Any

from sylph.functions.registry import AGGREGATES, FunctionError, resolve_aggregate
from sylph.plan.expressions import AggregateCall, ColumnRef, Literal
from sylph.plan.nodes import Aggregate
from sylph.pxl.errors import Kind
from sylph.pxl.scalars import column_not_found
from sylph.pxl.values import POISON, Bound, Fault, FunctionValue, Grouped, Poisoned, Scalar, article

_FORM = "write it as out=('column', px.mean)"


_resolve = lru_cache(maxsize=4096)(resolve_aggregate)


def grouped_rows(grouped: Grouped, bound: Bound) -> tuple[Aggregate, bool]:
    """The node of `grouped.agg(...)`, and whether an error was reported for one of its outputs."""
    outputs: list[tuple[str, AggregateCall]] = []
    tainted = False
    if not bound.extra and not grouped.groups:
        raise Fault("agg() without groups needs at least one output", Kind.DATAFRAME, _FORM)
    for name, value in bound.extra.items():
        node = bound.node(name)
        if name in grouped.groups:
            raise Fault(f"agg() output '{name}' has the name of a group column", Kind.DATAFRAME, node=node)
        try:
            outputs.append((name, _output(grouped, name, value, node)))
        except Poisoned:
            tainted = True
        except Fault as fault:
            # Other outputs may be wrong too: report all of them.
            bound.interpreter.report(fault, node)
            tainted = True
    return Aggregate(grouped.frame.node, grouped.groups, tuple(outputs)), tainted


def _output(grouped: Grouped, name: str, value: Any, node: ast.AST) -> AggregateCall:
    if value is POISON:
        raise Poisoned
    if not isinstance(value, tuple):
        raise Fault(f"agg() output '{name}' must be a tuple, not {article(value)}", Kind.DATAFRAME, _FORM)
    parts: list[ast.AST] = (
        list(node.value.elts) if isinstance(node, ast.keyword) and isinstance(node.value, ast.Tuple) else []
    )
    if len(parts) != len(value):
        parts = [node] * len(value)
    if not value:
        raise Fault(f"agg() output '{name}' is empty", Kind.DATAFRAME, _FORM)
    *names, function = value
    if not isinstance(function, FunctionValue):
        raise _not_a_function(name, function, parts[-1])
    if function.name not in AGGREGATES:
        hint = "assign it to a column first, then aggregate that column"
        raise Fault(f"'{function.name}' is not an aggregate", Kind.TYPE, hint, parts[-1])
    columns = [_column(grouped, item, part) for item, part in zip(names, parts, strict=False)]
    try:
        overload, type_ = _resolve(function.name, tuple([column.type for column in columns]))
    except FunctionError as error:
        raise Fault(str(error), Kind.TYPE, error.hint, parts[-1]) from None
    return AggregateCall(function.name, tuple(columns), overload, type_)


def _not_a_function(name: str, value: Any, node: ast.AST) -> Exception:
    if value is POISON:
        return Poisoned()
    if isinstance(value, Scalar) and not isinstance(value.expression, Literal):
        hint = "name the function without calling it: px.mean, not px.mean(...); compute columns before agg()"
        return Fault(f"the function of agg() output '{name}' is already called", Kind.DATAFRAME, hint, node)
    return Fault(
        f"the last element of agg() output '{name}' must be a function, not {article(value)}",
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
    found = grouped.frame.columns.get(name)
    if found is None:
        if grouped.frame.tainted:
            raise Poisoned
        raise column_not_found(name, grouped.frame.columns, node)
    return found
