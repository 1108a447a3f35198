"""Kinds of widgets and their options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from sylph.pxl.errors import suggestion

WIDGET_PREFIX = "px.vispb."


@dataclass(frozen=True, slots=True)
class Many:
    """A list of options or of messages."""

    of: object


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several names."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Options:
    """A message: option names with what each holds. `columns` are those that name a result column."""

    fields: Mapping[str, object]
    columns: frozenset[str] = field(default_factory=frozenset)


_AXIS = Options({"label": str})
_MODE = Choice(("MODE_UNKNOWN", "MODE_LINE", "MODE_POINT", "MODE_AREA"))


def _columns(*names: str, **others: object) -> Options:
    return Options(dict.fromkeys(names, str) | others, frozenset(names))


#: Every widget kind.
WIDGETS: Mapping[str, Options] = MappingProxyType(
    {
        "Table": _columns("gutterColumn"),
        "TimeseriesChart": Options(
            {
                "timeseries": Many(_columns("value", "series", stackBySeries=bool, mode=_MODE)),
                "title": str,
                "xAxis": _AXIS,
                "yAxis": _AXIS,
            }
        ),
        "BarChart": Options(
            {
                "bar": _columns("value", "label", "stackBy", "groupBy", horizontal=bool),
                "title": str,
                "xAxis": _AXIS,
                "yAxis": _AXIS,
            }
        ),
        "PieChart": _columns("label", "value", title=str),
        "HistogramChart": Options(
            {
                "histogram": _columns("value", "prebinCount", maxbins=int, minstep=float, horizontal=bool),
                "title": str,
                "xAxis": _AXIS,
                "yAxis": _AXIS,
            }
        ),
        "GaugeChart": _columns("value", title=str),
        "StatChart": Options({"stat": _columns("value"), "title": str}),
        "TextChart": Options({"body": str}),
        "VegaChart": Options({"spec": str}),
        "Graph": _columns(
            "dotColumn",
            "edgeWeightColumn",
            "nodeWeightColumn",
            "edgeColorColumn",
            adjacencyList=_columns("fromColumn", "toColumn"),
            edgeThresholds=Options({"mediumThreshold": int, "highThreshold": int}),
            edgeHoverInfo=Many(str),
            edgeLength=int,
            enableDefaultHierarchy=bool,
        ),
        "RequestGraph": _columns(
            "requestorPodColumn",
            "responderPodColumn",
            "requestorServiceColumn",
            "responderServiceColumn",
            "p50Column",
            "p90Column",
            "p99Column",
            "errorRateColumn",
            "requestsPerSecondColumn",
            "inboundBytesPerSecondColumn",
            "outboundBytesPerSecondColumn",
            "totalRequestCountColumn",
            "requestorIPColumn",
            "responderIPColumn",
        ),
        "StackTraceFlameGraph": _columns(
            "stacktraceColumn",
            "countColumn",
            "percentageColumn",
            "namespaceColumn",
            "podColumn",
            "containerColumn",
            "pidColumn",
            "nodeColumn",
            "differenceColumn",
            percentageLabel=str,
        ),
    }
)

Problem = tuple[str, str, str]


def check_display(type_url: str, spec: Mapping[str, Any]) -> Problem | None:
    """The (path, message, hint) of what is wrong with a display spec, None when nothing is."""
    kind = type_url.rpartition(WIDGET_PREFIX)[2]
    options = WIDGETS.get(kind)
    if options is None or not type_url.endswith(WIDGET_PREFIX + kind):
        hint = suggestion(kind, WIDGETS) or f"kinds are {', '.join(WIDGETS)}"
        return "@type", f"unknown widget kind '{kind[:60]}'", hint
    return _check_options({name: value for name, value in spec.items() if name != "@type"}, options, "")


def display_columns(kind: str, spec: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The (path, column) that a valid display spec names."""
    found: list[tuple[str, str]] = []
    _collect(spec, WIDGETS[kind], "", found)
    if kind == "Graph":
        found += [(f"edgeHoverInfo[{i}]", name) for i, name in enumerate(spec.get("edgeHoverInfo") or [])]
    return found


def _collect(spec: Mapping[str, Any], options: Options, path: str, found: list[tuple[str, str]]) -> None:
    for name, value in spec.items():
        inner = options.fields.get(name)
        where = f"{path}.{name}" if path else name
        if name in options.columns:
            if value:
                found.append((where, value))
        elif isinstance(inner, Options) and value:
            _collect(value, inner, where, found)
        elif isinstance(inner, Many) and isinstance(inner.of, Options):
            for position, item in enumerate(value or []):
                _collect(item, inner.of, f"{where}[{position}]", found)


def _check_options(spec: Mapping[str, Any], options: Options, path: str) -> Problem | None:
    for name, value in spec.items():
        where = f"{path}.{name}" if path else name
        if name not in options.fields:
            return where, "unknown field", suggestion(name, options.fields)
        problem = _check(value, options.fields[name], where)
        if problem:
            return problem
    return None


def _check(value: object, expected: object, path: str) -> Problem | None:
    if value is None:
        return None
    if isinstance(expected, Options):
        if not isinstance(value, dict):
            return path, "expected an object", ""
        return _check_options(value, expected, path)
    if isinstance(expected, Many):
        if not isinstance(value, list):
            return path, "expected a list", ""
        problems = (_check(item, expected.of, f"{path}[{i}]") for i, item in enumerate(value))
        return next((problem for problem in problems if problem), None)
    if isinstance(expected, Choice):
        if value in expected.names:
            return None
        return path, f"unknown value '{str(value)[:60]}'", f"values are {', '.join(expected.names)}"
    if expected is str:
        return None if isinstance(value, str) else (path, "expected a string", "")
    if expected is bool:
        return None if isinstance(value, bool) else (path, "expected true or false", "")
    return None if _is_number(value, whole=expected is int) else (path, "expected a number", "")


def _is_number(value: object, *, whole: bool) -> bool:
    """Proto3 JSON writes numbers as numbers or as strings."""
    if isinstance(value, bool):
        return False
    if isinstance(value, (int, float)):
        return not whole or float(value).is_integer()
    try:
        return isinstance(value, str) and (int(value) is not None if whole else float(value) is not None)
    except ValueError:
        return False
