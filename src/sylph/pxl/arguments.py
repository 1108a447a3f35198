"""Arguments of the compiler's own functions: binding them to parameters, and reading them as a type."""

from __future__ import annotations

import ast
from typing import Any

from sylph.plan.expressions import ColumnRef, Literal
from sylph.pxl.errors import Kind, suggestion
from sylph.pxl.values import (
    POISON,
    Bound,
    Builtin,
    Fault,
    Frame,
    Grouped,
    Parameter,
    Poisoned,
    Scalar,
    UserFunction,
    describe,
)
from sylph.tables.types import DataType


def required(*names: str) -> tuple[Parameter, ...]:
    """Parameters without defaults."""
    return tuple(Parameter(name) for name in names)


def optional(**defaults: Any) -> tuple[Parameter, ...]:
    """Parameters with their defaults."""
    return tuple(Parameter(name, default, required=False) for name, default in defaults.items())


#: What to do when too much is given by position.
_LISTED = {
    ("DataFrame.agg", ()): "name each output: df.agg(out=('column', px.mean))",
    ("DataFrame.append", ("objs",)): "give several as a list: df.append([a, b])",
    ("DataFrame.drop", ("columns",)): "give several as a list: df.drop(['a', 'b'])",
    ("DataFrame.groupby", ("by",)): "give several as a list: df.groupby(['a', 'b'])",
}


def bind_names(
    function: str,
    parameters: tuple[str, ...],
    args: list[tuple[Any, ast.AST]],
    keywords: list[tuple[str, Any, ast.AST]],
    *,
    defaults: frozenset[str],
    extra: dict[str, Any] | None = None,
) -> tuple[dict[str, Any], dict[str, ast.AST]]:
    """Values and nodes of a call by parameter name, by Python's rules; a Fault says what does not fit."""
    if len(args) > len(parameters):
        plural = "argument" if len(parameters) == 1 else "arguments"
        verb = "was" if len(args) == 1 else "were"
        raise Fault(
            f"{function}() takes {len(parameters)} {plural} but {len(args)} {verb} given",
            Kind.CALL,
            _LISTED.get((function, parameters)) or ("" if extra is None else "give it a name: out=..."),
            args[len(parameters)][1],
        )
    values = {name: value for name, (value, _) in zip(parameters, args, strict=False)}
    nodes = {name: node for name, (_, node) in zip(parameters, args, strict=False)}
    for name, value, node in keywords:
        if name in values or (extra is not None and name in extra):
            raise Fault(f"{function}() got multiple values for argument '{name}'", Kind.CALL, node=node)
        if name in parameters:
            values[name] = value
        elif extra is not None:
            extra[name] = value
        else:
            hint = suggestion(name, parameters) or (
                f"arguments are {', '.join(parameters)}" if parameters else "it takes no arguments"
            )
            raise Fault(f"{function}() got an unexpected keyword argument '{name}'", Kind.CALL, hint, node)
        nodes[name] = node
    missing = [name for name in parameters if name not in values and name not in defaults]
    if missing:
        plural = "argument" if len(missing) == 1 else "arguments"
        names = ", ".join(f"'{name}'" for name in missing)
        raise Fault(f"{function}() missing {len(missing)} required positional {plural} {names}", Kind.CALL)
    return values, nodes


def bind_builtin(
    function: Builtin, bound: Bound, args: list[tuple[Any, ast.AST]], keywords: list[tuple[str, Any, ast.AST]]
) -> None:
    """Fill `bound` for a call of a built-in, defaults included."""
    defaults = {parameter.name: parameter.default for parameter in function.parameters if not parameter.required}
    names = tuple([parameter.name for parameter in function.parameters])
    extra = bound.extra if function.extra else None
    values, bound.nodes = bind_names(function.name, names, args, keywords, defaults=frozenset(defaults), extra=extra)
    bound.values = defaults | values
    if any(value is POISON for value in bound.values.values()):
        raise Poisoned


def wrong_type(bound: Bound, name: str, expected: str) -> Fault:
    """The fault of an argument of another kind than `expected`."""
    value = bound.values[name]
    message = f"expected argument '{name}' as type '{expected}', received {describe(value)}"
    return Fault(message, Kind.CALL, _named(value) if expected == "string" else "", bound.node(name))


def _named(value: Any) -> str:
    """What to do with a column where its name is wanted."""
    column = value.expression if isinstance(value, Scalar) else None
    return f"name the column: '{column.name}'" if isinstance(column, ColumnRef) else ""


def _constant(bound: Bound, name: str, data: DataType, expected: str) -> Any:
    value = bound.values[name]
    if not isinstance(value, Scalar) or not isinstance(value.expression, Literal) or value.type.data is not data:
        raise wrong_type(bound, name, expected)
    return value.expression.value


def string(bound: Bound, name: str) -> str:
    """A string literal."""
    value: str = _constant(bound, name, DataType.STRING, "string")
    return value


def integer(bound: Bound, name: str) -> int:
    """An integer literal."""
    value: int = _constant(bound, name, DataType.INT64, "int")
    return value


def boolean(bound: Bound, name: str) -> bool:
    """A boolean literal."""
    value: bool = _constant(bound, name, DataType.BOOLEAN, "bool")
    return value


def strings(bound: Bound, name: str) -> list[str]:
    """A list of string literals, or one string as a list of one."""
    value = bound.values[name]
    items = list(value) if isinstance(value, (list, tuple)) else [value]
    found = []
    for position, item in enumerate(items):
        if item is POISON:
            raise Poisoned
        if (
            not isinstance(item, Scalar)
            or not isinstance(item.expression, Literal)
            or not isinstance(item.expression.value, str)
        ):
            message = f"expected argument '{name}' as a string or a list of strings, received {describe(item)}"
            computed = "make it a column first, and name that" if name == "by" and isinstance(item, Scalar) else ""
            raise Fault(message, Kind.CALL, _named(item) or computed, bound.part(name, position))
        found.append(item.expression.value)
    return found


def frame(bound: Bound, name: str) -> Frame:
    """A DataFrame."""
    value = bound.values[name]
    if isinstance(value, Grouped):
        raise Fault(
            f"{value.method} must be followed by agg()",
            Kind.DATAFRAME,
            "call .agg(out=('column', px.mean))",
            bound.node(name),
        )
    if not isinstance(value, Frame):
        fault = wrong_type(bound, name, "DataFrame")
        fault.hint = _framed(value)
        raise fault
    return value


def _framed(value: Any) -> str:
    """What to do with `value` where a DataFrame is wanted."""
    column = value.expression if isinstance(value, Scalar) else None
    if isinstance(column, ColumnRef):
        return f"a DataFrame of that column only: df[['{column.name}']]"
    if isinstance(value, (list, tuple)) and value and all(isinstance(each, Frame) for each in value):
        return "one DataFrame at a time, such as the first one: [0]"
    if isinstance(value, (Builtin, UserFunction)):
        return f"call it: {value.name}(...)"
    return "a function gives what is after return, px.display() gives nothing" if value is None else ""


def scalar(bound: Bound, name: str) -> Scalar:
    """A literal or a column expression."""
    value = bound.values[name]
    if not isinstance(value, Scalar):
        raise wrong_type(bound, name, "expression")
    return value
