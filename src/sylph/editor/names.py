"""What the names of an unfinished script stand for at the cursor: the compiler is run over what comes before."""

from __future__ import annotations

import ast
import time
from collections.abc import Mapping, Sequence
from typing import Any

from sylph.pxl import dataframe
from sylph.pxl.errors import CompileError, split_lines
from sylph.pxl.interpreter import Interpreter, Stop
from sylph.pxl.parse import parse
from sylph.pxl.values import POISON, Fault, Frame, Poisoned, Scope, TypeValue, UserFunction, literal
from sylph.tables.declare import Table
from sylph.tables.types import DataType

#: Lines that cannot be read are left out, so many at most.
_MAX_LEFT_OUT = 12
#: Stand for arguments of functions.
_SAMPLES = {DataType.INT64: 1, DataType.FLOAT64: 1.0, DataType.BOOLEAN: True, DataType.TIME64NS: 1}


class Names:
    """The names at a place of a script."""

    def __init__(self, interpreter: Interpreter, scope: Scope) -> None:
        self._interpreter = interpreter
        self._scope = scope

    def all(self) -> dict[str, Any]:
        """Every name that can be written there, with its value; inner ones first."""
        found: dict[str, Any] = {}
        scope: Scope | None = self._scope
        while scope is not None:
            for name, value in scope.values.items():
                if not name.startswith("__"):
                    found.setdefault(name, value)
            scope = scope.parent
        return found

    def value(self, expression: str) -> Any:
        """What an expression gives, None when it gives nothing or cannot be read."""
        try:
            tree = ast.parse(expression.strip(), mode="eval")
            found = self._interpreter.expression(tree.body, self._scope)
        except (Fault, Poisoned, Stop, SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        return None if found is POISON else found

    def callee(self, expression: str) -> Any:
        """Like `value`, for what is about to be called: a method goes before a column of its name."""
        receiver, dot, name = expression.rpartition(".")
        if dot:
            frame = self.value(receiver)
            if isinstance(frame, Frame):
                if not dataframe.has_method(name):
                    return None
                try:
                    return dataframe.attribute(frame, name, called=True)
                except (Fault, Poisoned):
                    return None
        return self.value(expression)


class _Recording(Interpreter):
    """A compilation that keeps what one function of the script is first called with."""

    def __init__(self, source: str, tables: Mapping[str, Table]) -> None:
        super().__init__(source, tables, time.time_ns(), display=False)
        self.wanted = ""
        self.given: dict[str, Any] = {}

    def call_user(
        self,
        function: UserFunction,
        args: list[tuple[Any, ast.AST]],
        keywords: list[tuple[str, Any, ast.AST]],
        node: ast.AST,
    ) -> Any:
        """As the compiler's; the first arguments of the function that is looked for are kept."""
        if function.name == self.wanted and not function.foreign and not self.given:
            given = {**dict(zip(function.parameters, [value for value, _ in args], strict=False))}
            self.given = {**given, **{name: value for name, value, _ in keywords}}
        return super().call_user(function, args, keywords, node)


def names_at(source: str, cursor_line: int, line: int, indent: str, tables: Mapping[str, Table]) -> Names:
    """The names before the statement that begins at `line` (from 1) with the white space `indent`.

    The cursor is in `cursor_line`. Functions below are known too where they can be called: in other functions.
    """
    lines = split_lines(source)
    # Something must stand where the statement is, for a function's body may begin there.
    body = _readable([*lines[: line - 1], f"{indent}0"])
    interpreter = _Recording(source, tables)
    scope = interpreter.globals
    if not indent or not body or not isinstance(body[-1], ast.FunctionDef):
        _run(interpreter, body[:-1], scope, module=True)
        return Names(interpreter, scope)
    function = body[-1]
    below = _readable(_next_block(lines[cursor_line:]))
    functions = [one for one in below if isinstance(one, ast.FunctionDef)]
    _run(interpreter, [*body, *functions], scope, module=True)
    found = scope.values.get(function.name)
    if isinstance(found, UserFunction):
        rest = [one for one in below if not isinstance(one, ast.FunctionDef)]
        scope = _inside(interpreter, found, _arguments(interpreter, found, rest))
    return Names(interpreter, scope)


def _next_block(lines: list[str]) -> list[str]:
    """What comes after the block that the lines begin in."""
    for index, line in enumerate(lines):
        if line[:1].isalpha() or line[:1] in {"@", "_"}:
            return lines[index:]
    return []


def _readable(lines: list[str]) -> list[ast.stmt]:
    """The statements of the lines, those lines left out that make no sense. The last line always does."""
    for _ in range(_MAX_LEFT_OUT):
        try:
            return list(parse("\n".join(lines)).tree.body)
        except CompileError as error:
            at = min(max(error.errors[0].line, 1), len(lines)) - 1
            if at == len(lines) - 1 or not lines[at].strip():
                # What is wrong is above.
                at = next((index for index in range(len(lines) - 2, -1, -1) if lines[index].strip()), -1)
                if at < 0:
                    break
            lines[at] = ""
    return []


def _run(interpreter: Interpreter, body: Sequence[ast.stmt], scope: Scope, *, module: bool = False) -> None:
    """Runs statements one by one; errors are no news here, and leave names what they were."""
    for statement in body:
        before = dict(scope.values)
        try:
            interpreter.block([statement], scope, module=module)
        except (Stop, RecursionError):
            return
        interpreter.diagnostics.clear()
        for name, value in scope.values.items():
            if value is POISON:
                scope.values[name] = before.get(name, POISON)


def _inside(interpreter: Interpreter, function: UserFunction, arguments: Mapping[str, Any]) -> Scope:
    """The scope at the end of a function's unfinished body."""
    inner = Scope(dict(arguments), function.scope)
    body = [one for one in function.definition.body[:-1] if not isinstance(one, ast.Return)]
    _run(interpreter, body, inner)
    return inner


def _arguments(interpreter: _Recording, function: UserFunction, rest: list[ast.stmt]) -> dict[str, Any]:
    """Values that stand for a function's arguments: what the script calls it with, otherwise one of their type."""
    values = {name: _sample(function, name) for name in function.parameters}
    if any(value is POISON for value in values.values()):
        interpreter.wanted = function.name
        for other in [one for one in interpreter.globals.values.values() if isinstance(one, UserFunction)]:
            if interpreter.given:
                break
            if other is not function and not other.foreign:
                samples = {name: _sample(other, name) for name in other.parameters}
                _run(interpreter, other.definition.body, Scope(samples, other.scope))
        if not interpreter.given:
            _run(interpreter, rest, interpreter.globals, module=True)
        interpreter.wanted = ""
        values |= {name: value for name, value in interpreter.given.items() if name in values}
    return values


def _sample(function: UserFunction, name: str) -> Any:
    """A value of an argument's type; text is a time, which is what most text is used as."""
    if function.defaults.get(name) is not None:
        return function.defaults[name]
    annotation = function.annotations.get(name)
    if not isinstance(annotation, TypeValue) or annotation.type is None or annotation.type.data is DataType.UINT128:
        return POISON
    value = "-5m" if annotation.type.data is DataType.STRING else _SAMPLES[annotation.type.data]
    return literal(value, annotation.type)
