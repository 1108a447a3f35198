"""Completion and hover for PxL, for every editor and prompt: `complete` and `hover`.

Places count from 1, as in the compiler's errors: `column` is where the next character would stand, in characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sylph.editor import strings
from sylph.editor.cursor import Cursor, cursor_at, line_at, primary_before
from sylph.editor.describe import Item, Kind, columns, method, named, registered, signature
from sylph.editor.names import Names, names_at
from sylph.functions.registry import AGGREGATES, SCALARS, TABLE_FUNCTIONS
from sylph.pxl.dataframe import methods
from sylph.pxl.modules import MODULES
from sylph.pxl.values import Builtin, Frame, Grouped, Module, UserFunction
from sylph.tables import TABLES
from sylph.tables.declare import Table

__all__ = ["Completion", "Hover", "Kind", "complete", "hover"]

_KEYWORDS = ("and", "def", "else", "False", "from", "if", "import", "in", "None", "not", "or", "return", "True")
_IMPORT = re.compile(r"\s*(?:import|from)\s+[\w.]*\Z")
_IMPORT_NAMES = re.compile(r"\s*from\s+(\w+)\s+import\s+(?:\w+\s*,\s*)*\w*\Z")
_IDENTIFIER = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class Completion:
    """What can be written at the cursor. `start` is the column where what it replaces begins."""

    label: str
    kind: Kind
    detail: str
    doc: str
    start: int


@dataclass(frozen=True, slots=True)
class Hover:
    """What is known of the name under the cursor, which is written in columns `start` to `end` (behind its last)."""

    label: str
    kind: Kind
    detail: str
    doc: str
    start: int
    end: int


def complete(source: str, line: int, column: int, schema: Mapping[str, Table] = TABLES) -> list[Completion]:
    """What can follow at a place of an unfinished script, best first. `schema` holds the tables by name.

    Never raises for what a script's text is; a place that is not in it gives nothing.
    """
    cursor = cursor_at(source, line, column)
    if cursor is None or cursor.comment:
        return []
    word = cursor.word
    start = column - len(word)
    found = _matching(_items(cursor, source, schema), word)
    return [Completion(item.label, item.kind, item.detail, item.doc, start) for item in found]


def hover(source: str, line: int, column: int, schema: Mapping[str, Table] = TABLES) -> Hover | None:
    """What is known of the name at a place, or None."""
    text = line_at(source, line)
    if text is None:
        return None
    at = next((one for one in _IDENTIFIER.finditer(text) if one.start() < column <= one.end() + 1), None)
    if at is None:
        return None
    cursor = cursor_at(source, line, at.end() + 1)
    if cursor is None or cursor.comment:
        return None
    start, end, word = at.start() + 1, at.end() + 1, at.group()
    if cursor.string is not None:
        # A script's id has slashes and a time a sign, so all of the string is the name.
        rest = re.match(r"[^'\"\n]*", text[at.end() :])
        word = cursor.word + (rest.group() if rest else "")
        start, end = end - len(cursor.word), end + len(word) - len(cursor.word)
    wanted = (word, f"{word}=") if cursor.string is None else (word,)
    item = next((item for item in _items(cursor, source, schema) if item.label in wanted), None)
    return None if item is None else Hover(item.label.rstrip("="), item.kind, item.detail, item.doc, start, end)


def _matching(items: Iterable[Item], word: str) -> list[Item]:
    """Items that begin with `word`; private ones only when it begins so."""
    lower = word.lower()
    seen: set[str] = set()
    found = []
    for item in items:
        if not item.label.lower().startswith(lower) or item.label in seen:
            continue
        if word.startswith("_") or not item.label.startswith("_"):
            seen.add(item.label)
            found.append(item)
    # What is spelt as typed comes before what differs in case.
    return sorted(found, key=lambda item: not item.label.startswith(word))


def _items(cursor: Cursor, source: str, tables: Mapping[str, Table]) -> Iterator[Item]:
    last = cursor.text.count("\n") + 1
    names = names_at(source, last, last - cursor.text.count("\n", cursor.statement), cursor.indent, tables)
    if cursor.string is not None:
        yield from strings.items(cursor, names, tables)
        return
    before = cursor.text[: len(cursor.text) - len(cursor.word)]
    statement = cursor.text[cursor.statement :]
    if _IMPORT.match(statement):
        for name in MODULES:
            yield Item(name, Kind.MODULE)
        return
    if imported := _IMPORT_NAMES.match(statement):
        yield from _imported(imported.group(1), tables)
        return
    if before.endswith("."):
        receiver = primary_before(before, len(before) - 1, cursor.statement)
        if receiver:
            yield from _members(names.value(receiver), tables, aggregates=_in_aggregation(cursor, names))
        return
    if before[-1:].isdigit():
        return
    yield from _arguments(cursor, names)
    for name, value in names.all().items():
        yield named(name, value)
    for word in _KEYWORDS:
        yield Item(word, Kind.KEYWORD)


def _imported(module: str, tables: Mapping[str, Table]) -> Iterator[Item]:
    if module in MODULES:
        names = names_at(f"import {module}\n", 2, 2, "", tables)
        yield from _members(names.value(module), tables, aggregates=False)


def _members(value: Any, tables: Mapping[str, Table], *, aggregates: bool) -> Iterator[Item]:
    match value:
        case Frame():
            yield from columns(value, tables)
            yield method("ctx")
            for name in methods():
                yield method(name)
        case Grouped():
            yield Item("agg", Kind.METHOD, signature("px.frame.Grouped.agg") or "agg(**outputs)", _AGG)
            if not value.window:
                yield Item("rolling", Kind.METHOD, signature("px.frame.Grouped.rolling") or "rolling(window)")
            elif not value.groups:
                yield Item("groupby", Kind.METHOD, signature("px.frame.Rolling.groupby") or "groupby(by)")
        case Module() if value.name == "px" and aggregates:
            for name in AGGREGATES:
                yield registered(name)
        case Module():
            for name in value.names():
                yield _module_member(value, name)


#: `agg` of a grouped DataFrame means what it means on a DataFrame, a group at a time.
_AGG = "One row for each group: the group's columns, then each output in order."


def _module_member(module: Module, name: str) -> Item:
    if module.name == "px" and (name in SCALARS or name in AGGREGATES or name in TABLE_FUNCTIONS):
        return registered(name)
    return named(name, module.attributes.get(name))


def _in_aggregation(cursor: Cursor, names: Names) -> bool:
    """Whether the cursor is in a tuple that is given to agg()."""
    if len(cursor.brackets) < 2 or cursor.brackets[-1].character != "(" or cursor.brackets[-2].character != "(":
        return False
    if primary_before(cursor.text, cursor.brackets[-1].offset, cursor.statement):
        return False
    function = names.callee(primary_before(cursor.text, cursor.brackets[-2].offset, cursor.statement))
    return isinstance(function, Builtin) and function.name == "DataFrame.agg"


def _arguments(cursor: Cursor, names: Names) -> Iterator[Item]:
    """Names of the arguments of the call that the cursor is in."""
    if not cursor.brackets or cursor.brackets[-1].character != "(" or cursor.brackets[-1].keyword:
        return
    bracket = cursor.brackets[-1]
    if cursor.text[bracket.argument :].strip() != cursor.word:
        return
    callee = primary_before(cursor.text, bracket.offset, cursor.statement)
    if not callee or cursor.text[cursor.statement :].lstrip().startswith("def "):
        return
    function = names.callee(callee)
    written = re.findall(r"[(,]\s*([^\W\d]\w*)\s*=(?!=)", cursor.text[bracket.offset :])
    if isinstance(function, Builtin):
        parameters = [one.name for one in function.parameters]
    elif isinstance(function, UserFunction):
        parameters = list(function.parameters)
    else:
        return
    detail = named(callee.rpartition(".")[2], function).detail
    for name in parameters[bracket.position :]:
        if name not in written:
            yield Item(f"{name}=", Kind.ARGUMENT, detail)
