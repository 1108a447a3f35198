"""`vis.json`: the variables of a script, its functions to run, and how their results are shown.

The format is the proto3 JSON of Pixie's `vis.proto`: lowerCamelCase names, 64-bit integers as numbers or strings.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any

from sylph.pxl.entry import ExecFunc
from sylph.pxl.errors import suggestion
from sylph.pxl.vis_widgets import WIDGET_PREFIX, check_display
from sylph.pxl.words import truth

#: A vis.json larger than this is not one that a person wrote.
MAX_BYTES = 1024 * 1024


class VisError(ValueError):
    """What is wrong with a vis.json, or with arguments given for it. `path` is where: `widgets[2].position.x`."""

    def __init__(self, path: str, message: str, hint: str = "") -> None:
        self.path = path
        self.message = message
        self.hint = hint
        text = f"{path}: {message}" if path else message
        super().__init__(f"{text} ({hint})" if hint else text)


class PXType(Enum):
    """Type of a variable, with its number in the protobuf."""

    PX_UNKNOWN = 0
    PX_BOOLEAN = 1
    PX_INT64 = 2
    PX_FLOAT64 = 3
    PX_STRING = 4
    PX_SERVICE = 1000
    PX_POD = 1001
    PX_CONTAINER = 1002
    PX_NAMESPACE = 1003
    PX_NODE = 1004
    PX_LIST = 2000
    PX_STRING_LIST = 2001


@dataclass(frozen=True, slots=True)
class Variable:
    """An argument of the script. `default` None: it must be given; "": it may be left empty."""

    name: str
    type: PXType
    default: str | None = None
    description: str = ""
    valid_values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FuncArg:
    """An argument of a function: a fixed text, or the value of a variable."""

    name: str
    value: str = ""
    variable: str | None = None


@dataclass(frozen=True, slots=True)
class Func:
    """A call of a function of the script."""

    name: str
    args: tuple[FuncArg, ...] = ()


@dataclass(frozen=True, slots=True)
class GlobalFunc:
    """A call whose result several widgets show."""

    output_name: str
    func: Func


@dataclass(frozen=True, slots=True)
class Position:
    """Place on a grid 12 columns wide."""

    x: int
    y: int
    w: int
    h: int


@dataclass(frozen=True, slots=True)
class Widget:
    """What shows one result: that of its own `func`, or a global one by name. `display` is its spec as written."""

    name: str
    position: Position | None
    func: Func | None
    global_func_output_name: str | None
    kind: str
    display: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Vis:
    """A whole vis.json."""

    variables: tuple[Variable, ...] = ()
    widgets: tuple[Widget, ...] = ()
    global_funcs: tuple[GlobalFunc, ...] = ()

    def exec_funcs(self, args: Mapping[str, str]) -> list[ExecFunc]:
        """The calls to run for the given arguments, in the order of global functions, then widgets.

        Tables are named after the global output or the widget. Raises VisError for an argument that is unknown,
        missing, or not of its type.
        """
        values = self.values(args)
        calls = [_call(item.func, item.output_name, values) for item in self.global_funcs]
        calls += [
            _call(widget.func, widget.name or f"widget_{position}", values)
            for position, widget in enumerate(self.widgets)
            if widget.func is not None
        ]
        return calls

    def values(self, args: Mapping[str, str]) -> dict[str, str]:
        """Every variable with its value: as given, else its default. Raises VisError."""
        names = [variable.name for variable in self.variables]
        for name in args:
            if name not in names:
                hint = suggestion(name, names) or (f"arguments are {', '.join(names)}" if names else "it takes none")
                raise VisError("", f"the script has no argument '{name[:80]}'", hint)
        values = {}
        for variable in self.variables:
            value = args.get(variable.name, variable.default)
            if value is None:
                hint = variable.description or f"give it as --{variable.name} VALUE"
                raise VisError("", f"argument '{variable.name}' must be given", hint)
            _check_value(variable, value)
            values[variable.name] = value
        return values


def load_vis(text: str | bytes) -> Vis:
    """Read a vis.json. An empty text is a script without one. Raises VisError with the path inside the JSON."""
    if len(text) > MAX_BYTES:
        raise VisError("", f"the file is larger than {MAX_BYTES:,} bytes")
    if not text.strip():
        return Vis()
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise VisError("", f"this is not JSON: {error}") from None
    top = _Reader(data, "")
    top.only("variables", "widgets", "globalFuncs")
    variables = tuple(_variable(item) for item in top.items("variables"))
    known = tuple(variable.name for variable in variables)
    _check_unique(known, "variables")
    global_funcs = tuple(_global_func(item, known) for item in top.items("globalFuncs"))
    outputs = [item.output_name for item in global_funcs]
    for position, name in enumerate(outputs):
        if name in outputs[:position]:
            raise VisError(f"globalFuncs[{position}].outputName", f"'{name}' is used twice")
    widgets = tuple(_widget(item, known, outputs) for item in top.items("widgets"))
    _check_unique([widget.name for widget in widgets], "widgets")
    return Vis(variables, widgets, global_funcs)


def _check_unique(names: Sequence[str], what: str) -> None:
    seen: set[str] = set()
    for position, name in enumerate(names):
        if name and name in seen:
            raise VisError(f"{what}[{position}].name", f"'{name}' is used twice")
        seen.add(name)


class _Reader:
    """An object of the JSON with its path."""

    def __init__(self, data: object, path: str) -> None:
        if not isinstance(data, dict):
            raise VisError(path, f"expected an object, got {_kind(data)}")
        self.data: dict[str, Any] = data
        self.path = path

    def at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def only(self, *names: str) -> None:
        for name in self.data:
            if name not in names:
                raise VisError(self.at(name), "unknown field", suggestion(name, names))

    def get(self, name: str, kind: type, default: Any = None) -> Any:
        value = self.data.get(name)
        if value is None:
            return default
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise VisError(self.at(name), f"expected {_NAMES[kind]}, got {_kind(value)}")
        return value

    def text(self, name: str, *, required: bool = False) -> str:
        value: str = self.get(name, str, "")
        if required and not value:
            raise VisError(self.at(name), "must be given")
        return value

    def integer(self, name: str) -> int:
        value = self.data.get(name)
        if isinstance(value, str) and value.lstrip("-").isdecimal() and len(value) < 12:
            return int(value)
        found: int = self.get(name, int, 0)
        return found

    def items(self, name: str) -> list[_Reader]:
        return [_Reader(item, f"{self.at(name)}[{i}]") for i, item in enumerate(self.get(name, list, []))]

    def child(self, name: str) -> _Reader:
        return _Reader(self.data[name], self.at(name))


_NAMES: Mapping[type, str] = MappingProxyType(
    {str: "a string", int: "a whole number", list: "a list", dict: "an object", bool: "true or false"}
)


def _kind(value: object) -> str:
    return "null" if value is None else _NAMES.get(type(value), "a number")


def _variable(item: _Reader) -> Variable:
    item.only("name", "type", "defaultValue", "description", "validValues")
    kind = item.data.get("type", 0)
    types = {member.value: member for member in PXType}
    if isinstance(kind, str) and kind in PXType.__members__:
        type_ = PXType[kind]
    elif isinstance(kind, int) and kind in types:
        type_ = types[kind]
    else:
        hint = suggestion(str(kind), PXType.__members__) or f"types are {', '.join(PXType.__members__)}"
        raise VisError(item.at("type"), f"unknown type '{str(kind)[:60]}'", hint)
    valid = item.get("validValues", list, [])
    for position, value in enumerate(valid):
        if not isinstance(value, str):
            raise VisError(f"{item.at('validValues')}[{position}]", f"expected a string, got {_kind(value)}")
    default = item.get("defaultValue", str)
    variable = Variable(item.text("name", required=True), type_, default, item.text("description"), tuple(valid))
    if default:
        try:
            _check_value(variable, default)
        except VisError as error:
            raise VisError(item.at("defaultValue"), error.message, error.hint) from None
    return variable


def _func(item: _Reader, known: tuple[str, ...]) -> Func:
    item.only("name", "args")
    args = []
    for arg in item.items("args"):
        arg.only("name", "value", "variable")
        variable = arg.get("variable", str)
        if variable is not None and "value" in arg.data:
            raise VisError(arg.path, "an argument has a value or a variable, not both")
        if variable is not None and variable not in known:
            raise VisError(arg.at("variable"), f"there is no variable '{variable[:80]}'", suggestion(variable, known))
        args.append(FuncArg(arg.text("name", required=True), arg.text("value"), variable))
    names = [arg.name for arg in args]
    for position, name in enumerate(names):
        if name in names[:position]:
            raise VisError(f"{item.at('args')}[{position}].name", f"argument '{name}' is given twice")
    return Func(item.text("name", required=True), tuple(args))


def _global_func(item: _Reader, known: tuple[str, ...]) -> GlobalFunc:
    item.only("outputName", "func")
    if "func" not in item.data:
        raise VisError(item.at("func"), "must be given")
    return GlobalFunc(item.text("outputName", required=True), _func(item.child("func"), known))


def _widget(item: _Reader, known: tuple[str, ...], outputs: list[str]) -> Widget:
    item.only("name", "position", "func", "globalFuncOutputName", "displaySpec")
    position = None
    if "position" in item.data:
        place = item.child("position")
        place.only("x", "y", "w", "h")
        position = Position(*(place.integer(name) for name in ("x", "y", "w", "h")))
    output = item.get("globalFuncOutputName", str)
    if output is not None and output not in outputs:
        message = f"there is no global function with the output '{output[:80]}'"
        raise VisError(item.at("globalFuncOutputName"), message, suggestion(output, outputs))
    func = _func(item.child("func"), known) if "func" in item.data else None
    if (func is None) == (output is None):
        raise VisError(item.path, "a widget has one of 'func' and 'globalFuncOutputName'")
    if "displaySpec" not in item.data:
        raise VisError(item.at("displaySpec"), "must be given")
    display = item.child("displaySpec")
    type_url = display.text("@type", required=True)
    problem = check_display(type_url, display.data)
    if problem:
        path, message, hint = problem
        raise VisError(display.at(path), message, hint)
    kind = type_url.rpartition(WIDGET_PREFIX)[2]
    return Widget(item.text("name"), position, func, output, kind, display.data)


def _call(func: Func, output: str, values: Mapping[str, str]) -> ExecFunc:
    args = {arg.name: arg.value if arg.variable is None else values[arg.variable] for arg in func.args}
    return ExecFunc(func.name, output, args)


_NUMBERS: Mapping[PXType, type[int | float]] = MappingProxyType({PXType.PX_INT64: int, PXType.PX_FLOAT64: float})


def _check_value(variable: Variable, value: str) -> None:
    """Raise VisError when text is not of the variable's type, so that the user hears the argument's own name."""
    if variable.valid_values and value not in variable.valid_values:
        hint = suggestion(value, variable.valid_values) or f"values are {', '.join(variable.valid_values)}"
        raise VisError("", f"argument '{variable.name}' cannot be '{value[:60]}'", hint)
    if not value and variable.default == "":
        return
    number = _NUMBERS.get(variable.type)
    if number is not None:
        try:
            number(value)
        except ValueError:
            what = "a whole number" if number is int else "a number"
            raise VisError("", f"argument '{variable.name}' must be {what}, not '{value[:60]}'") from None
    elif variable.type is PXType.PX_BOOLEAN and truth(value) is None:
        raise VisError("", f"argument '{variable.name}' must be true or false, not '{value[:60]}'")
