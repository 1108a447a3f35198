"""Rows that an agent writes about itself: what its sources report, what was lost, what it uses."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sylph.tables import TABLES
from sylph.tables.rows import Row, record_batch

if TYPE_CHECKING:
    import pyarrow as pa

_PAGE = resource.getpagesize()

#: Codes of `stirling_error.status` and `probe_status.status` that an agent writes.
OK = 0
INTERNAL = 9
RESOURCE_UNAVAILABLE = 11
FAILED_PRECONDITION = 13


@dataclass(frozen=True, slots=True)
class Loss:
    """Rows that reached the agent and are in no table. `upid` is 0 when they are of no single process."""

    table: str
    cause: str
    events: int
    bytes: int = 0
    upid: int = 0


def loss_batch(losses: Iterable[Loss]) -> pa.RecordBatch:
    """Losses as rows of `capture_loss`."""
    now = time.time_ns()
    rows: list[Row] = [
        {
            "time_": now,
            "upid": loss.upid,
            "table_name": loss.table,
            "cause": loss.cause,
            "events": loss.events,
            "bytes": loss.bytes,
        }
        for loss in losses
    ]
    return record_batch(TABLES["capture_loss"].relation, rows)


def source_batch(upid: int, source: str, status: int, error: str, context: str) -> pa.RecordBatch:
    """One report of a source as a row of `stirling_error`."""
    row: Row = {
        "time_": time.time_ns(),
        "upid": upid,
        "source_connector": source,
        "status": status,
        "error": error,
        "context": context,
    }
    return record_batch(TABLES["stirling_error"].relation, [row])


def probe_batch(upid: int, reports: Iterable[Row]) -> pa.RecordBatch:
    """Statuses of kernel programs (source_connector, tracepoint, status, error, info) as rows of `probe_status`."""
    now = time.time_ns()
    rows: list[Row] = [{"time_": now, "upid": upid, **report} for report in reports]
    return record_batch(TABLES["probe_status"].relation, rows)


def usage() -> dict[str, int]:
    """CPU and memory of this process, by metric name."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return {
        "cpu.user_ns": int(used.ru_utime * 1e9),
        "cpu.system_ns": int(used.ru_stime * 1e9),
        "memory.rss_bytes": pages * _PAGE,
        "memory.peak_rss_bytes": used.ru_maxrss * 1024,
        "context_switches": used.ru_nvcsw + used.ru_nivcsw,
    }


def stats_batch(upid: int, values: Mapping[tuple[str, str], int]) -> pa.RecordBatch:
    """Measurements, by (metric, label), as rows of `agent_stats`."""
    now = time.time_ns()
    rows: list[Row] = [
        {"time_": now, "upid": upid, "metric": metric, "label": label, "value": value}
        for (metric, label), value in values.items()
    ]
    return record_batch(TABLES["agent_stats"].relation, rows)
