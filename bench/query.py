"""PxL-shaped plans over generated http_events against the same SQL by hand in DuckDB: interleaved pairs, medians.

    python bench/query.py [--rows 10000000] [--pairs 7] [--only NAME]

Rows are made by DuckDB itself, in batches of 50,000 over one hour; about 260 bytes a row.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa

from sylph.plan.nodes import Limit, Map, Node, Plan
from sylph.plan.sql import statement
from sylph.pxl.compile import compile_script
from sylph.query.answer import Rows
from sylph.query.dataset import Snapshot
from sylph.query.engine import Engine, prepare
from sylph.query.limits import Limits
from sylph.tables import TABLES
from sylph.tables.entities import ENTITIES
from sylph.tables.rows import record_batch
from sylph.tables.types import DataType, arrow_schema
from sylph.testing.dataset import MemoryDataset
from sylph.testing.dataset import Rows as Held
from sylph.testing.plans import agg, assign, call, col, lit, plan, source, where

HTTP = TABLES["http_events"].relation
BATCH = 50_000
BEGAN = 1_760_000_000_000_000_000
HOUR = 3_600_000_000_000
ENDED = BEGAN + HOUR
PROCESSES = 200

_COLUMNS = {
    "upid": "('00000001-0000-0000-0000-' || lpad((hash(i) % 200)::VARCHAR, 12, '0'))::UUID",
    "remote_addr": "'10.0.' || (hash(i, 1) % 4) || '.' || (hash(i, 2) % 120)",
    "remote_port": "(1024 + hash(i, 3) % 60000)::BIGINT",
    "local_addr": "'10.1.0.' || (hash(i) % 200)",
    "local_port": "8080::BIGINT",
    "trace_role": "(1 + hash(i, 4) % 2)::BIGINT",
    "req_headers": """'{"Accept":"*/*","Host":"svc-' || (hash(i, 5) % 50) || '","X-Request-Id":"' || hash(i, 6) || '"}'""",
    "req_method": "['GET', 'GET', 'GET', 'POST', 'PUT'][1 + (hash(i, 7) % 5)::INT]",
    "req_path": "'/api/v1/users/' || (hash(i, 8) % 2000)",
    "resp_status": "[200, 200, 200, 200, 200, 200, 201, 204, 404, 500][1 + (hash(i, 9) % 10)::INT]::BIGINT",
    "resp_body": """'{"id":' || (hash(i, 10) % 100000) || ',"status":"ok"}'""",
    "resp_body_size": "(hash(i, 11) % 5000)::BIGINT",
    "latency": "(exp(13 + 3 * (hash(i, 12) % 100000) / 100000.0) + hash(i, 13) % 1000)::BIGINT",
}
_ZERO = {DataType.STRING: "''", DataType.BOOLEAN: "false", DataType.INT64: "0::BIGINT"}


def generate(rows: int, place: int = 0, count: int = 1) -> list[pa.RecordBatch]:
    """`rows` http_events in time order over the hour; of the batches every `count`-th, from `place`."""
    connection = duckdb.connect(config={"threads": 2})
    connection.execute("SET enable_progress_bar = false")
    connection.execute("SET arrow_lossless_conversion = true")
    step = HOUR // rows
    columns = [f"({BEGAN} + i * {step})::BIGINT AS time_"]
    columns += [
        f"{_COLUMNS.get(name, _ZERO.get(kind.data, ''))} AS {name}" for name, kind in HTTP.items() if name != "time_"
    ]
    schema = arrow_schema(HTTP)
    batches = []
    for first in range(0, rows, BATCH)[place::count]:
        text = f"SELECT {', '.join(columns)} FROM range({first}, {min(first + BATCH, rows)}) AS r(i)"
        table = connection.sql(text).to_arrow_table()
        arrays = [
            column.combine_chunks() if not isinstance(column.type, pa.Bool8Type) else
            pa.array([False] * len(column)) for column in table.columns
        ]  # fmt: skip
        batches.append(pa.RecordBatch.from_arrays(arrays, schema=schema))
    return batches


class Pruned(MemoryDataset):
    """Gives only the batches that overlap the time range, as the store does."""

    @contextmanager
    def snapshot(self, table: str, start: int | None, end: int | None) -> Iterator[Snapshot]:
        batches = self.rows[table].batches
        kept = [
            batch
            for batch, (low, high) in zip(batches, bounds(batches), strict=True)
            if (end is None or low <= end) and (start is None or high >= start)
        ]
        yield Held(kept, [])


_bounds: list[tuple[int, int]] = []


def bounds(batches: list[pa.RecordBatch]) -> list[tuple[int, int]]:
    if not _bounds:
        _bounds.extend((batch["time_"][0].as_py(), batch["time_"][-1].as_py()) for batch in batches)
    return _bounds


def processes() -> pa.Table:
    rows = [
        {
            "upid": (1 << 96) + int(f"{i:012d}", 16),
            "service_name": f"ns{i % 8}/svc-{i % 51}" if i % 51 else "",
            "pod_name": f"ns{i % 8}/pod-{i}",
        }
        for i in range(PROCESSES)
    ]
    return pa.Table.from_batches([record_batch(ENTITIES["process"], rows)])


def with_service(node: Node) -> Node:
    mapped = assign(node, service=call("upid_to_service_name", col(node, "upid")))
    return where(mapped, call("notEqual", col(mapped, "service"), lit("")))


def service_stats() -> Plan:
    node = with_service(source("http_events", start=BEGAN))
    node = assign(node, failure=call("greaterThanEqual", col(node, "resp_status"), lit(400)))
    stats = agg(
        node,
        ["service"],
        requests=("latency", "count"),
        mean=("latency", "mean"),
        quantiles=("latency", "quantiles"),
        errors=("failure", "sum"),
        error_rate=("failure", "mean"),
        bytes=("resp_body_size", "sum"),
    )
    return plan(stats)


SERVICE_STATS = """
SELECT m.service_name AS service, count(*) AS requests, avg(latency) AS mean,
  approx_quantile(latency, [0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99]) AS quantiles,
  sum((resp_status >= 400)::INT)::BIGINT AS errors, avg((resp_status >= 400)::INT) AS error_rate,
  sum(resp_body_size)::BIGINT AS bytes
FROM h JOIN m ON h.upid = m.upid WHERE m.service_name <> '' GROUP BY 1 LIMIT 10000"""


def time_bins() -> Plan:
    node = source("http_events", start=ENDED - HOUR // 12)
    node = assign(
        node,
        timestamp=call("bin", col(node, "time_"), lit(1_000_000_000)),
        pod=call("upid_to_pod_name", col(node, "upid")),
        failure=call("greaterThanEqual", col(node, "resp_status"), lit(400)),
    )
    stats = agg(
        node,
        ["timestamp", "pod"],
        requests=("latency", "count"),
        mean=("latency", "mean"),
        errors=("failure", "sum"),
    )
    return plan(stats)


TIME_BINS = f"""
SELECT time_ - time_ % 1000000000 AS timestamp, coalesce(m.pod_name, '') AS pod, count(*) AS requests, avg(latency) AS mean,
  sum((resp_status >= 400)::INT)::BIGINT AS errors
FROM h LEFT JOIN m ON h.upid = m.upid WHERE time_ >= {ENDED - HOUR // 12} GROUP BY 1, 2 LIMIT 10000"""


def filter_limit() -> Plan:
    node = source("http_events", start=ENDED - 60_000_000_000)
    failed = where(node, call("greaterThanEqual", col(node, "resp_status"), lit(500)))
    shown = Map(
        failed,
        (
            *((name, col(failed, name)) for name in ("time_", "req_method", "req_path", "resp_status", "latency")),
            ("pod", call("upid_to_pod_name", col(failed, "upid"))),
        ),
    )
    return plan(Limit(shown, 100))


FILTER_LIMIT = f"""
SELECT time_, req_method, req_path, resp_status, latency, coalesce(m.pod_name, '') AS pod
FROM h LEFT JOIN m ON h.upid = m.upid WHERE time_ >= {ENDED - 60_000_000_000} AND resp_status >= 500 LIMIT 100"""


#: What px/service and px/services ask of http_events, as PxL. The helper is theirs.
PXL = f"""
import px
window_ns = px.DurationNanos(10 * 1000 * 1000 * 1000)

def let():
    df = px.DataFrame('http_events', start_time={BEGAN})
    df.service = df.ctx['service']
    df.pod = df.ctx['pod']
    df = df[df.service != '']
    df = df[df.trace_role == 2]
    df = df[not px.contains(df.req_path, '/healthz')]
    df = df[not px.contains(df.req_path, '/readyz')]
    df = df[not (df.remote_addr == '-')]
    df.failure = df.resp_status >= 400
    df.timestamp = px.bin(df.time_, window_ns)
    return df

def aggregate(df, groups):
    df = df.groupby(groups).agg(
        latency=('latency', px.quantiles), error_rate=('failure', px.mean), requests=('latency', px.count),
        bytes=('resp_body_size', px.sum))
    return df
"""
SERVICE = "ns1/svc-1"
_HAND = f"""FROM h JOIN m ON h.upid = m.upid WHERE time_ >= {BEGAN} AND m.service_name <> '' AND trace_role = 2
  AND NOT contains(req_path, '/healthz') AND NOT contains(req_path, '/readyz') AND remote_addr <> '-'"""
_STATS = """approx_quantile(latency, [0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99]) AS latency,
  avg((resp_status >= 400)::INT) AS error_rate, count(*) AS requests, sum(resp_body_size)::BIGINT AS bytes"""
_BIN = "time_ - time_ % 10000000000 AS timestamp"
_ONE = f"AND m.service_name = '{SERVICE}'"
#: By name: the last lines of the script, the SQL by hand.
SCRIPTS = {
    "service: time series": (
        f"""
df = let()
df = df[px.has_service_name(df.service, '{SERVICE}')]
px.display(aggregate(df, ['timestamp']))""",
        f"SELECT {_BIN}, {_STATS} {_HAND} {_ONE} GROUP BY 1 LIMIT 10000",
    ),
    "service: requestors": (
        f"""
df = aggregate(let(), ['service', 'remote_addr'])
px.display(df[px.has_service_name(df.service, '{SERVICE}')])""",
        f"SELECT m.service_name AS service, remote_addr, {_STATS} {_HAND} {_ONE} GROUP BY 1, 2 LIMIT 10000",
    ),
    "services: time series": (
        "px.display(aggregate(let(), ['timestamp', 'service']))",
        f"SELECT {_BIN}, m.service_name AS service, {_STATS} {_HAND} GROUP BY 1, 2 LIMIT 10000",
    ),
    "services: summary": (
        "px.display(aggregate(let(), ['service']))",
        f"SELECT m.service_name AS service, {_STATS} {_HAND} GROUP BY 1 LIMIT 10000",
    ),
    # Paths stand in for statements: as many distinct texts, cut by a regular expression, then counted and timed.
    "queries: by normal form": (
        """
df = let()
df.normal = px.replace('[0-9]+', df.req_path, '?')
px.display(aggregate(df, ['timestamp', 'normal']))""",
        (
            f"SELECT {_BIN}, regexp_replace(req_path, '[0-9]+', '?', 'g') AS normal, {_STATS} {_HAND}"
            " GROUP BY 1, 2 LIMIT 10000"
        ),
    ),
}


def plans() -> dict[str, Plan]:
    """Every query, by name."""
    built = {"service stats": service_stats(), "time bins 1 s": time_bins(), "filter + limit": filter_limit()}
    return built | {
        name: compile_script(PXL + text, tables=TABLES, now_ns=ENDED) for name, (text, _) in SCRIPTS.items()
    }


def resident(field: str) -> int:
    """VmRSS or VmHWM, in bytes."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024


@dataclass
class Case:
    plan: Plan
    sql: str
    start: int | None
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)


def timed(run: Callable[[], object], into: list[float]) -> None:
    began = time.perf_counter()
    run()
    into.append((time.perf_counter() - began) * 1e3)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    threads = os.cpu_count() or 1

    began = time.perf_counter()
    data = Pruned()
    data.rows["http_events"] = Held(generate(options.rows), [])
    data.metadata["process"] = processes()
    size = sum(batch.nbytes for batch in data.rows["http_events"].batches)
    print(f"{options.rows} rows, {size / 1e9:.2f} GB, made in {time.perf_counter() - began:.0f} s; {threads} threads")

    engine = Engine(data)
    hand = duckdb.connect(config={"threads": threads})
    hand.register("m", data.metadata["process"])
    limits = Limits(memory=2**31)
    hands = {
        "service stats": (SERVICE_STATS, BEGAN),
        "time bins 1 s": (TIME_BINS, ENDED - HOUR // 12),
        "filter + limit": (FILTER_LIMIT, ENDED - 60_000_000_000),
        **{name: (sql, BEGAN) for name, (_, sql) in SCRIPTS.items()},
    }
    cases = {name: Case(asked, *hands[name]) for name, asked in plans().items()}
    for name, case in cases.items():
        if options.only not in name:
            continue

        def ours(case: Case = case) -> int:
            return sum(r.batch.num_rows for r in engine.run(case.plan, limits=limits) if isinstance(r, Rows))

        def theirs(case: Case = case) -> int:
            # By hand too, batches outside the time range are left out.
            with data.snapshot("http_events", case.start, None) as snapshot:
                hand.register("h", pa.Table.from_batches(list(snapshot.batches)))
            return hand.sql(case.sql).to_arrow_table().num_rows

        # The peak begins anew here, and is what this query needs beyond the rows.
        Path("/proc/self/clear_refs").write_text("5")
        before = resident("VmRSS")
        count = ours()
        needed = resident("VmHWM") - before
        assert count == theirs(), (name, count, theirs())
        for _ in range(options.pairs):
            timed(ours, case.ours)
            timed(theirs, case.theirs)
        a, b = statistics.median(case.ours), statistics.median(case.theirs)
        writing = []
        for _ in range(20):
            timed(lambda case=case: [statement(s.input) for s in prepare(case.plan, limits).sinks], writing)
        print(
            f"{name:24} plan {a:8.1f} ms   by hand {b:8.1f} ms   ratio {a / b:5.2f}   difference {a - b:+6.1f} ms"
            f"   rules + SQL {statistics.median(writing):.2f} ms   memory {needed / 2**20:4.0f} MiB",
            flush=True,
        )
    engine.close()
    hand.close()


if __name__ == "__main__":
    main()
