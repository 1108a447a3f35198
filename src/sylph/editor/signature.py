"""The signature of the call that a cursor stands in, and which of its arguments is being written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sylph.editor.cursor import cursor_at, primary_before
from sylph.editor.describe import named
from sylph.editor.names import names_at
from sylph.tables import TABLES
from sylph.tables.declare import Table

_OPENING, _CLOSING = "([{", ")]}"


@dataclass(frozen=True, slots=True)
class Signature:
    """A call's signature as text; `parameters` are (start, end) in it, `active` which of them comes next, or None."""

    label: str
    doc: str
    parameters: tuple[tuple[int, int], ...]
    active: int | None


def signature_help(source: str, line: int, column: int, schema: Mapping[str, Table] = TABLES) -> Signature | None:
    """The signature of the innermost call around a place (from 1); None outside calls, and of what is not known."""
    cursor = cursor_at(source, line, column)
    if cursor is None or cursor.comment:
        return None
    call = next((one for one in reversed(cursor.brackets) if one.character == "("), None)
    callee = "" if call is None else primary_before(cursor.text, call.offset, cursor.statement)
    if call is None or not callee or cursor.text[cursor.statement :].lstrip().startswith("def "):
        return None
    first = line - cursor.text.count("\n", cursor.statement)
    function = names_at(source, line, first, cursor.indent, schema).callee(callee)
    item = None if function is None else named(callee.rpartition(".")[2], function)
    if item is None or "(" not in item.detail:
        return None
    parameters = _parameters(item.detail)
    names = [item.detail[start:end].partition(":")[0].partition("=")[0].strip() for start, end in parameters]
    return Signature(item.detail, item.doc, parameters, _active(names, call.keyword, call.position))


def _active(names: list[str], keyword: str, position: int) -> int | None:
    star = next((number for number, name in enumerate(names) if name.startswith("*")), None)
    if keyword:
        return names.index(keyword) if keyword in names else star
    if star is not None:
        return min(position, star)
    return position if position < len(names) else None


def _parameters(label: str) -> tuple[tuple[int, int], ...]:
    """Where the parameters stand in `name(a: str, b: tuple[int, int] = (1, 2)) -> x`."""
    found: list[tuple[int, int]] = []
    depth, start = 0, label.index("(") + 1
    for offset in range(start - 1, len(label)):
        character = label[offset]
        depth += character in _OPENING
        depth -= character in _CLOSING
        if (character == "," and depth == 1) or depth == 0:
            text = label[start:offset]
            if text.strip():
                found.append((start + len(text) - len(text.lstrip()), offset))
            start = offset + 1
        if depth == 0:
            break
    return tuple(found)
