"""Values as people read them, by their semantic type."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from sylph.tables.types import DataType, SemanticType

Value = bool | int | float | str
#: Text of a value, and the colour it is shown in ("" for none).
Cell = tuple[str, str]

_NS_PER_S = 1_000_000_000
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an answer."""

    name: str
    data: int
    semantic: int = SemanticType.ST_NONE


def format_bytes(value: float) -> str:
    """1024-based, with one decimal under 102.4."""
    size, unit = float(value), 0
    # What rounds to 1024 is 1.0 of the next unit.
    while abs(size) >= 1023.5 and unit < len(_UNITS) - 1:
        size /= 1024
        unit += 1
    return f"{size:.1f} {_UNITS[unit]}" if abs(size) < 102.4 else f"{size:.0f} {_UNITS[unit]}"


def format_duration(ns: float) -> str:
    """Nanoseconds as ns, µs, ms or s below a minute; then in two units: m s, h min, days hours."""
    sign, size = ("-", -ns) if ns < 0 else ("", ns)
    if size < 60 * _NS_PER_S:
        for limit, scale, unit in ((1e3, 1, "ns"), (1e6, 1e3, "µs"), (1e9, 1e6, "ms")):
            if size < limit:
                return f"{sign}{_short(size / scale)} {unit}"
        return f"{sign}{_short(size / 1e9)} s"
    seconds = int(size // _NS_PER_S)
    if seconds < 3600:
        return f"{sign}{seconds // 60} m {seconds % 60} s"
    if seconds < 86400:
        return f"{sign}{seconds // 3600} h {seconds // 60 % 60} min"
    days, hours = seconds // 86400, seconds // 3600 % 24
    return f"{sign}{days} {'day' if days == 1 else 'days'} {hours} {'hour' if hours == 1 else 'hours'}"


def _short(value: float) -> str:
    """Four significant digits at most, without trailing zeros."""
    return f"{value:.4g}"


def format_time(ns: int) -> str:
    """Nanoseconds since the epoch as RFC 3339 in UTC, without trailing zeros of the fraction."""
    seconds, fraction = divmod(ns, _NS_PER_S)
    at = time.gmtime(seconds)
    text = f"{at.tm_year:04d}-{at.tm_mon:02d}-{at.tm_mday:02d}T{at.tm_hour:02d}:{at.tm_min:02d}:{at.tm_sec:02d}"
    return f"{text}.{fraction:09d}".rstrip("0") + "Z" if fraction else f"{text}Z"


def format_float(value: float) -> str:
    """Six significant digits."""
    return f"{value:.6g}"


def format_quantiles(text: str, one: Callable[[float], str]) -> str:
    """`p01: ..., p10: ...` of a JSON object, keys in order; any other text as it is."""
    try:
        quantiles = json.loads(text)
        return ", ".join(f"{name}: {one(float(quantiles[name]))}" for name in sorted(quantiles))
    except (ValueError, TypeError):
        return text


def format_script_reference(text: str) -> str:
    """The label of a link to a script; any other text as it is."""
    try:
        return str(json.loads(text)["label"])
    except (ValueError, TypeError, KeyError):
        return text


def _plain(value: Value) -> Cell:
    return str(value), ""


def _boolean(value: Value) -> Cell:
    return ("true", "green") if value else ("false", "red")


def _alert(value: Value) -> Cell:
    return ("ALERT", "red") if value else ("", "")


def _status(value: Value) -> Cell:
    number = int(value)
    return str(value), "green" if 200 <= number < 300 else "red" if number >= 400 else ""


def _level(value: float, medium: float, high: float) -> str:
    return "green" if value < medium else "yellow" if value < high else "red"


def _percent(value: Value) -> Cell:
    return f"{float(value) * 100:.2f}%", ""


def _cpu_percent(value: Value) -> Cell:
    return f"{float(value) * 100:.2f}%", _level(float(value) * 100, 70, 80)


def _latency(value: Value) -> Cell:
    return format_duration(float(value)), _level(float(value), 200e6, 400e6)


_NUMBERS: dict[int, Callable[[Value], Cell]] = {
    SemanticType.ST_BYTES: lambda value: (format_bytes(float(value)), ""),
    SemanticType.ST_DURATION_NS: lambda value: (format_duration(float(value)), ""),
    SemanticType.ST_THROUGHPUT_PER_NS: lambda value: (f"{float(value) * 1e9:f} /sec", ""),
    SemanticType.ST_THROUGHPUT_BYTES_PER_NS: lambda value: (f"{format_bytes(float(value) * 1e9)}/sec", ""),
    SemanticType.ST_PERCENT: _percent,
    SemanticType.ST_HTTP_RESP_STATUS: _status,
}
_TEXTS: dict[int, Callable[[Value], Cell]] = {
    SemanticType.ST_QUANTILES: lambda value: (format_quantiles(str(value), format_float), ""),
    SemanticType.ST_DURATION_NS_QUANTILES: lambda value: (format_quantiles(str(value), format_duration), ""),
    SemanticType.ST_SCRIPT_REFERENCE: lambda value: (format_script_reference(str(value)), ""),
}
_CPU = re.compile(r"(^|_)cpu", re.IGNORECASE)
_LATENCY = re.compile(r"latency", re.IGNORECASE)
_ALERT = re.compile(r"alert(_.*)?\Z")


def is_time(column: Column) -> bool:
    """Whether values are times: by type, or an integer named time_."""
    return column.data == DataType.TIME64NS or (column.data == DataType.INT64 and column.name == "time_")


def cell_of(column: Column) -> Callable[[Value], Cell]:
    """The function that shows a value of `column`."""
    if is_time(column):
        return lambda value: (format_time(int(value)), "")
    match column.data:
        case DataType.BOOLEAN:
            return _alert if _ALERT.match(column.name) else _boolean
        case DataType.INT64 | DataType.FLOAT64:
            if column.semantic == SemanticType.ST_PERCENT and _CPU.search(column.name):
                return _finite(_cpu_percent)
            if column.semantic == SemanticType.ST_DURATION_NS and _LATENCY.search(column.name):
                return _finite(_latency)
            if column.semantic in _NUMBERS:
                return _finite(_NUMBERS[column.semantic])
            if column.data == DataType.FLOAT64:
                return lambda value: (format_float(float(value)), "")
        case DataType.STRING:
            return _TEXTS.get(column.semantic, _plain)
    return _plain


def _finite(show: Callable[[Value], Cell]) -> Callable[[Value], Cell]:
    """`show`, but NaN and infinities as they are."""

    def cell(value: Value) -> Cell:
        number = float(value)
        return show(value) if number - number == 0 else (str(value), "")

    return cell
