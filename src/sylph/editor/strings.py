"""What can be written in a string: a table, a column, a key of ctx, a time, a script."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sylph.editor.cursor import Bracket, Cursor, primary_before
from sylph.editor.describe import Item, Kind, columns, table, type_text
from sylph.editor.names import Names
from sylph.pxl.metadata_keys import ALIASES, SOURCES
from sylph.pxl.values import Builtin, Context, Frame, Grouped
from sylph.tables.declare import Table

_TIMES = {"-30s": "30 seconds ago", "-1m": "", "-5m": "", "-15m": "", "-1h": "an hour ago", "-1d": "a day ago"}
_HOW = {
    "inner": "rows whose key is on both sides",
    "left": "all rows of the left side",
    "right": "all rows of the right side",
    "outer": "all rows of both sides",
}
_TABLE = re.compile(r"""\(\s*(?:table\s*=\s*)?['"](\w+)['"]""")


def items(cursor: Cursor, names: Names, tables: Mapping[str, Table]) -> Iterator[Item]:
    """What the string around the cursor may be."""
    for depth in range(len(cursor.brackets) - 1, -1, -1):
        bracket = cursor.brackets[depth]
        before = primary_before(cursor.text, bracket.offset, cursor.statement)
        if not before or before in {"in", "return"}:
            if bracket.character == "{" and bracket.value:
                return
            continue  # a list, tuple or dict of its own: what counts is what it is given to
        if bracket.character == "[":
            yield from _subscript(names.value(before), tables)
        else:
            yield from _argument(cursor, bracket, before, names, tables, nested=depth < len(cursor.brackets) - 1)
        return


def _subscript(value: Any, tables: Mapping[str, Table]) -> Iterator[Item]:
    if isinstance(value, Context):
        yield from keys(value)
    elif isinstance(value, Frame):
        yield from columns(value, tables)


def keys(context: Context) -> Iterator[Item]:
    """Keys of a DataFrame's ctx, those that its columns cannot give left out."""
    for key in sorted((*SOURCES, *ALIASES)):
        sources = SOURCES[ALIASES.get(key, key)]
        found = next((source for source in sources if source in context.frame.columns), None)
        if found:
            yield Item(key, Kind.KEY, f"from {found}", f"the same as {ALIASES[key]}" if key in ALIASES else "")


def _argument(
    cursor: Cursor, bracket: Bracket, callee: str, names: Names, tables: Mapping[str, Table], *, nested: bool
) -> Iterator[Item]:
    function = names.callee(callee)
    receiver = names.value(callee.rpartition(".")[0]) if "." in callee else None
    if not isinstance(function, Builtin):
        return
    if isinstance(receiver, Grouped):
        receiver = receiver.frame
    if function.name == "DataFrame.agg":
        if nested and cursor.brackets[-1].character == "(" and isinstance(receiver, Frame):
            yield from columns(receiver, tables)
        return
    positional = [one.name for one in function.parameters]
    name = bracket.keyword or (positional[bracket.position] if bracket.position < len(positional) else "")
    find = _BY_ARGUMENT.get(name)
    if find is not None:
        yield from find(cursor.text[bracket.offset :], receiver, names, tables)


_Find = Callable[[str, Any, Names, Mapping[str, Table]], Iterator[Item]]


def _tables(_text: str, _receiver: Any, _names: Names, tables: Mapping[str, Table]) -> Iterator[Item]:
    for found in tables.values():
        yield table(found)


def _table_columns(text: str, _receiver: Any, _names: Names, tables: Mapping[str, Table]) -> Iterator[Item]:
    named = _TABLE.match(text)
    if named and named.group(1) in tables:
        for column in tables[named.group(1)].columns:
            yield Item(column.name, Kind.COLUMN, type_text(column.type), column.description)


def _own_columns(_text: str, receiver: Any, _names: Names, tables: Mapping[str, Table]) -> Iterator[Item]:
    if isinstance(receiver, Frame):
        yield from columns(receiver, tables)


def _right_columns(text: str, _receiver: Any, names: Names, tables: Mapping[str, Table]) -> Iterator[Item]:
    right = re.match(r"\(\s*(?:right\s*=\s*)?([^\W\d]\w*)", text)
    yield from _own_columns(text, names.value(right.group(1)) if right else None, names, tables)


def _fixed(values: Mapping[str, str]) -> _Find:
    def find(_text: str, _receiver: Any, _names: Names, _tables: Mapping[str, Table]) -> Iterator[Item]:
        for value, doc in values.items():
            yield Item(value, Kind.VALUE, doc)

    return find


def _scripts(_text: str, _receiver: Any, _names: Names, _tables: Mapping[str, Table]) -> Iterator[Item]:
    from sylph.library.loader import listing

    for name, short in listing():
        yield Item(name, Kind.SCRIPT, short)


_BY_ARGUMENT: Mapping[str, _Find] = {
    "table": _tables,
    "select": _table_columns,
    "start_time": _fixed(_TIMES),
    "end_time": _fixed(_TIMES),
    "columns": _own_columns,
    "by": _own_columns,
    "left_on": _own_columns,
    "right_on": _right_columns,
    "on": _own_columns,
    "how": _fixed(_HOW),
    "script": _scripts,
}
