"""The same plan over one store and over shards: the same answer."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest

from sylph.plan.nodes import Limit, Node, PartialAggregate, Plan, Union
from sylph.plan.split import split
from sylph.query.answer import CancelToken, Code, QueryError, QueryWarning, Result, Rows, Stats, TableMeta
from sylph.query.engine import Engine, prepare
from sylph.query.limits import Limits
from sylph.query.sharded import ShardedEngine
from sylph.tables import TABLES
from sylph.tables.entities import ENTITIES
from sylph.tables.rows import record_batch
from sylph.testing.dataset import MemoryDataset
from sylph.testing.plans import agg, assign, call, col, join, keep, lit, plan, source, where
from tests.query.travelled import Travelled

HTTP = TABLES["http_events"].relation


class Broken:
    """An agent that fails after it began to answer."""

    def run_part(
        self, plan: Plan, *, limits: Limits | None = None, cancel: CancelToken | None = None
    ) -> Iterator[Result]:
        del limits, cancel
        yield TableMeta(plan.sinks[0].name, plan.sinks[0].input.relation)
        raise QueryError(Code.UNAVAILABLE, "connection lost")


def shards(count: int) -> list[MemoryDataset]:
    """`count` nodes, of which the last has no rows."""
    nodes = [MemoryDataset() for _ in range(count)]
    rows = [
        {"time_": i, "upid": i % 5, "latency": i * 10, "req_path": f"/p{i % 4}", "resp_status": 200 + i % 7}
        for i in range(300)
    ]
    for i, data in enumerate(nodes[:-1]):
        data.add("http_events", record_batch(HTTP, rows[i :: count - 1]))
    for data in nodes:
        processes = [{"upid": i, "service_name": f"ns/s{i % 2}"} for i in range(4)]
        table = record_batch(ENTITIES["process"], processes)
        data.metadata["process"] = pa.Table.from_batches([table])
    return nodes


def whole(nodes: list[MemoryDataset]) -> MemoryDataset:
    data = MemoryDataset(metadata=nodes[0].metadata)
    for node in nodes:
        for batch in node.rows["http_events"].batches if node.rows else ():
            data.add("http_events", batch)
    return data


def answers(results: Iterator[Result]) -> dict[str, list[str]]:
    tables: dict[str, list[str]] = {}
    for result in results:
        if isinstance(result, Rows):
            tables.setdefault(result.name, []).extend(map(repr, result.batch.to_pylist()))
        assert not isinstance(result, QueryWarning)
    return {name: sorted(rows) for name, rows in tables.items()}


def served(node: Node) -> Node:
    mapped = assign(node, service=call("upid_to_service_name", col(node, "upid")))
    return where(mapped, call("notEqual", col(mapped, "service"), lit("")))


def plans() -> dict[str, Node]:
    node = keep(source("http_events", start=20, end=280), "time_", "upid", "latency", "req_path", "resp_status")
    rows = served(node)
    total = agg(
        rows,
        ["service", "req_path"],
        n=("latency", "count"),
        sum=("latency", "sum"),
        mean=("latency", "mean"),
        least=("latency", "min"),
        most=("latency", "max"),
    )
    nothing = where(node, call("lessThan", col(node, "latency"), lit(-1)))
    again = agg(total, ["service"], n=("n", "sum"), most=("most", "max"))
    return {
        "rows": rows,
        "aggregate": total,
        "aggregate of aggregate": again,
        "no groups": agg(rows, n=("latency", "count"), mean=("latency", "mean")),
        "groups only": agg(rows, ["service"]),
        "join": join(total, again, "left", "service"),
        "join rows": join(rows, total, "inner", "service"),
        "join without keys": join(rows, agg(nothing, n=("latency", "count"), least=("latency", "min")), "outer"),
        "join of columns nobody reads": keep(join(total, keep(again, "n"), "inner"), "service"),
        "outer": join(total, agg(node, ["req_path"], first=("time_", "min")), "outer", "req_path"),
        "union": Union((keep(rows, "time_", "latency"), keep(node, "time_", "latency"))),
        "aggregate of union": agg(Union((keep(rows, "time_"), keep(node, "time_"))), n=("time_", "count")),
        "broker's column that nobody reads, before an agent's": keep(
            assign(
                assign(node, id=call("ip_to_pod_id", col(node, "req_path"))),
                pid=call("upid_to_pid", col(node, "upid")),
            ),
            "time_",
            "pid",
        ),
        "filtered groups": where(total, call("equal", col(total, "service"), lit("ns/s1"))),
        "nothing": agg(nothing, n=("latency", "count"), least=("latency", "min")),
    }


@pytest.mark.parametrize("name", list(plans()))
def test_shards_answer_as_one(name: str) -> None:
    nodes = shards(4)
    engine = Engine(whole(nodes))
    sharded = ShardedEngine(
        [(f"node-{i}", Travelled(Engine(node))) for i, node in enumerate(nodes)], Engine(MemoryDataset())
    )
    query = plan(plans()[name])
    expected = answers(engine.run(query))
    assert answers(sharded.run(query)) == expected
    assert expected["output"]


def test_all_sinks_at_once() -> None:
    nodes = shards(3)
    sharded = ShardedEngine(
        [(f"node-{i}", Travelled(Engine(node))) for i, node in enumerate(nodes)], Engine(MemoryDataset())
    )
    query = plan(*plans().values())
    assert answers(sharded.run(query)) == answers(Engine(whole(nodes)).run(query))


def test_limit_takes_so_many_of_all() -> None:
    nodes = shards(4)
    sharded = ShardedEngine(
        [(f"node-{i}", Travelled(Engine(node))) for i, node in enumerate(nodes)], Engine(MemoryDataset())
    )
    (rows,) = answers(sharded.run(plan(Limit(served(source("http_events")), 30)))).values()
    every = answers(Engine(whole(nodes)).run(plan(served(source("http_events")))))["output"]
    assert len(rows) == len(set(rows)) == 30
    assert set(rows) <= set(every)
    (rows,) = answers(sharded.run(plan(Limit(source("http_events"), 5, per_agent=True)))).values()
    assert len(rows) == 15


def test_a_service_summary_ships_little() -> None:
    nodes = shards(2)
    more = [{"time_": i, "upid": i % 4, "latency": i, "req_body": "x" * 100} for i in range(10_000)]
    batch = record_batch(HTTP, more)
    for _ in range(100):
        nodes[0].add("http_events", batch)
    shipped = 0

    class Counted(Travelled):
        def run_part(
            self, plan: Plan, *, limits: Limits | None = None, cancel: CancelToken | None = None
        ) -> Iterator[Result]:
            nonlocal shipped
            for result in super().run_part(plan, limits=limits, cancel=cancel):
                if isinstance(result, Rows):
                    shipped += result.batch.nbytes
                yield result

    sharded = ShardedEngine([("a", Counted(Engine(nodes[0])))], Engine(MemoryDataset()))
    summary = agg(
        served(source("http_events")), ["service"], n=("latency", "count"), quantiles=("latency", "quantiles")
    )
    results = list(sharded.run(plan(summary)))
    assert 0 < shipped < 20_000
    (stats,) = (result for result in results if isinstance(result, Stats))
    assert stats.records == 1_000_300


def test_an_aggregate_of_an_append_ships_states_not_rows() -> None:
    nodes = shards(3)
    rows = keep(served(source("http_events")), "time_", "latency", "service")
    both = agg(Union((rows, rows)), ["service"], n=("latency", "count"), sum=("latency", "sum"))
    query = plan(both)
    (sink,) = split(prepare(query, Limits())).agent.sinks
    assert isinstance(sink.input, PartialAggregate)
    sharded = ShardedEngine(
        [(f"node-{i}", Travelled(Engine(node))) for i, node in enumerate(nodes)], Engine(MemoryDataset())
    )
    assert answers(sharded.run(query)) == answers(Engine(whole(nodes)).run(query))


def test_one_failing_agent_is_a_warning_and_all_an_error() -> None:
    nodes = shards(3)
    good = [(f"node-{i}", Travelled(Engine(node))) for i, node in enumerate(nodes)]
    query = plan(agg(source("http_events"), n=("latency", "count")))
    results = list(ShardedEngine([*good, ("node-x", Broken())], Engine(MemoryDataset())).run(query))
    assert [r.message for r in results if isinstance(r, QueryWarning)] == ["no rows of node-x: connection lost"]
    assert [r.batch.to_pylist() for r in results if isinstance(r, Rows)] == [[{"n": 300}]]
    with pytest.raises(QueryError, match="connection lost"):
        list(ShardedEngine([("node-x", Broken())], Engine(MemoryDataset())).run(query))
    with pytest.raises(QueryError, match="no agent"):
        list(ShardedEngine([], Engine(MemoryDataset())).run(query))


def test_what_agents_send_is_bounded() -> None:
    nodes = shards(3)
    nodes[0].add("http_events", record_batch(HTTP, [{"req_body": "x" * 2000}] * 9000))
    sharded = ShardedEngine(
        [(f"node-{i}", Travelled(Engine(node))) for i, node in enumerate(nodes)], Engine(MemoryDataset())
    )
    with pytest.raises(QueryError, match="aggregate before") as error:
        list(sharded.run(plan(source("http_events")), limits=Limits(memory=16 * 2**20)))
    assert error.value.code is Code.RESOURCE_EXHAUSTED
