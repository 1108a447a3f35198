"""Which agents there are, as metadata knows them."""

from __future__ import annotations

from collections.abc import Mapping

from sylph import __version__
from sylph.plan.expressions import LiteralValue
from sylph.query.dataset import Dataset
from sylph.tables.rows import Row


def _agents(dataset: Dataset, *columns: str) -> list[Row]:
    agents = dataset.entities()["agent"].select([*columns])
    # One process is agent and broker here, so that leaving brokers out leaves nobody out.
    return [{**row, **({"agent_id": row["agent_id"].int} if "agent_id" in row else {})} for row in agents.to_pylist()]


def get_agent_status(dataset: Dataset, _: Mapping[str, LiteralValue]) -> list[Row]:
    """`GetAgentStatus`."""
    return _agents(
        dataset,
        "agent_id",
        "asid",
        "hostname",
        "ip_address",
        "agent_state",
        "create_time",
        "last_heartbeat_ns",
        "kernel_headers_installed",
    )


def get_sampling_period(dataset: Dataset, _: Mapping[str, LiteralValue]) -> list[Row]:
    """`GetProfilerSamplingPeriodMS`."""
    return _agents(dataset, "asid", "profiler_sampling_period_ms")


def get_headers_status(dataset: Dataset, _: Mapping[str, LiteralValue]) -> list[Row]:
    """`GetLinuxHeadersStatus`."""
    return _agents(dataset, "asid", "kernel_headers_installed")


def version(dataset: Dataset, _: Mapping[str, LiteralValue]) -> list[Row]:
    """`Version`."""
    return [{"asid": dataset.constants.get("asid", 0), "version": __version__}]


def metadata_state(dataset: Dataset, _: Mapping[str, LiteralValue]) -> list[Row]:
    """`_DebugMDState`: how many rows each entity has."""
    sizes = ", ".join(f"{name} {table.num_rows}" for name, table in sorted(dataset.entities().items()))
    constants = dataset.constants
    return [{"asid": constants.get("asid", 0), "pod_name": constants.get("hostname", ""), "debug_state": sizes}]


PROVIDERS = {
    "GetAgentStatus": get_agent_status,
    "GetProfilerSamplingPeriodMS": get_sampling_period,
    "GetLinuxHeadersStatus": get_headers_status,
    "Version": version,
    "_DebugMDState": metadata_state,
}
