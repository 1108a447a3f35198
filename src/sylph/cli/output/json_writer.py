"""One JSON object a line: `_tableName_` first, then the columns in order with raw values."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import TextIO

from sylph.client.text import escape_json
from sylph.client.values import Column, Value, format_time, is_time
from sylph.tables.types import DataType

#: Text that is a JSON number is written as one, digit by digit.
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_encode = json.JSONEncoder(ensure_ascii=False).encode


def _text(value: Value) -> str:
    text = str(value)
    return text if _NUMBER.fullmatch(text) else escape_json(_encode(text))


def _float(value: Value) -> str:
    number = float(value)
    # JSON knows neither NaN nor infinity.
    return repr(number) if number - number == 0 else "null"


def _time(value: Value) -> str:
    return f'"{format_time(int(value))}"'


def _boolean(value: Value) -> str:
    return "true" if value else "false"


def _uuid(value: Value) -> str:
    return f'"{value}"'


def _encoder(column: Column) -> Callable[[Value], str]:
    if is_time(column):
        return _time
    return {
        DataType.BOOLEAN: _boolean,
        DataType.FLOAT64: _float,
        DataType.STRING: _text,
        DataType.UINT128: _uuid,
    }.get(DataType(column.data), str)


class JsonWriter:
    """Writes rows as they come."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._row: dict[str, str] = {}
        self._encoders: dict[str, list[Callable[[Value], str]]] = {}

    def table(self, name: str, columns: Sequence[Column]) -> None:
        """Remembers how the table's rows are written."""
        keys = [escape_json(_encode(column.name)).replace("%", "%%") for column in columns]
        pairs = "".join(f",{key}:%s" for key in keys)
        self._row[name] = f'{{"_tableName_":{escape_json(_encode(name)).replace("%", "%%")}{pairs}}}\n'
        self._encoders[name] = [_encoder(column) for column in columns]

    def rows(self, name: str, columns: Sequence[Sequence[Value]]) -> None:
        """Writes rows."""
        row = self._row[name]
        encoded = [map(encode, column) for encode, column in zip(self._encoders[name], columns, strict=True)]
        self._out.writelines(row % values for values in zip(*encoded, strict=True))
        self._out.flush()

    def live(self, name: str) -> None:
        """All is written already."""

    def end(self, name: str) -> None:
        """Nothing is left to write."""


def make(out: TextIO) -> JsonWriter:
    """A writer of JSON lines."""
    return JsonWriter(out)
