"""Aggregates that a script calls, `px.mean('latency')`, and what it computes of them. agg() gives them types.

An operator or function with an aggregate among its operands is kept as a tree, and made when agg() says of which rows.
"""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Callable, Sequence
from typing import Any

from sylph.functions.declare import Aggregate, LiteralValue, Option
from sylph.functions.registry import AGGREGATES
from sylph.plan.expressions import Literal
from sylph.pxl import habits, limits
from sylph.pxl.errors import Kind, suggestion
from sylph.pxl.values import AggregateValue, Computed, Fault, FunctionValue, Scalar, article
from sylph.tables.types import DataType

HINT = "it needs the rows of a group: df.groupby('a').agg(out=px.mean('b'))"


def is_aggregated(value: object) -> bool:
    """Whether `value` is a called aggregate or something computed of aggregates."""
    return isinstance(value, (AggregateValue, Computed))


def is_form(value: object) -> bool:
    """Whether `value` is an aggregate as a tuple: `('latency', px.mean)`."""
    if not isinstance(value, tuple) or len(value) < 2:
        return False
    last = value[-1]
    if isinstance(last, FunctionValue):
        return last.name in AGGREGATES
    return isinstance(last, AggregateValue) and not last.columns


def computes(*values: object) -> bool:
    """Whether an operator on these is one on aggregates."""
    return any(is_aggregated(value) or is_form(value) for value in values)


def compute(make: Callable[[list[Scalar]], Scalar], values: Sequence[Any], nodes: Sequence[ast.AST]) -> Computed:
    """`make` of aggregates, literals and columns that are groups."""
    size = depth = 0
    for value, node in zip(values, nodes, strict=True):
        if isinstance(value, AggregateValue) and not value.columns:
            message = f"{value.function}() does not say of which column"
            raise Fault(message, Kind.DATAFRAME, f"px.{value.function}('column', ...)", node)
        if not (isinstance(value, Scalar) or computes(value)):
            message = f"an aggregate is computed with aggregates and literals, not with {article(value)}"
            raise Fault(message, Kind.OPERATOR, "", node)
        size += value.size if isinstance(value, Computed) else 1
        depth = max(depth, value.depth if isinstance(value, Computed) else 1)
    if size >= limits.MAX_EXPRESSION_NODES or depth >= limits.MAX_EXPRESSION_DEPTH:
        raise Fault("the expression is too large", Kind.LIMIT, "compute parts of it as columns after agg()")
    return Computed(make, tuple(values), tuple(nodes), size + 1, depth + 1)


def called(
    name: str, args: list[tuple[Any, ast.AST]], keywords: list[tuple[str, Any, ast.AST]], node: ast.AST
) -> AggregateValue:
    """`px.name('column', ..., option)`, with expressions for columns too, or `px.name(option)`."""
    function = AGGREGATES[name]
    columns: list[tuple[str | Scalar, ast.AST]] = []
    rest = list(args)
    while rest and isinstance(rest[0][0], Scalar):
        value, where = rest[0]
        if isinstance(value.expression, Literal) and not isinstance(value.literal, str):
            break
        columns.append((value if value.literal is None else str(value.literal), where))
        rest.pop(0)
    given = _options(function, rest, keywords)
    if not columns and not given and not function.options:
        raise Fault(f"{name}() does not say of which column", Kind.DATAFRAME, f"write px.{name}('column')")
    return AggregateValue(name, tuple(columns), complete(function, given, node), node)


def complete(function: Aggregate, given: dict[str, LiteralValue], node: ast.AST) -> tuple[LiteralValue, ...]:
    """The value of every option: as given, else its default."""
    values = []
    for option in function.options:
        value = given.get(option.name, option.default)
        if value is None:
            example = f"px.{function.name}('column', 0.99)" if option.data is DataType.FLOAT64 else ""
            raise Fault(
                f"{function.name}() needs '{option.name}'", Kind.CALL, f"write {example}" if example else "", node
            )
        values.append(value)
    return tuple(values)


def _options(
    function: Aggregate, args: list[tuple[Any, ast.AST]], keywords: list[tuple[str, Any, ast.AST]]
) -> dict[str, LiteralValue]:
    given: dict[str, LiteralValue] = {}
    names = [option.name for option in function.options]
    for position, (value, where) in enumerate(args):
        if computes(value):
            hint = "aggregate again after agg(): df.agg(...).agg(...)"
            raise Fault(f"{function.name}() cannot take {article(value)}", Kind.TYPE, hint, where)
        if position >= len(names):
            hint = (
                habits.QUANTILE
                if function.name == "quantiles"
                else (
                    f"options are {', '.join(names)}"
                    if names
                    else f"name columns as strings: px.{function.name}('column')"
                )
            )
            raise Fault(f"{function.name}() cannot take {article(value)} here", Kind.CALL, hint, where)
        given[names[position]] = _option(function, function.options[position], value, where)
    for name, value, where in keywords:
        if name not in names:
            hint = suggestion(name, names) or (f"options are {', '.join(names)}" if names else "it has no options")
            raise Fault(f"{function.name}() has no option '{name}'", Kind.CALL, hint, where)
        if name in given:
            raise Fault(f"{function.name}() got multiple values for '{name}'", Kind.CALL, "", where)
        given[name] = _option(function, function.options[names.index(name)], value, where)
    return given


def _is_number(value: Any) -> bool:
    number = value.literal if isinstance(value, Scalar) else None
    return isinstance(number, (int, float)) and not isinstance(number, bool) and math.isfinite(number)


def _option(function: Aggregate, option: Option, value: Any, where: ast.AST) -> LiteralValue:
    if option.numbers:
        if isinstance(value, (list, tuple)):
            numbers = [item.literal for item in value if _is_number(item)]
            if len(numbers) == len(value):
                return json.dumps(numbers)
        wrong = (
            next((item for item in value if not _is_number(item)), value) if isinstance(value, (list, tuple)) else value
        )
        message = f"'{option.name}' of {function.name}() must be a list of numbers, not {article(wrong)}"
        raise Fault(message, Kind.CALL, "such as [1000, 1000000]", where)
    constant = value.literal if isinstance(value, Scalar) else None
    if option.data is DataType.FLOAT64 and type(constant) is int:
        return float(constant)
    if constant is None or value.type.data is not option.data:
        message = f"'{option.name}' of {function.name}() must be {option.data.name}, not {article(value)}"
        raise Fault(message, Kind.CALL, "", where)
    return constant
