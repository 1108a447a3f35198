"""Functions of a script as entry points: what is asked for, how arguments are read, what results are called."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sylph.pxl.errors import CompileError, Kind, suggestion
from sylph.pxl.parse import parse
from sylph.pxl.scalars import valid_text
from sylph.pxl.times import MAX_INT64, MIN_INT64
from sylph.pxl.values import Builtin, Fault, Frame, Grouped, Scope, TypeValue, UserFunction, article, literal
from sylph.pxl.words import truth
from sylph.tables.types import ColumnType, DataType

if TYPE_CHECKING:
    from sylph.pxl.interpreter import Interpreter


@dataclass(frozen=True, slots=True)
class ExecFunc:
    """A call of the script's function `name`; its result tables are named `output_prefix`. Arguments are text."""

    name: str
    output_prefix: str
    args: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ArgumentSignature:
    """One argument: its annotation as written, "" when it has none; whether it must be given."""

    name: str
    annotation: str
    required: bool = True


@dataclass(frozen=True, slots=True)
class FunctionSignature:
    """A function of a script."""

    name: str
    arguments: tuple[ArgumentSignature, ...]
    doc: str
    line: int


def signature(source: str) -> list[FunctionSignature]:
    """The functions that a script defines, in order, without compiling it. Raises CompileError if it cannot be read."""
    functions = []
    for statement in parse(source).tree.body:
        if isinstance(statement, ast.FunctionDef):
            arguments = statement.args.args
            first_default = len(arguments) - len(statement.args.defaults)
            functions.append(
                FunctionSignature(
                    statement.name,
                    tuple(
                        ArgumentSignature(argument.arg, annotation_text(argument.annotation), position < first_default)
                        for position, argument in enumerate(arguments)
                    ),
                    ast.get_docstring(statement) or "",
                    statement.lineno,
                )
            )
    return functions


def annotation_text(annotation: ast.expr | None) -> str:
    """An annotation as written; "" for none."""
    try:
        return "" if annotation is None else ast.unparse(annotation)
    except RecursionError:
        return "?"


def convert_arguments(interpreter: Interpreter, function: UserFunction, args: Mapping[str, str]) -> dict[str, Any]:
    """Values of text arguments by the annotations of `function`'s parameters."""
    values = {}
    for name in function.parameters:
        if name not in function.annotations:
            hint = f"write it as '{name}: str' in the script"
            raise Fault(f"argument '{name}' of {function.name}(): type annotation required", Kind.EXEC_FUNCS, hint)
    for name, text in args.items():
        if name not in function.parameters:
            hint = suggestion(name, function.parameters) or (
                f"arguments are {', '.join(function.parameters)}" if function.parameters else "it takes none"
            )
            raise Fault(f"{function.name}() has no argument '{name[:80]}'", Kind.EXEC_FUNCS, hint)
        values[name] = convert(interpreter, name, text, function.annotations[name])
    missing = [name for name in function.parameters if name not in values and name not in function.defaults]
    if missing:
        names = ", ".join(f"'{name}'" for name in missing)
        plural = "argument" if len(missing) == 1 else "arguments"
        raise Fault(f"{function.name}() missing {len(missing)} required positional {plural} {names}", Kind.EXEC_FUNCS)
    return values


def convert(interpreter: Interpreter, name: str, text: str, annotation: TypeValue | Builtin) -> Any:
    """The value of a text argument of that type. Raises Fault."""
    if isinstance(annotation, Builtin):
        raise Fault(f"argument '{name}' is a {annotation.name}, which cannot be given as text", Kind.EXEC_FUNCS)
    if annotation.type is None:
        return _convert_list(interpreter, name, text)
    data = annotation.type.data
    if data is DataType.UINT128:
        raise Fault(f"argument '{name}': {annotation.name} cannot be given as text", Kind.EXEC_FUNCS)
    valid_text(text)
    try:
        return literal(_READERS[data](text), ColumnType(data))
    except ValueError as error:
        raise Fault(
            f"argument '{name}': cannot read '{text[:60]}' as {annotation.name}: {error}", Kind.EXEC_FUNCS
        ) from None


def _convert_list(interpreter: Interpreter, name: str, text: str) -> Any:
    try:
        tree = parse(text).tree
    except CompileError as error:
        raise Fault(f"argument '{name}': {error.errors[0].message}", Kind.EXEC_FUNCS) from None
    if len(tree.body) != 1 or not isinstance(tree.body[0], ast.Expr):
        raise Fault(f"argument '{name}' must be a list such as ['a', 'b']", Kind.EXEC_FUNCS)
    scope = Scope({"px": interpreter.module("px")}, interpreter.globals.parent)
    try:
        value = interpreter.expression(tree.body[0].value, scope)
    except Fault as fault:
        fault.message = f"argument '{name}': {fault.message}"
        fault.hint = fault.hint or "write a list such as ['a', 'b']"
        raise
    if not isinstance(value, (list, tuple)):
        raise Fault(f"argument '{name}' must be a list, not {article(value)}", Kind.EXEC_FUNCS)
    return value


def _boolean(text: str) -> bool:
    value = truth(text)
    if value is None:
        raise ValueError("write true or false")
    return value


def _integer(text: str) -> int:
    if not re.fullmatch(r"\s*[+-]?[0-9]{1,20}\s*", text):
        raise ValueError("not a whole number")
    value = int(text)
    if not MIN_INT64 <= value <= MAX_INT64:
        raise ValueError("it does not fit 64 bits")
    return value


def _time(text: str) -> int:
    try:
        return _integer(text)
    except ValueError as error:
        raise ValueError(f"{error}, of nanoseconds since the epoch; annotate it as str for '-5m'") from None


def _float(text: str) -> float:
    if len(text) > 400 or "_" in text:
        raise ValueError("not a number")
    try:
        value = float(text)
    except ValueError:
        raise ValueError("not a number") from None
    if math.isinf(value) and "inf" not in text.lower():
        raise ValueError("it does not fit 64 bits")
    return value


_READERS: Mapping[DataType, Any] = {
    DataType.BOOLEAN: _boolean,
    DataType.INT64: _integer,
    DataType.FLOAT64: _float,
    DataType.STRING: str,
    DataType.TIME64NS: _time,
}


def result_frames(request: ExecFunc, result: Any) -> Iterator[tuple[str, Frame]]:
    """Result tables of a call: one named after the prefix, or several numbered `prefix[0]`, `prefix[1]` ..."""
    if isinstance(result, Frame):
        yield request.output_prefix, result
        return
    if isinstance(result, Grouped):
        raise Fault(f"{request.name}() returns a {result.method} without agg()", Kind.EXEC_FUNCS)
    if isinstance(result, (list, tuple)) and not result:
        raise Fault(f"{request.name}() must return a DataFrame or a list of them, not an empty list", Kind.EXEC_FUNCS)
    if not isinstance(result, (list, tuple)):
        raise Fault(
            f"{request.name}() must return a DataFrame or a list of them, not {article(result)}", Kind.EXEC_FUNCS
        )
    for position, item in enumerate(result):
        if not isinstance(item, Frame):
            raise Fault(
                f"{request.name}() must return DataFrames; element {position} is {article(item)}", Kind.EXEC_FUNCS
            )
        yield f"{request.output_prefix}[{position}]", item
