"""A Python function written over `px` as the text of a script, each line with where it came from."""

from __future__ import annotations

import ast
import inspect
import io
import math
import operator
import sys
import uuid
from collections import ChainMap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import FunctionType, ModuleType
from typing import Any

from sylph.client.errors import CompileError, ErrorAt, Problem, SylphError, shown_file
from sylph.client.excerpt import render_one
from sylph.client.python_typing import without_typing

#: Names of the script's own, which no function has.
_PX, _RESULT = "_sylph_px", "_sylph_result"
_BUILTINS = {"str": str, "int": int, "float": float, "bool": bool, "list": list}
_MODULES = ("px", "pxtrace", "pxviews", "pxconfig")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a line of the script was written; `removed` characters were taken off its left side.

    A line that was written for another one has the `column` of what it stands for, else 0.
    """

    file: str
    line: int
    removed: int
    text: str
    column: int = 0


@dataclass(slots=True)
class Composed:
    """A script made of Python functions; `places` has an item a line, None for lines that nobody wrote."""

    name: str
    lines: list[str] = field(default_factory=list)
    places: list[Place | None] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The script."""
        return "\n".join(self.lines) + "\n"

    def add(self, line: str, place: Place | None = None) -> None:
        """Adds a line."""
        self.lines.append(line)
        self.places.append(place)

    def problem(self, error: ErrorAt) -> Problem:
        """An error of the script where its line was written."""
        place = self.places[error.line - 1] if 1 <= error.line <= len(self.places) else None
        if place is None:
            return Problem(self.name, 0, 0, error.message, error.hint)
        column = place.column or error.column + place.removed
        return Problem(place.file, place.line, column, error.message, error.hint, place.text)


def compose(function: Callable[..., Any], arguments: Mapping[str, Any]) -> Composed:
    """A script that calls `function` with `arguments` and shows what it returns as a table of its name.

    Functions, constants and modules of PxL that it uses are taken along. Raises SylphError for what PxL cannot have.
    """
    function = inspect.unwrap(function)
    if not isinstance(function, FunctionType):
        raise SylphError(f"{function!r} is not a function that is written in Python", "give a function made with def")
    composed = Composed(function.__name__)
    composer = _Composer(composed)
    composer.call(function, *composer.function(function), arguments)
    return composed


class _Composer:
    def __init__(self, composed: Composed) -> None:
        self._out = composed
        self._names: dict[str, object] = {}
        composed.add(f"import px as {_PX}")

    def function(self, function: FunctionType) -> tuple[ast.FunctionDef, list[Place]]:
        """Adds a function, behind all that it uses; its tree, and where its lines were written."""
        lines, first = _source(function)
        removed = len(lines[0]) - len(lines[0].lstrip(" \t"))
        text = "".join(line[removed:] if not line[:removed].strip() else line for line in lines)
        scope = _scope(function)
        text = without_typing(text, _definition(function, text), lambda annotation: _is_type(annotation, scope))
        definition = _definition(function, text)
        file = shown_file(function.__code__.co_filename)
        places = [Place(file, first + index, removed, line.rstrip("\r\n")) for index, line in enumerate(lines)]
        for name in _free_names(definition):
            self._bring(name, scope, places[name.lineno - 1])
        for line, place in zip(io.StringIO(text).readlines(), places, strict=True):
            self._out.add(line.rstrip("\r\n"), place)
        return definition, places

    def call(
        self, function: FunctionType, definition: ast.FunctionDef, places: list[Place], arguments: Mapping[str, Any]
    ) -> None:
        """Adds the call, and what shows its result, whose errors are those of the `return`."""
        known = {one.arg: ast.unparse(one.annotation) if one.annotation else "" for one in definition.args.args}
        for name in arguments:
            if name not in known:
                takes = f"it takes {', '.join(known)}" if known else "it takes none"
                raise SylphError(f"{function.__name__}() has no argument {name!r}", takes)
        needed = list(known)[: len(known) - len(definition.args.defaults)]
        if missing := [name for name in needed if name not in arguments]:
            example = ", ".join(f"{name}=..." for name in missing)
            raise SylphError(f"{function.__name__}() needs {', '.join(missing)}", f"give it: run(function, {example})")
        texts = [f"{name}={argument_text(name, value, known[name])}" for name, value in arguments.items()]
        call = f"{function.__name__}({', '.join(texts)})"
        last = next((one for one in definition.body if isinstance(one, ast.Return)), None)
        returned = last.value if last is not None else None
        if last is None or returned is None or (isinstance(returned, ast.Constant) and returned.value is None):
            self._out.add(call)
            return
        at = places[last.lineno - 1]
        place = replace(at, column=returned.col_offset + at.removed + 1)
        self._out.add(f"{_RESULT} = {call}")
        if isinstance(returned, (ast.Tuple, ast.List)):
            for index in range(len(returned.elts)):
                self._out.add(f"{_PX}.display({_RESULT}[{index}], '{function.__name__}[{index}]')", place)
        else:
            self._out.add(f"{_PX}.display({_RESULT}, {function.__name__!r})", place)

    def _bring(self, name: ast.Name, scope: Mapping[str, object], place: Place) -> None:
        """Adds what a name stands for that a function uses; the compiler says what is wrong with unknown ones."""
        value = scope.get(name.id, name)
        if value is name or _BUILTINS.get(name.id) is value:
            return
        if name.id in self._names:
            if self._names[name.id] is not value:
                raise _refused(f"'{name.id}' means different things in functions that use one another", "", name, place)
            return
        self._names[name.id] = value
        if imported := _import(name.id, value):
            self._out.add(imported, place)
        elif isinstance(value, FunctionType):
            self.function(value)
            if value.__name__ != name.id:
                self._out.add(f"{name.id} = {value.__name__}", place)
        else:
            try:
                text = literal_text(value)
            except ValueError as error:
                hint = "a script is compiled: it can use text, numbers, lists of them, functions and px"
                raise _refused(f"'{name.id}' is {error}, which PxL does not have", hint, name, place) from None
            self._out.add(f"{name.id} = {text}", place)


def _source(function: FunctionType) -> tuple[list[str], int]:
    try:
        return inspect.getsourcelines(function)
    except (OSError, TypeError):
        raise SylphError(
            f"the source of {function.__name__}() is not known",
            "define it in a file or a notebook's cell, or give PxL text",
        ) from None


def _definition(function: FunctionType, text: str) -> ast.FunctionDef:
    try:
        body = ast.parse(text).body
    except SyntaxError:
        body = []
    if len(body) != 1 or not isinstance(body[0], ast.FunctionDef):
        what = "a lambda" if function.__name__ == "<lambda>" else f"{function.__name__}()"
        raise SylphError(f"{what} cannot be made a script", "write a plain function with def")
    return body[0]


def _scope(function: FunctionType) -> Mapping[str, object]:
    """What names mean in a function that it does not make itself."""
    return ChainMap(dict(inspect.getclosurevars(function).nonlocals), function.__globals__, _BUILTINS)


def _is_type(annotation: ast.expr, scope: Mapping[str, object]) -> bool:
    """Whether an annotation is a type of PxL; Python has many more."""
    px = sys.modules.get("px")
    match annotation:
        case ast.Subscript(value=ast.Name(id=name)):
            return scope.get(name) is list
        case ast.Name(id=name):
            value = scope.get(name)
            # Columns are for type checkers only.
            column = getattr(px, "Column", None)
            return _BUILTINS.get(name) is value or (value is not column and bool(_import(name, value)))
        case ast.Attribute(value=ast.Name(id=name), attr=attribute):
            return scope.get(name) is px and px is not None and attribute != "Column"
    return False


def _free_names(definition: ast.FunctionDef) -> list[ast.Name]:
    """Names that the function uses and does not make, in the order of their first use."""
    outside = [*definition.decorator_list, *definition.args.defaults]
    outside += [one.annotation for one in definition.args.args if one.annotation is not None]
    own = {one.arg for one in definition.args.args}
    inside = [node for statement in definition.body for node in ast.walk(statement)]
    for node in inside:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            own.add(node.id)
        elif isinstance(node, ast.alias):
            own.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, ast.FunctionDef):
            own |= {node.name, *(one.arg for one in node.args.args)}
    found: dict[str, ast.Name] = {}
    for node in [inner for expression in outside for inner in ast.walk(expression)]:
        if isinstance(node, ast.Name):
            found.setdefault(node.id, node)
    for node in inside:
        if isinstance(node, ast.Name) and node.id not in own:
            found.setdefault(node.id, node)
    return list(found.values())


def _import(name: str, value: object) -> str:
    """The import statement that makes `name` what it is in Python, when it is of PxL."""
    if isinstance(value, ModuleType) and value.__name__ in _MODULES:
        return f"import {value.__name__} as {name}"
    for module in _MODULES:
        known = vars(sys.modules[module]) if module in sys.modules else {}
        for candidate in (name, getattr(value, "__name__", "").rpartition(".")[2]):
            # Types are plain Python's under names of their own, such as Bytes for int.
            if candidate in known and known[candidate] is value:
                return f"from {module} import {candidate} as {name}"
    return ""


def _refused(message: str, hint: str, name: ast.Name, place: Place) -> CompileError:
    problem = Problem(place.file, place.line, name.col_offset + place.removed + 1, message, hint, place.text)
    return CompileError([problem], render_one(problem))


def argument_text(name: str, value: object, annotation: str) -> str:
    """A value given in Python as PxL writes it; `annotation` is the parameter's. Raises SylphError."""
    kind = annotation.rpartition(".")[2]
    if kind == "UPID" and isinstance(value, (str, uuid.UUID)):
        return f"{_PX}.uint128({str(value)!r})"
    if isinstance(value, datetime):
        text = repr(time_text(name, value))
        return f"{_PX}.parse_time({text})" if kind == "Time" else text
    if kind == "float" and isinstance(value, int) and not isinstance(value, bool):
        return repr(float(value))
    try:
        return literal_text(value)
    except ValueError as error:
        raise SylphError(f"argument {name!r} is {error}", "give text, a number, a time or a list of them") from None


def time_text(name: str, value: datetime) -> str:
    """A time as PxL reads it, in UTC. Raises SylphError for one without a time zone."""
    if value.tzinfo is None:
        raise SylphError(f"argument {name!r} is a time without a zone", "give it one: datetime.now(UTC)")
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f} +0000"


def literal_text(value: object) -> str:
    """A constant as PxL writes it. Raises ValueError that names what it is."""
    if type(value).__module__ == "numpy" and isinstance(getattr(value, "shape", None), tuple):
        # One of its numbers or texts, or an array of them.
        value = value.tolist()  # type: ignore[attr-defined]
    if value is None or isinstance(value, bool):
        return repr(value)
    if isinstance(value, str):
        # Without what a class of its own writes, such as an enumeration.
        return repr(str.__str__(value))
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"the number {value}")
        return repr(float(value))
    if isinstance(value, (list, tuple)):
        inner = ", ".join(literal_text(item) for item in value)
        return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' if len(value) == 1 else ''})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal_text(key)}: {literal_text(item)}" for key, item in value.items()) + "}"
    try:
        return repr(operator.index(value))  # type: ignore[arg-type]
    except TypeError:
        kind = type(value)
        module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
        raise ValueError(f"of type {module}{kind.__qualname__}") from None
