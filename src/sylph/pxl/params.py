"""`px.param`: arguments that a script declares where it uses them, and how their values travel with its text.

A client adds a line `#px:param name="value"` for each value at the end of the script: lines in errors stay those
of the script, and any client of the API can do it. The value is JSON text.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sylph.pxl.arguments import optional, required, string
from sylph.pxl.entry import convert
from sylph.pxl.errors import CompileError, Kind, suggestion
from sylph.pxl.parse import parse
from sylph.pxl.values import POISON, Bound, Fault, Poisoned, Scalar, TypeValue, article, describe, literal

if TYPE_CHECKING:
    from sylph.pxl.interpreter import Interpreter

PREFIX = "#px:param"
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")

PARAM_PARAMETERS = (*required("name"), *optional(default=None, type=None, description=literal("")))


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter as its call is written: `type` as in `px.Pod` or `int`, "" if unknown; `default` as text.

    Without a default (None) it must be given.
    """

    name: str
    type: str
    default: str | None
    description: str


def with_values(source: str, values: Mapping[str, str]) -> str:
    """The script with values for its parameters."""
    lines = [f"{PREFIX} {name}={json.dumps(value)}" for name, value in values.items()]
    return "\n".join([source, *lines, ""]) if lines else source


def declared(source: str) -> list[Param]:
    """The parameters of a script, in order, without compiling it; of a script that cannot be read, none."""
    if "param" not in source:
        return []
    try:
        tree = parse(source).tree
    except CompileError:
        return []
    modules: set[str] = set()
    functions: set[str] = set()
    found: dict[str, Param] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules.update(alias.asname or alias.name for alias in node.names if alias.name == "px")
        elif isinstance(node, ast.ImportFrom) and node.module == "px":
            functions.update(alias.asname or alias.name for alias in node.names if alias.name == "param")
    # ast.walk goes level by level; arguments are listed as they are read.
    calls = sorted((node for node in ast.walk(tree) if isinstance(node, ast.Call)), key=lambda node: node.lineno)
    for call in calls:
        callee = call.func
        if isinstance(callee, ast.Attribute):
            named = callee.attr == "param" and isinstance(callee.value, ast.Name) and callee.value.id in modules
        else:
            named = isinstance(callee, ast.Name) and callee.id in functions
        param = _param(call) if named else None
        if param is not None:
            found.setdefault(param.name, param)
    return list(found.values())


def _param(call: ast.Call) -> Param | None:
    names = ("name", "default", "type", "description")
    given: dict[str | None, ast.expr] = dict(zip(names, call.args, strict=False))
    given.update((keyword.arg, keyword.value) for keyword in call.keywords)
    name = given.get("name")
    if not (isinstance(name, ast.Constant) and isinstance(name.value, str) and NAME.fullmatch(name.value)):
        return None
    description, default = given.get("description"), given.get("default")
    if isinstance(default, ast.Constant) and default.value is None:
        default = None
    type_ = _source(given["type"]) if "type" in given else _type_of(default)
    text = description.value if isinstance(description, ast.Constant) else ""
    return Param(
        name.value, type_, None if default is None else _default(default), text if isinstance(text, str) else ""
    )


def _type_of(default: ast.expr | None) -> str:
    if isinstance(default, (ast.List, ast.Tuple)):
        return "list"
    if isinstance(default, ast.UnaryOp):
        default = default.operand
    if isinstance(default, ast.Constant):
        return type(default.value).__name__
    # Computed: what it is, is known when the script is compiled.
    return "str" if default is None else ""


def _default(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return _source(node)


def _source(node: ast.expr) -> str:
    try:
        return ast.unparse(node)
    except RecursionError:
        return "?"


def parse_line(line: str) -> tuple[str, str] | None:
    """Name and value in a line that begins with PREFIX; None for a line that is malformed."""
    match = re.fullmatch(rf"{PREFIX} ({NAME.pattern})=(.*)", line.rstrip())
    if match is None:
        return None
    try:
        value = json.loads(match[2])
    except (ValueError, RecursionError):
        return None
    return (match[1], value) if isinstance(value, str) else None


def param(bound: Bound) -> Any:
    """`px.param(name, default, type, description)`: the value that was given, else the default."""
    interpreter, name = bound.interpreter, string(bound, "name")
    if not NAME.fullmatch(name):
        hint = "use letters, digits and '_'"
        raise Fault(f"'{name[:60]}' cannot be the name of a parameter", Kind.CALL, hint, bound.node("name"))
    string(bound, "description")
    default, type_ = bound.values["default"], _type(bound)
    _check_default(bound, name, type_)
    known = interpreter.params_declared.setdefault(name, (type_.name, _plain(default)))
    if known != (type_.name, _plain(default)):
        hint = "declare it once, and use the name that it is assigned to"
        raise Fault(f"parameter '{name}' is declared twice, with another type or default", Kind.CALL, hint)
    text = interpreter.params.get(name)
    if text is not None:
        return convert(interpreter, name, text, type_)
    if default is None:
        raise Fault(f"parameter '{name}' must be given", Kind.EXEC_FUNCS, f"px run SCRIPT -- --{name} VALUE")
    return default


def _type(bound: Bound) -> TypeValue:
    """The parameter's type: as given, else that of its default, else text."""
    given, default = bound.values["type"], bound.values["default"]
    if given is not None:
        if not isinstance(given, TypeValue):
            message = f"'type' must be a type such as int or px.Pod, not {article(given)}"
            raise Fault(message, Kind.TYPE, "", bound.node("type"))
        return given
    if isinstance(default, (list, tuple)):
        return TypeValue("list", None)
    if isinstance(default, Scalar):
        return TypeValue(default.type.data.name, default.type)
    return TypeValue("str", literal("").type)


def _check_default(bound: Bound, name: str, type_: TypeValue) -> None:
    default = bound.values["default"]
    if default is None:
        return
    if isinstance(default, (list, tuple)):
        if any(item is POISON for item in default):
            raise Poisoned
        fits = type_.type is None
    else:
        constant = isinstance(default, Scalar) and default.literal is not None
        if not constant:
            hint = "a parameter is one value for the whole script"
            message = f"the default of '{name}' must be a literal, not {article(default)}"
            raise Fault(message, Kind.CALL, hint, bound.node("default"))
        fits = type_.type is not None and type_.type.data is default.type.data
    if not fits:
        message = f"the default of parameter '{name}' is {article(default)}, its type is {type_.name}"
        raise Fault(message, Kind.TYPE, "", bound.node("default"))


def _plain(value: Any) -> object:
    """A default as something to compare: literals by type and value."""
    if isinstance(value, (list, tuple)):
        return tuple(map(_plain, value))
    return (describe(value), value.literal) if isinstance(value, Scalar) else describe(value)


def check_known(interpreter: Interpreter, source: str) -> Fault | None:
    """What is wrong with the names of the values that were given; None if nothing is."""
    names = {*interpreter.params_declared, *(one.name for one in declared(source))}
    for name in interpreter.params:
        if name not in names:
            listed = f"parameters are {', '.join(sorted(names))}" if names else "it declares none"
            return Fault(f"the script has no parameter '{name}'", Kind.EXEC_FUNCS, suggestion(name, names) or listed)
    return None
