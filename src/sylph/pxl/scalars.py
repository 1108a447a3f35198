"""Column expressions: calls of scalar functions, typed when they are made."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Sequence
from functools import lru_cache

from sylph.functions.declare import Overload
from sylph.functions.registry import AGGREGATES, SCALARS, FunctionError, resolve_scalar
from sylph.plan.expressions import Call, ColumnRef, Expression, Literal
from sylph.pxl import limits
from sylph.pxl.errors import Kind, listing, suggestion
from sylph.pxl.metadata_keys import source_of
from sylph.pxl.values import Columns, Fault, Scalar, TypeValue, article, describe
from sylph.tables.types import ColumnType, DataType, SemanticType

#: Marks an expression over columns of several DataFrames; it is typed again where it is used.
_MIXED: Columns = {}


#: Functions with arguments that decide how they run; what is chosen depends on their values.
_WITH_INIT = frozenset(name for name, function in SCALARS.items() if any(one.init for one in function.overloads))


@lru_cache(maxsize=8192)
def _resolve(name: str, types: tuple[ColumnType, ...]) -> tuple[Overload, ColumnType]:
    return resolve_scalar(name, types)


def resolve(name: str, args: Sequence[Expression]) -> tuple[Overload, ColumnType]:
    """The overload of scalar function `name` for arguments of exactly these types, and the result's type."""
    types = tuple([arg.type for arg in args])
    try:
        if name not in _WITH_INIT:
            return _resolve(name, types)
        literals = tuple([arg.value if isinstance(arg, Literal) else None for arg in args])
        return resolve_scalar(name, types, literals)
    except FunctionError as error:
        raise Fault(str(error), Kind.TYPE, error.hint) from None


def call(name: str, args: Sequence[Scalar]) -> Scalar:
    """`name(*args)`. Raises Fault when no overload takes exactly these types."""
    expressions = tuple([arg.expression for arg in args])
    overload, type_ = resolve(name, expressions)
    frame: Columns | None = None
    nodes = depth = 0
    for arg in args:
        nodes += arg.nodes
        depth = max(depth, arg.depth)
        if arg.frame is not None and arg.frame is not frame:
            frame = arg.frame if frame is None else _MIXED
    check_size(nodes + 1, depth + 1)
    expression = Call(name, expressions, overload, type_)
    return Scalar(expression, frame, nodes + 1, depth + 1)


def check_size(nodes: int, depth: int) -> None:
    """Raise Fault for an expression larger than any that a person writes."""
    if nodes > limits.MAX_EXPRESSION_NODES or depth > limits.MAX_EXPRESSION_DEPTH:
        raise Fault("the expression is too large", Kind.LIMIT, "assign parts of it to columns first")


def cast(type_: TypeValue, value: Scalar) -> Scalar:
    """`value` with the meaning of `type_`; the data type must be the same."""
    target = type_.type
    if target is None:
        raise Fault(f"'{type_.name}' cannot be used as a cast", Kind.TYPE)
    if value.type.data is not target.data:
        raise Fault(
            f"only semantic type casts are allowed: {type_.name} holds {target.data.name}, "
            f"this is {value.type.data.name}",
            Kind.TYPE,
            _conversion(value.type.data, target.data),
        )
    expression = retyped(value.expression, target)
    return Scalar(expression, value.frame, value.nodes, value.depth, cast=True)


def retyped(expression: Expression, type_: ColumnType) -> Expression:
    """The same value with another semantic type."""
    return expression if expression.type == type_ else dataclasses.replace(expression, type=type_)


def bind(value: Scalar, columns: Columns) -> Expression:
    """`value` over `columns`: an expression made from another DataFrame is looked up again by column name."""
    if value.frame is None or value.frame is columns:
        return value.expression
    return _rebind(value.expression, columns)


def _rebind(expression: Expression, columns: Columns) -> Expression:
    if isinstance(expression, ColumnRef):
        found = columns.get(expression.name)
        if found is None:
            raise column_not_found(expression.name, columns)
        if found.type == expression.type:
            return found
        if found.type.data is expression.type.data and expression.type.semantic is not SemanticType.ST_NONE:
            return ColumnRef(expression.name, expression.type)
        return found
    if isinstance(expression, Literal):
        return expression
    args = tuple([_rebind(arg, columns) for arg in expression.args])
    if all(new is old for new, old in zip(args, expression.args, strict=True)):
        return expression
    overload, type_ = resolve(expression.function, args)
    # A meaning given by a cast stays.
    if type_.data is expression.type.data and type_.semantic is SemanticType.ST_NONE:
        type_ = expression.type
    return Call(expression.function, args, overload, type_)


def _joined(name: str, columns: Columns) -> tuple[str, str] | None:
    """The two columns that `name` is made of: Python joins texts that follow one another."""
    cuts = range(1, min(len(name), limits.MAX_NAME))
    return next(((name[:cut], name[cut:]) for cut in cuts if name[:cut] in columns and name[cut:] in columns), None)


def column_not_found(name: str, columns: Columns, node: ast.AST | None = None) -> Fault:
    """The fault of naming, at `node`, a column that is not there."""
    if two := _joined(name, columns):
        hint = f"is a comma missing between '{two[0]}' and '{two[1]}'?"
    elif source_of(name, columns) is None:
        hint = suggestion(name, columns) or f"columns are {listing(columns)}"
    else:
        hint = f"metadata becomes a column first: df.{name} = df.ctx['{name}']"
    return Fault(f"column '{name}' not found in this DataFrame", Kind.DATAFRAME, hint, node)


def _conversion(source: DataType, target: DataType) -> str:
    ways = {
        (DataType.INT64, DataType.STRING): "px.itoa(x) turns an integer into text",
        (DataType.STRING, DataType.INT64): "px.atoi(x, default) reads an integer from text",
        (DataType.FLOAT64, DataType.INT64): "px.floor(x) and px.ceil(x) turn a float into an integer",
        (DataType.INT64, DataType.FLOAT64): "x * 1.0 turns an integer into a float",
        (DataType.TIME64NS, DataType.INT64): "px.time_to_int64(x) turns a time into nanoseconds",
        (DataType.INT64, DataType.TIME64NS): "px.int64_to_time(x) turns nanoseconds into a time",
    }
    return ways.get((source, target), "")


def valid_text(text: str) -> str:
    """`text`, which is to be Unicode: raises Fault for half a surrogate pair."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            message = f"a text is not valid Unicode: {text[error.start]!a} is half of a character"
            raise Fault(message, Kind.TYPE, "write the character itself, or \\U and 8 hexadecimal digits") from None
    return text


def as_scalar(value: object, what: str) -> Scalar:
    """`value` if it is a literal or a column expression; `what` names its place in the message."""
    if not isinstance(value, Scalar):
        hint = "call the function" if describe(value) == "function" else ""
        raise Fault(f"{what} must be an expression, not {article(value)}", Kind.CALL, hint)
    return value


def not_scalar(name: str) -> Fault:
    """The fault of calling an aggregate as if it gave one value for each row."""
    if name in AGGREGATES:
        hint = f"use it in agg(), without (): df.groupby('a').agg(out=('b', px.{name}))"
        return Fault(f"'{name}' is an aggregate and cannot be used on rows", Kind.TYPE, hint)
    return Fault(f"'{name}' is not a function", Kind.CALL)
