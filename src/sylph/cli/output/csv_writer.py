"""Comma separated values: a header a table, every row begins with the table's name, values as in a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TextIO

from sylph.client.text import escape
from sylph.client.values import Cell, Column, Value, cell_of


def field(text: str) -> str:
    """Quoted only when it holds a comma or a line break; only then are its quotes doubled."""
    if "," in text or "\n" in text:
        return '"' + text.replace('"', '""') + '"'
    return text


class CsvWriter:
    """Writes rows as they come. On a terminal control characters are made visible; in a pipe text stays whole."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._safe = out.isatty()
        self._cells: dict[str, list[Callable[[Value], Cell]]] = {}
        self._headers: dict[str, str] = {}

    def _field(self, text: str) -> str:
        return field(escape(text) if self._safe else text)

    def table(self, name: str, columns: Sequence[Column]) -> None:
        """Remembers the header, which comes just before the first rows or the end."""
        self._headers[name] = ",".join(["table_id", *(self._field(column.name) for column in columns)])
        self._cells[name] = [cell_of(column) for column in columns]

    def rows(self, name: str, columns: Sequence[Sequence[Value]]) -> None:
        """Writes rows."""
        self._header(name)
        first = self._field(name)
        texts = [
            [self._field(show(value)[0]) for value in column]
            for show, column in zip(self._cells[name], columns, strict=True)
        ]
        self._out.writelines(f"{first},{','.join(row)}\n" for row in zip(*texts, strict=True))
        self._out.flush()

    def live(self, name: str) -> None:
        """All is written already."""

    def end(self, name: str) -> None:
        """Writes the header of a table without rows."""
        self._header(name)

    def _header(self, name: str) -> None:
        if header := self._headers.pop(name, None):
            self._out.write(f"{header}\n")


def make(out: TextIO) -> CsvWriter:
    """A writer of comma separated values."""
    return CsvWriter(out)
