"""Aligned tables. On a terminal they fit its width and have colours; in a pipe they are whole and plain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from sylph.client.terminal import paint
from sylph.client.text import cut, escape, pad, width
from sylph.client.values import Cell, Column, Value, cell_of
from sylph.tables.types import DataType

_GAP = 2
#: A column is not made narrower than this to fit; columns that have no place are named below the table instead.
_MIN_TEXT, _MIN_OTHER = 10, 12
#: Of `2026-11-22T18:52:23.131173054Z`, what is left of a time that has no place: `18:52:23.131`.
_TIME_OF_DAY = slice(11, 23)
#: A stream's header is printed anew when its columns have become wider, and it is so many rows above.
_AGAIN = 20
_RIGHT = (DataType.INT64, DataType.FLOAT64)


def fit(widths: Sequence[int], columns: int, least: Sequence[int]) -> list[int]:
    """Widths of the first columns that fit into `columns`, the widest ones cut most. May hold fewer columns.

    None becomes narrower than its part of `least`, unless it is alone.
    """
    floors = [min(wanted, floor) for wanted, floor in zip(widths, least, strict=True)]
    while len(floors) > 1 and sum(floors) + _GAP * (len(floors) - 1) > columns:
        floors.pop()
    if len(floors) == 1:
        return [max(1, min(widths[0], columns))]
    room = columns - _GAP * (len(floors) - 1) - sum(floors)
    # Water filling: what is left goes to all that want more, in equal parts.
    fitted = floors
    order = sorted(range(len(floors)), key=lambda index: widths[index] - floors[index])
    for position, index in enumerate(order):
        more = min(widths[index] - fitted[index], room // (len(order) - position))
        fitted[index] += more
        room -= more
    return fitted


class _Table:
    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = columns
        self.show = [cell_of(column) for column in columns]
        self.cells: list[list[Cell]] = [[] for _ in columns]
        self.widths = [0] * len(columns)
        #: Whether its header was printed, and how many rows are below the last one.
        self.began = False
        self.below = 0


class TableWriter:
    """Keeps the rows of a table until its end, since widths depend on all of them; those of a stream until `live`."""

    def __init__(
        self, out: TextIO, terminal_columns: int | None, *, colour: bool, whole: str = "-o json has all"
    ) -> None:
        self._out = out
        self._columns = terminal_columns
        self._colour = colour
        self._whole = whole
        self._tables: dict[str, _Table] = {}
        #: Name of the table that was printed last.
        self._last = ""

    def table(self, name: str, columns: Sequence[Column]) -> None:
        """Begins a table."""
        self._tables[name] = _Table(columns)

    def rows(self, name: str, columns: Sequence[Sequence[Value]]) -> None:
        """Formats and keeps rows."""
        table = self._tables[name]
        for kept, show, values in zip(table.cells, table.show, columns, strict=True):
            for value in values:
                text, colour = show(value)
                kept.append((escape(text), colour))

    def live(self, name: str) -> None:
        """Prints the rows that came of a table without end. Columns may become wider later, never narrower."""
        table = self._tables[name]
        if table.cells[0]:
            self._print(name, table)

    def end(self, name: str) -> None:
        """Prints the table, or what is left of it."""
        table = self._tables.pop(name)
        if table.cells[0] or not table.began:
            self._print(name, table)

    def _print(self, name: str, table: _Table) -> None:
        headers = [escape(column.name).upper() for column in table.columns]
        widths = [
            max(before, width(header), max((width(text) for text, _ in cells), default=0))
            for before, header, cells in zip(table.widths, headers, table.cells, strict=True)
        ]
        fitted = widths if self._columns is None else self._fitted(table, widths, self._columns)
        right = [column.data in _RIGHT and not _left(column) for column in table.columns]
        first, table.began = not table.began, True
        if first or self._last != name or (widths != table.widths and table.below >= _AGAIN):
            if self._last:
                self._out.write("\n")
            self._last, table.below = name, 0
            self._out.write(f"Table ID: {escape(name)}\n")
            self._line([(header, "bold") for header in headers], fitted, right)
        for row in zip(*table.cells, strict=True):
            self._line(row, fitted, right)
        table.widths = widths
        table.below += len(table.cells[0])
        table.cells = [[] for _ in table.columns]
        if first and len(fitted) < len(widths):
            hidden = ", ".join(column.name for column in table.columns[len(fitted) :])
            note = f"not shown, the terminal is too narrow: {escape(hidden)} ({self._whole})"
            self._out.write(paint(note, "dim", on=self._colour) + "\n")
        self._out.flush()

    def _fitted(self, table: _Table, widths: Sequence[int], columns: int) -> list[int]:
        """Widths of the columns that are shown. Times lose their date before anything else is cut."""
        wanted = list(widths)
        if sum(wanted) + _GAP * (len(wanted) - 1) > columns:
            for index, (column, cells) in enumerate(zip(table.columns, table.cells, strict=True)):
                if column.data == DataType.TIME64NS:
                    cells[:] = [(text[_TIME_OF_DAY].removesuffix("Z"), colour) for text, colour in cells]
                    wanted[index] = min(wanted[index], max(_MIN_OTHER, width(column.name)))
        return fit(
            wanted, columns, [_MIN_TEXT if column.data == DataType.STRING else _MIN_OTHER for column in table.columns]
        )

    def _line(self, cells: Sequence[Cell], widths: Sequence[int], right: Sequence[bool]) -> None:
        parts = []
        for (text, colour), columns, to_right in zip(cells, widths, right, strict=False):
            shown = pad(cut(text, columns), columns, right=to_right)
            parts.append(paint(shown, colour, on=self._colour))
        line = (" " * _GAP).join(parts)
        self._out.write((line if self._colour else line.rstrip()) + "\n")


def _left(column: Column) -> bool:
    return column.name == "time_"
