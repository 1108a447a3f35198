"""What states of aggregates weigh on their way, and what they still say."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pyarrow as pa
import pytest

from sylph.plan.nodes import Plan
from sylph.query.answer import CancelToken, Result, Rows
from sylph.query.engine import Engine
from sylph.query.limits import Limits
from sylph.query.sharded import ShardedEngine
from sylph.tables import TABLES
from sylph.tables.entities import ENTITIES
from sylph.tables.rows import record_batch
from sylph.testing.dataset import MemoryDataset
from sylph.testing.plans import agg, assign, call, col, plan, source
from tests.query.travelled import Travelled

SERVICES = 200
AGENTS = 20


class Counted(Travelled):
    """An agent that counts the bytes it sends, as they would travel."""

    sent = 0

    def run_part(
        self, plan: Plan, *, limits: Limits | None = None, cancel: CancelToken | None = None
    ) -> Iterator[Result]:
        for result in super().run_part(plan, limits=limits, cancel=cancel):
            if isinstance(result, Rows):
                sink = pa.BufferOutputStream()
                with pa.ipc.new_stream(sink, result.batch.schema) as writer:
                    writer.write_batch(result.batch)
                Counted.sent += sink.getvalue().size
            yield result


def datasets(rows_of_service: int) -> list[MemoryDataset]:
    """One for each agent. Latencies of each service are 0, 1, 2, ... over all agents."""
    count = rows_of_service * SERVICES
    rows = record_batch(
        TABLES["http_events"].relation, [{"time_": i, "upid": i % SERVICES, "latency": 0} for i in range(count)]
    )
    processes = [{"upid": i, "service_name": f"ns/s{i}"} for i in range(SERVICES)]
    table = pa.Table.from_batches([record_batch(ENTITIES["process"], processes)])
    made = []
    for place in range(AGENTS):
        latencies = pa.array([(i // SERVICES) * AGENTS + place for i in range(count)], pa.int64())
        data = MemoryDataset(metadata={"process": table})
        field = rows.schema.get_field_index("latency")
        data.add("http_events", rows.set_column(field, rows.schema.field(field), latencies))
        made.append(data)
    return made


@pytest.mark.parametrize(("rows_of_service", "off"), [(250, 0.015), (5, 0.006)])
def test_a_service_summary_of_many_agents_ships_less_than_a_megabyte(rows_of_service: int, off: float) -> None:
    agents = [
        (f"node-{place}", Counted(Engine(data, running=1, threads=1)))
        for place, data in enumerate(datasets(rows_of_service))
    ]
    node = source("http_events")
    node = assign(node, service=call("upid_to_service_name", col(node, "upid")))
    summary = agg(node, ["service"], n=("latency", "count"), quantiles=("latency", "quantiles"))
    Counted.sent = 0
    engine = ShardedEngine(agents, Engine(MemoryDataset(), running=1))
    rows = [row for result in engine.run(plan(summary)) if isinstance(result, Rows) for row in result.batch.to_pylist()]
    assert len(rows) == SERVICES
    count = rows_of_service * AGENTS
    for row in rows:
        assert row["n"] == count
        for key, value in json.loads(row["quantiles"]).items():
            assert value / (count - 1) == pytest.approx(int(key[1:]) / 100, abs=off)
    assert 1_000 < Counted.sent < 1_000_000
    for _, agent in agents:
        agent.engine.close()
