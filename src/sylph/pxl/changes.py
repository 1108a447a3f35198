"""What a script wants changed or exported, as text for `px explain`."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping

from sylph.plan.expressions import ColumnRef
from sylph.pxl.mutations import (
    DeleteTracepoint,
    Endpoint,
    Export,
    Gauge,
    Kprobe,
    LabelSelector,
    Mutation,
    PodProcess,
    Probe,
    Probed,
    SetAgentConfig,
    SharedObject,
    Span,
    Summary,
    Target,
    TextOrColumn,
    Upid,
    UpsertTracepoint,
)

_NS_PER_SECOND = 1_000_000_000
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def changes_text(mutations: tuple[Mutation, ...], exports: tuple[Export, ...]) -> str:
    """One block for each mutation and export, in the script's order."""
    blocks = [_mutation(mutation) for mutation in mutations] + [_export(export) for export in exports]
    return "".join("\n".join(block) + "\n" for block in blocks)


def _mutation(mutation: Mutation) -> list[str]:
    match mutation:
        case UpsertTracepoint():
            return list(_upsert(mutation))
        case DeleteTracepoint():
            return [f"delete tracepoint {mutation.name}"]
        case SetAgentConfig():
            return [f"set {mutation.key} = {mutation.value} in agent {mutation.agent_pod}"]


def _upsert(asked: UpsertTracepoint) -> Iterator[str]:
    yield f"deploy tracepoint {asked.name} on {_target(asked.target)}, for {_duration(asked.ttl_ns)}"
    if asked.relation is None:
        yield f"  table {asked.table}: types are those of the probed program; what reads it is checked once it is there"
    else:
        columns = ", ".join(f"{name} {kind.data.name}" for name, kind in asked.relation.items())
        yield f"  table {asked.table}: {columns}"
    if isinstance(asked.programs, Probe):
        yield f"  probe {asked.programs.function}"
        for name, probed in asked.programs.columns.items():
            yield f"    {name} = {_probed(probed)}"
        return
    for program in asked.programs:
        wanted = ", ".join(f"{key}={value}" for key, value in program.selectors.items())
        yield f"  bpftrace program{f' for {wanted}' if wanted else ''}"
        for line in program.program.strip("\n").splitlines():
            yield f"    {line}"


def _probed(probed: Probed) -> str:
    return "latency of the call" if probed.kind == "latency" else f"{probed.kind} {probed.expression}"


def _target(target: Target) -> str:
    match target:
        case Kprobe():
            return "the kernel"
        case SharedObject(name, upid):
            return f"library {name} of process {uuid.UUID(int=upid)}"
        case Upid(upid):
            return f"process {uuid.UUID(int=upid)}"
        case PodProcess(pod, container, process):
            return f"pod {pod}{_within(container, process)}"
        case LabelSelector(labels, namespace, container, process):
            wanted = ", ".join(f"{key}={value}" for key, value in labels.items())
            return f"pods with {wanted} in namespace {namespace}{_within(container, process)}"


def _within(container: str, process: str) -> str:
    return (f", container {container}" if container else "") + (f", process {process}" if process else "")


def _duration(nanoseconds: int) -> str:
    for seconds, unit in _UNITS:
        if nanoseconds % (seconds * _NS_PER_SECOND) == 0:
            return f"{nanoseconds // (seconds * _NS_PER_SECOND)}{unit}"
    return f"{nanoseconds / _NS_PER_SECOND:g}s"


def _export(export: Export) -> list[str]:
    lines = [f"export OpenTelemetry data to {_endpoint(export.endpoint)}"]
    lines += [f"  resource {key} = {_value(value)}" for key, value in export.resource.items()]
    for data in export.data:
        match data:
            case Gauge():
                lines.append(f"  gauge {data.name} = {_value(data.value)}{_unit(data.unit)}")
            case Summary():
                quantiles = ", ".join(f"q{q:g} = {_value(column)}" for q, column in data.quantile_values.items())
                lines.append(
                    f"  summary {data.name}: count = {_value(data.count)}, sum = {_value(data.sum)}, {quantiles}"
                    f"{_unit(data.unit)}"
                )
            case Span():
                lines.append(f"  span {_value(data.name)} from {_value(data.start_time)} to {_value(data.end_time)}")
        lines += _attributes(data.attributes)
    return lines


def _endpoint(endpoint: Endpoint | None) -> str:
    if endpoint is None:
        return "the plugin's endpoint"
    # Values of headers are secrets more often than not.
    headers = f", headers {', '.join(endpoint.headers)}" if endpoint.headers else ""
    return f"{endpoint.url}{' without TLS' if endpoint.insecure else ''}{headers}"


def _attributes(attributes: Mapping[str, TextOrColumn]) -> list[str]:
    return [f"    attribute {key} = {_value(value)}" for key, value in attributes.items()]


def _value(value: TextOrColumn) -> str:
    return f"column {value.name}" if isinstance(value, ColumnRef) else f'"{value}"'


def _unit(unit: str) -> str:
    return f" ({unit})" if unit else ""
