"""`px.otel`: rows as OpenTelemetry metrics and spans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from px.frame import Column
from px.outside import outside

#: Names with a text or a column.
Attributes: TypeAlias = "Mapping[str, Column | str]"


class Endpoint:
    """Where data goes: a collector, with headers; `timeout` in seconds."""

    def __init__(self, url: str, headers: Mapping[str, str] = {}, insecure: bool = False, timeout: int = 5) -> None:
        raise outside("otel.Endpoint")


class Gauge:
    """A value at each row's `time_`."""

    def __init__(
        self, name: str, value: Column, description: str = "", attributes: Attributes = {}, unit: str | None = None
    ) -> None:
        raise outside("otel.metric.Gauge")


class Summary:
    """A count, a sum and quantiles at each row's `time_`."""

    def __init__(
        self,
        name: str,
        count: Column,
        sum: Column,
        quantile_values: Mapping[float, Column],
        description: str = "",
        attributes: Attributes = {},
        unit: str | None = None,
    ) -> None:
        raise outside("otel.metric.Summary")


class Span:
    """A span for each row. Ids that are not given are made up."""

    def __init__(
        self,
        name: Column | str,
        start_time: Column,
        end_time: Column,
        trace_id: Column | None = None,
        span_id: Column | None = None,
        parent_span_id: Column | None = None,
        attributes: Attributes = {},
        kind: int = 2,
    ) -> None:
        raise outside("otel.trace.Span")


class Data:
    """What px.export() sends; `resource` must hold `service.name`."""

    def __init__(
        self, resource: Attributes, data: Sequence[Gauge | Summary | Span], endpoint: Endpoint | None = None
    ) -> None:
        raise outside("otel.Data")


class metric:
    """Metrics."""

    Gauge = Gauge
    Summary = Summary


class trace:
    """Spans and their kinds."""

    Span = Span
    SPAN_KIND_UNSPECIFIED = 0
    SPAN_KIND_INTERNAL = 1
    SPAN_KIND_SERVER = 2
    SPAN_KIND_CLIENT = 3
    SPAN_KIND_PRODUCER = 4
    SPAN_KIND_CONSUMER = 5
