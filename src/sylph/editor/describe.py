"""Names and values of a script as an editor shows them: what kind, one line of detail, documentation."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import ModuleType
from typing import Any

from sylph.functions.registry import AGGREGATES, TABLE_FUNCTIONS
from sylph.plan.nodes import Source
from sylph.plan.walk import postorder
from sylph.pxl.entry import annotation_text
from sylph.pxl.values import Builtin, Context, Frame, FunctionValue, Grouped, Module, Scalar, TypeValue, UserFunction
from sylph.tables.declare import Table
from sylph.tables.types import ColumnType, SemanticType


class Kind(StrEnum):
    """What a completion is."""

    AGGREGATE = "aggregate"
    ARGUMENT = "argument"
    COLUMN = "column"
    FUNCTION = "function"
    KEY = "key"
    KEYWORD = "keyword"
    METHOD = "method"
    MODULE = "module"
    PROPERTY = "property"
    SCRIPT = "script"
    TABLE = "table"
    TABLE_FUNCTION = "table function"
    TYPE = "type"
    VALUE = "value"
    VARIABLE = "variable"


@dataclass(frozen=True, slots=True)
class Item:
    """Something that can be named; `detail` is one line, `doc` text for people, either may be empty."""

    label: str
    kind: Kind
    detail: str = ""
    doc: str = ""


def type_text(type_: ColumnType) -> str:
    """A column's type: `INT64`, or `INT64, ST_BYTES`."""
    meaning = type_.semantic
    plain = meaning in {SemanticType.ST_NONE, SemanticType.ST_UNSPECIFIED}
    return type_.data.name if plain else f"{type_.data.name}, {meaning.name}"


def table(found: Table) -> Item:
    """A table with its columns."""
    columns = "\n".join(f"- {column.name}: {type_text(column.type)}" for column in found.columns)
    return Item(found.name, Kind.TABLE, f"{len(found.columns)} columns", f"{found.description}\n\n{columns}")


def columns(frame: Frame, tables: Mapping[str, Table]) -> Iterator[Item]:
    """The columns of a DataFrame, described as in the table they come from."""
    known: dict[str, tuple[ColumnType, str]] = {}
    for node in postorder([frame.node]):
        if isinstance(node, Source) and node.table in tables:
            for column in tables[node.table].columns:
                known.setdefault(column.name, (column.type, column.description))
    for name, reference in frame.columns.items():
        type_, doc = known.get(name, (None, ""))
        yield Item(name, Kind.COLUMN, type_text(reference.type), doc if type_ == reference.type else "")


def named(name: str, value: Any) -> Item:
    """A name of a script, such as a variable, a function or a module."""
    match value:
        case Module():
            return Item(name, Kind.MODULE, "", _first_paragraph(_python(value.name)))
        case FunctionValue():
            return registered(value.name, name)
        case Builtin():
            return Item(name, _builtin_kind(value), *_builtin_text(name, value))
        case UserFunction():
            return Item(name, Kind.FUNCTION, _user_signature(value), _docstring(value))
        case TypeValue():
            return Item(name, Kind.TYPE, "type" if value.type is None else type_text(value.type))
        case Frame():
            return Item(name, Kind.VARIABLE, f"DataFrame, {len(value.columns)} columns", ", ".join(value.columns))
        case Grouped():
            return Item(name, Kind.VARIABLE, f"DataFrame grouped by {', '.join(value.groups) or 'nothing'}")
        case Context():
            return Item(name, Kind.PROPERTY, "ctx", inspect.getdoc(_python("px.DataFrame.ctx")) or "")
        case Scalar():
            constant = value.literal
            return Item(name, Kind.VARIABLE, type_text(value.type), "" if constant is None else repr(constant))
    return Item(name, Kind.VARIABLE)


def registered(name: str, label: str = "") -> Item:
    """A function of the registry: scalar, aggregate or table function."""
    kind = Kind.AGGREGATE if name in AGGREGATES else Kind.TABLE_FUNCTION if name in TABLE_FUNCTIONS else Kind.FUNCTION
    # In Markdown indentation alone makes code of them.
    doc = (inspect.getdoc(_python(f"px.{name}")) or "").replace("\nExamples::\n", "\nExamples:\n")
    return Item(label or name, kind, signature(f"px.{name}"), doc)


def method(name: str) -> Item:
    """A method of DataFrame."""
    found = _python(f"px.DataFrame.{name}")
    kind = Kind.PROPERTY if isinstance(found, property) else Kind.METHOD
    return Item(name, kind, signature(f"px.DataFrame.{name}"), inspect.getdoc(found) or "")


def signature(path: str) -> str:
    """The signature of a name of the typed package, such as `px.DataFrame.head`; "" when it has none."""
    found = _python(path)
    if isinstance(found, type):
        found = vars(found).get("__init__")
    if not inspect.isfunction(found):
        return ""
    text = inspect.signature(found)
    shown = [one for one in text.parameters.values() if one.name != "self" and not one.name.startswith("_")]
    back = "" if path.endswith("DataFrame") else f" -> {text.return_annotation}"
    return f"{path.rpartition('.')[2]}({', '.join(map(_parameter, shown))}){back}"


def _parameter(one: inspect.Parameter) -> str:
    star = "**" if one.kind is one.VAR_KEYWORD else "*" if one.kind is one.VAR_POSITIONAL else ""
    text = f"{star}{one.name}"
    if one.annotation is not one.empty:
        text += f": {one.annotation}"
    return text if one.default is one.empty else f"{text} = {one.default!r}"


def _python(path: str) -> Any:
    """What the typed packages have under a name; None when nothing."""
    import px
    import pxconfig
    import pxtrace
    import pxviews

    module, *names = path.split(".")
    found: Any = {"px": px, "pxconfig": pxconfig, "pxtrace": pxtrace, "pxviews": pxviews}.get(module)
    for name in names:
        # Modules and classes only: an instance's attributes could be anything.
        found = vars(found).get(name) if isinstance(found, ModuleType | type) else None
    return found


def _first_paragraph(found: Any) -> str:
    return (inspect.getdoc(found) or "").split("\n\n")[0]


def _builtin_kind(value: Builtin) -> Kind:
    if value.name.startswith("DataFrame."):
        return Kind.METHOD
    return Kind.TABLE_FUNCTION if value.name in TABLE_FUNCTIONS else Kind.FUNCTION


def _builtin_text(name: str, value: Builtin) -> tuple[str, str]:
    for path in (f"px.{value.name}", f"pxtrace.{value.name}", f"pxconfig.{value.name}", f"px.{name}"):
        found = _python(path)
        if inspect.isfunction(found) or isinstance(found, type):
            return signature(path), inspect.getdoc(found) or ""
    return f"{name}({', '.join(one.name for one in value.parameters)})", ""


def _user_signature(function: UserFunction) -> str:
    written = {one.arg: annotation_text(one.annotation) for one in function.definition.args.args}
    shown = []
    for name in function.parameters:
        text = f"{name}: {written[name]}" if written.get(name) else name
        default = function.defaults.get(name)
        if isinstance(default, Scalar) and default.literal is not None:
            text += f" = {default.literal!r}" if written.get(name) else f"={default.literal!r}"
        shown.append(text)
    return f"{function.name}({', '.join(shown)})"


def _docstring(function: UserFunction) -> str:
    return ast.get_docstring(function.definition) or ""
