"""What a script asks to be changed rather than shown: probes, agents' settings, rows sent elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sylph.plan.expressions import ColumnRef
from sylph.plan.nodes import Node
from sylph.tables.types import Relation


@dataclass(frozen=True, slots=True)
class Probed:
    """One column of a probe: an argument, a returned value, or the latency (`expression` "")."""

    kind: str
    expression: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    """A probe on a function of a program: its name there, and the columns to record."""

    function: str
    columns: Mapping[str, Probed]


@dataclass(frozen=True, slots=True)
class TraceProgram:
    """A bpftrace program, for agents that every selector (min_kernel, max_kernel, host_name) fits."""

    program: str
    selectors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kprobe:
    """The kernel."""


@dataclass(frozen=True, slots=True)
class SharedObject:
    """A library, found through a process that uses it."""

    name: str
    upid: int


@dataclass(frozen=True, slots=True)
class PodProcess:
    """A process of a pod."""

    pod: str
    container: str = ""
    process: str = ""


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """Processes of the pods with these labels."""

    labels: Mapping[str, str]
    namespace: str
    container: str = ""
    process: str = ""


@dataclass(frozen=True, slots=True)
class Upid:
    """One process."""

    upid: int


Target = Kprobe | SharedObject | PodProcess | LabelSelector | Upid


@dataclass(frozen=True, slots=True)
class UpsertTracepoint:
    """Deploy a tracepoint, or let it live on. `relation` is None when only the probed program tells the types."""

    name: str
    table: str
    programs: tuple[TraceProgram, ...] | Probe
    target: Target
    ttl_ns: int
    relation: Relation | None


@dataclass(frozen=True, slots=True)
class DeleteTracepoint:
    """Remove a tracepoint."""

    name: str


@dataclass(frozen=True, slots=True)
class SetAgentConfig:
    """Change one setting of one agent; a dot in `key` nests."""

    agent_pod: str
    key: str
    value: str


Mutation = UpsertTracepoint | DeleteTracepoint | SetAgentConfig

#: An attribute or name: a fixed text, or a column.
TextOrColumn = str | ColumnRef


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where OpenTelemetry data goes. `timeout` in seconds."""

    url: str
    headers: Mapping[str, str]
    insecure: bool = False
    timeout: int = 5


@dataclass(frozen=True, slots=True)
class Gauge:
    """A value at each row's time."""

    name: str
    value: ColumnRef
    description: str
    attributes: Mapping[str, TextOrColumn]
    unit: str


@dataclass(frozen=True, slots=True)
class Summary:
    """A count, a sum and quantiles at each row's time."""

    name: str
    count: ColumnRef
    sum: ColumnRef
    quantile_values: Mapping[float, ColumnRef]
    description: str
    attributes: Mapping[str, TextOrColumn]
    unit: str


@dataclass(frozen=True, slots=True)
class Span:
    """A span for each row. Ids that are None are made up; a parent that is None is none."""

    name: TextOrColumn
    start_time: ColumnRef
    end_time: ColumnRef
    trace_id: ColumnRef | None
    span_id: ColumnRef | None
    parent_span_id: ColumnRef | None
    attributes: Mapping[str, TextOrColumn]
    kind: int


@dataclass(frozen=True, slots=True)
class Export:
    """Rows of a node as OpenTelemetry data; `endpoint` None is the plugin's."""

    input: Node
    resource: Mapping[str, TextOrColumn]
    data: tuple[Gauge | Summary | Span, ...]
    endpoint: Endpoint | None
