"""Tables of an answer for people: text for a prompt, HTML for a notebook. Values are shown as `px run` shows them."""

from __future__ import annotations

import html as markup
import io
import shutil
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sylph.client.table_text import TableWriter
from sylph.client.text import cut, escape
from sylph.client.values import Cell, Column, Value, cell_of, is_time
from sylph.tables.types import DataType

if TYPE_CHECKING:
    import pyarrow as pa

    from sylph.client.answer import Table

#: Rows that are shown; all of them are in the table.
TEXT_ROWS = 20
HTML_ROWS = 50
#: A longer value is cut.
_MAX_CELL = 200
_COLOURS = {"green": "#1a7f37", "red": "#cf222e", "yellow": "#9a6700"}


def text(tables: Sequence[Table], warnings: Sequence[str] = ()) -> str:
    """Tables as `px run` prints them, as wide as the terminal, with the first rows of each."""
    out = io.StringIO()
    writer = TableWriter(out, max(shutil.get_terminal_size().columns, 20), colour=False, whole=".arrow() has all")
    for table in tables:
        writer.table(table.name, table.columns)
        for columns in _values(table, TEXT_ROWS):
            writer.rows(table.name, columns)
        writer.end(table.name)
        if len(table) > TEXT_ROWS:
            out.write(f"… {len(table) - TEXT_ROWS:,} more rows\n")
    out.writelines(f"warning: {escape(warning)}\n" for warning in warnings)
    return out.getvalue().rstrip("\n")


def html(tables: Sequence[Table], warnings: Sequence[str] = ()) -> str:
    """Tables as HTML, with the first rows of each. All text in it is escaped: it was captured from the network."""
    parts = [f"<p><b>warning:</b> {_safe(warning)}</p>" for warning in warnings]
    for table in tables:
        heads = "".join(_head(column) for column in table.columns)
        parts.append(
            f"<table><caption style='text-align:left;font-weight:bold;white-space:nowrap'>{_safe(table.name)}</caption>"
        )
        parts.append(f"<thead><tr>{heads}</tr></thead><tbody>")
        show = [cell_of(column) for column in table.columns]
        styles = [_alignment(column) for column in table.columns]
        for columns in _values(table, HTML_ROWS):
            for row in zip(*columns, strict=True):
                cells = (_cell(cell(value), style) for cell, value, style in zip(show, row, styles, strict=True))
                parts.append(f"<tr>{''.join(cells)}</tr>")
        parts.append("</tbody></table>")
        hidden = len(table) - HTML_ROWS
        rows = f"{len(table):,} row{'' if len(table) == 1 else 's'}"
        parts.append(f"<p>{rows}, {hidden:,} of them not shown</p>" if hidden > 0 else f"<p>{rows}</p>")
    return "\n".join(parts)


def _values(table: Table, rows: int) -> Iterator[list[Sequence[Value]]]:
    for batch in table.batches():
        if rows <= 0:
            return
        part = batch.slice(0, rows)
        rows -= part.num_rows
        yield [_column(array) for array in part.columns]


def _column(array: pa.Array) -> Sequence[Value]:
    """Values as they are formatted: times as ns, UUIDs as text."""
    import pyarrow as pa

    if pa.types.is_timestamp(array.type):
        array = array.cast(pa.int64())
    elif array.type == pa.uuid():
        return [str(value) for value in array.to_pylist()]
    return list(array.to_pylist())


def _head(column: Column) -> str:
    from sylph.client.arrow import column_type

    type_ = column_type(column)
    title = f"{type_.data.name}, {type_.semantic.name}"
    return f"<th title='{_safe(title)}' style='{_alignment(column)}'>{_safe(column.name)}</th>"


def _alignment(column: Column) -> str:
    right = column.data in {DataType.INT64, DataType.FLOAT64} and not is_time(column)
    return f"text-align:{'right' if right else 'left'};white-space:pre"


def _cell(cell: Cell, style: str) -> str:
    value, colour = cell
    colour = f";color:{_COLOURS[colour]}" if colour in _COLOURS else ""
    return f"<td style='{style}{colour}'>{_safe(cut(value, _MAX_CELL))}</td>"


def _safe(value: str) -> str:
    return markup.escape(escape(value))
