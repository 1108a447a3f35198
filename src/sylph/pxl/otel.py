"""`px.otel`: rows as OpenTelemetry metrics and spans, checked when the script is compiled."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sylph.plan.expressions import ColumnRef, Literal
from sylph.pxl.arguments import boolean, integer, optional, required, string, wrong_type
from sylph.pxl.errors import Kind
from sylph.pxl.mutations import Endpoint, Export, Gauge, Span, Summary, TextOrColumn
from sylph.pxl.scalars import column_not_found
from sylph.pxl.values import Bound, Builtin, Fault, Frame, Module, Scalar, article, literal
from sylph.tables.types import ColumnType, DataType, SemanticType

_KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")

_UNITS = {
    SemanticType.ST_DURATION_NS: "ns",
    SemanticType.ST_DURATION_NS_QUANTILES: "ns",
    SemanticType.ST_BYTES: "By",
    SemanticType.ST_PERCENT: "/ns",
    SemanticType.ST_THROUGHPUT_PER_NS: "/ns",
    SemanticType.ST_THROUGHPUT_BYTES_PER_NS: "By/ns",
}


@dataclass(frozen=True, eq=False, slots=True)
class Data:
    """What `px.otel.Data` makes: px.export() binds it to a DataFrame."""

    resource: dict[str, TextOrColumn]
    data: tuple[Gauge | Summary | Span, ...]
    endpoint: Endpoint | None


def otel_module() -> Module:
    """`px.otel` for one compilation."""
    empty, none = literal(""), None
    gauge = (*required("name", "value"), *optional(description=empty, attributes={}, unit=none))
    summary = (
        *required("name", "count", "sum", "quantile_values"),
        *optional(description=empty, attributes={}, unit=none),
    )
    span = (
        *required("name", "start_time", "end_time"),
        *optional(trace_id=none, span_id=none, parent_span_id=none, attributes={}, kind=literal(2)),
    )
    endpoint = (*required("url"), *optional(headers={}, insecure=literal(value=False), timeout=literal(5)))
    kinds = {f"SPAN_KIND_{name}": literal(number) for number, name in enumerate(_KINDS)}
    return Module(
        "px.otel",
        {
            "Data": Builtin("Data", _data, (*required("resource", "data"), *optional(endpoint=none))),
            "Endpoint": Builtin("Endpoint", _endpoint, endpoint),
            "metric": Module(
                "px.otel.metric",
                {"Gauge": Builtin("Gauge", _gauge, gauge), "Summary": Builtin("Summary", _summary, summary)},
            ),
            "trace": Module("px.otel.trace", {"Span": Builtin("Span", _span, span), **kinds}),
        },
    )


def export(frame: Frame, data: Data) -> Export:
    """The export of `frame`. Raises Fault for a column that it does not have in the right type."""
    time = frame.columns.get("time_")
    if any(not isinstance(item, Span) for item in data.data) and (
        time is None or time.type.data is not DataType.TIME64NS
    ):
        raise Fault("metrics need a column 'time_' of type TIME64NS", Kind.OTEL)
    for ref in _columns(data):
        found = frame.columns.get(ref.name)
        if found is None:
            raise column_not_found(ref.name, frame.columns)
        if found.type.data is not ref.type.data:
            raise Fault(f"column '{ref.name}' is {found.type.data.name}, not {ref.type.data.name}", Kind.OTEL)
    return Export(frame.node, data.resource, data.data, data.endpoint)


def _columns(data: Data) -> list[ColumnRef]:
    found: list[Any] = [*data.resource.values()]
    for item in data.data:
        found += item.attributes.values()
        if isinstance(item, Gauge):
            found.append(item.value)
        elif isinstance(item, Summary):
            found += [item.count, item.sum, *item.quantile_values.values()]
        else:
            found += [item.name, item.start_time, item.end_time, item.trace_id, item.span_id, item.parent_span_id]
    return [value for value in found if isinstance(value, ColumnRef)]


def _data(bound: Bound) -> Data:
    resource = _attributes(bound, "resource")
    if "service.name" not in resource:
        raise Fault("'resource' must hold 'service.name'", Kind.OTEL, node=bound.node("resource"))
    items = bound.values["data"]
    if not isinstance(items, (list, tuple)) or not items:
        raise Fault("'data' must be a list of metrics and spans that is not empty", Kind.OTEL, node=bound.node("data"))
    for position, item in enumerate(items):
        if not isinstance(item, (Gauge, Summary, Span)):
            message = f"data are Gauge, Summary and Span, not {article(item)}"
            raise Fault(message, Kind.OTEL, node=bound.part("data", position))
    endpoint = bound.values["endpoint"]
    if endpoint is not None and not isinstance(endpoint, Endpoint):
        raise wrong_type(bound, "endpoint", "Endpoint")
    return Data(resource, tuple(items), endpoint)


def _endpoint(bound: Bound) -> Endpoint:
    headers = bound.values["headers"]
    if not isinstance(headers, dict):
        raise wrong_type(bound, "headers", "dict of strings")
    texts = {}
    for key, value in headers.items():
        text = value.literal if isinstance(value, Scalar) else None
        if not isinstance(key, str) or not isinstance(text, str):
            raise Fault("headers are strings", Kind.OTEL, node=bound.node("headers"))
        texts[key] = text
    timeout = integer(bound, "timeout")
    if timeout <= 0:
        raise Fault("'timeout' must be longer than zero seconds", Kind.OTEL, node=bound.node("timeout"))
    return Endpoint(string(bound, "url"), texts, boolean(bound, "insecure"), timeout)


def _name(bound: Bound) -> str:
    name = string(bound, "name")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.\-]*", name):
        hint = "letters, digits, '_', '.' and '-', a letter first"
        raise Fault(f"'{name[:60]}' cannot be the name of a metric", Kind.OTEL, hint, bound.node("name"))
    return name


def _column(bound: Bound, name: str, value: object, *types: DataType) -> ColumnRef:
    if not isinstance(value, Scalar) or not isinstance(value.expression, ColumnRef):
        hint = "assign it to a column first: df.value = ...; then give df.value"
        raise Fault(f"'{name}' must be a column, not {article(value)}", Kind.OTEL, hint, bound.node(name))
    if value.type.data not in types:
        expected = " or ".join(type_.name for type_ in types)
        message = f"'{name}' must be a column of type {expected}, this is {value.type.data.name}"
        raise Fault(message, Kind.OTEL, "", bound.node(name))
    return value.expression


def _attributes(bound: Bound, name: str) -> dict[str, TextOrColumn]:
    given = bound.values[name]
    if not isinstance(given, dict):
        raise wrong_type(bound, name, "dict")
    found: dict[str, TextOrColumn] = {}
    for key, value in given.items():
        if not isinstance(key, str) or not key:
            raise Fault(f"keys of '{name}' are strings", Kind.OTEL, node=bound.node(name))
        found[key] = _text_or_column(bound, name, value)
    return found


def _text_or_column(bound: Bound, name: str, value: object) -> TextOrColumn:
    if isinstance(value, Scalar) and isinstance(value.expression, Literal) and isinstance(value.literal, str):
        return value.literal
    if isinstance(value, Scalar) and isinstance(value.expression, ColumnRef):
        return value.expression
    raise Fault(f"'{name}' takes strings and columns, not {article(value)}", Kind.OTEL, "", bound.node(name))


def _unit(bound: Bound, type_: ColumnType) -> str:
    return _UNITS.get(type_.semantic, "") if bound.values["unit"] is None else string(bound, "unit")


def _gauge(bound: Bound) -> Gauge:
    value = _column(bound, "value", bound.values["value"], DataType.INT64, DataType.FLOAT64)
    attributes = _attributes(bound, "attributes")
    return Gauge(_name(bound), value, string(bound, "description"), attributes, _unit(bound, value.type))


def _summary(bound: Bound) -> Summary:
    count = _column(bound, "count", bound.values["count"], DataType.INT64)
    total = _column(bound, "sum", bound.values["sum"], DataType.FLOAT64)
    given = bound.values["quantile_values"]
    if not isinstance(given, dict) or not given:
        message = "'quantile_values' must be a dict of quantiles and columns that is not empty"
        raise Fault(message, Kind.OTEL, node=bound.node("quantile_values"))
    quantiles = {}
    for key, value in given.items():
        if not isinstance(key, float) or not 0 <= key <= 1:
            raise Fault("a quantile is a float from 0.0 to 1.0", Kind.OTEL, node=bound.node("quantile_values"))
        quantiles[key] = _column(bound, "quantile_values", value, DataType.FLOAT64)
    attributes, unit = _attributes(bound, "attributes"), _unit(bound, next(iter(quantiles.values())).type)
    return Summary(_name(bound), count, total, quantiles, string(bound, "description"), attributes, unit)


def _span(bound: Bound) -> Span:
    name = _text_or_column(bound, "name", bound.values["name"])
    if isinstance(name, ColumnRef) and name.type.data is not DataType.STRING:
        raise Fault(f"a span's name must be STRING, this is {name.type.data.name}", Kind.OTEL, "", bound.node("name"))
    start, end = (_column(bound, each, bound.values[each], DataType.TIME64NS) for each in ("start_time", "end_time"))
    trace, own, parent = (
        None if bound.values[each] is None else _column(bound, each, bound.values[each], DataType.STRING)
        for each in ("trace_id", "span_id", "parent_span_id")
    )
    kind = integer(bound, "kind")
    if not 0 <= kind < len(_KINDS):
        raise Fault(f"{kind} is not a kind of span", Kind.OTEL, "use px.otel.trace.SPAN_KIND_...", bound.node("kind"))
    return Span(name, start, end, trace, own, parent, _attributes(bound, "attributes"), kind)
