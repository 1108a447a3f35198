"""Rows in the order of a sort, also past look-ups, limits and the way from several nodes; rows of JSON arrays."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest

from sylph.plan.nodes import Explode, Limit, Node, Plan, Sort
from sylph.plan.text import plan_text
from sylph.query.answer import CancelToken, Result, Rows
from sylph.query.engine import Engine, prepare
from sylph.query.limits import Limits
from sylph.query.sharded import ShardedEngine
from sylph.tables import TABLES
from sylph.tables.entities import ENTITIES
from sylph.tables.rows import Row, record_batch
from sylph.testing.dataset import MemoryDataset
from sylph.testing.plans import agg, assign, call, col, keep, lit, plan, source, where
from tests.query.travelled import Travelled

HTTP = TABLES["http_events"].relation
COUNT = 5000
LATENCIES = [i * 7919 % COUNT for i in range(COUNT)]
METADATA = {
    "pod": pa.Table.from_batches(
        [record_batch(ENTITIES["pod"], [{"pod_id": f"p{i}", "pod_name": f"n{i}"} for i in range(7)])]
    )
}


def rows() -> list[Row]:
    return [
        {"time_": i, "upid": i % 5, "latency": LATENCIES[i], "req_path": f"p{i % 7}", "resp_body": f'["{i}",{i}]'}
        for i in range(COUNT)
    ]


class Counted(Travelled):
    """Counts the rows that all of them send."""

    sent = 0

    def run_part(
        self, plan: Plan, *, limits: Limits | None = None, cancel: CancelToken | None = None
    ) -> Iterator[Result]:
        for result in super().run_part(plan, limits=limits, cancel=cancel):
            Counted.sent += result.batch.num_rows if isinstance(result, Rows) else 0
            yield result


@pytest.fixture(scope="module", params=["one store", "three nodes"])
def engine(request: pytest.FixtureRequest) -> Engine | ShardedEngine:
    drawn = rows()
    if request.param == "one store":
        data = MemoryDataset(metadata=METADATA)
        for at in range(0, COUNT, 500):
            data.add("http_events", record_batch(HTTP, drawn[at : at + 500]))
        return Engine(data, running=1)
    nodes = [MemoryDataset(metadata=METADATA) for _ in range(3)]
    for i, node in enumerate(nodes):
        node.add("http_events", record_batch(HTTP, drawn[i::3]))
    agents = [(str(i), Counted(Engine(node, running=1))) for i, node in enumerate(nodes)]
    return ShardedEngine(agents, Engine(MemoryDataset(metadata=METADATA), running=1))


def column(engine: Engine | ShardedEngine, node: Node, name: str) -> list[object]:
    found: list[object] = []
    for result in engine.run(plan(node)):
        if isinstance(result, Rows):
            found += result.batch.column(name).to_pylist()
    return found


def table() -> Node:
    return keep(source("http_events"), "time_", "upid", "latency", "req_path", "resp_body")


BY_LATENCY = (("latency", True), ("time_", True))


def test_sorted_rows_come_in_order(engine: Engine | ShardedEngine) -> None:
    assert column(engine, Sort(table(), BY_LATENCY), "latency") == sorted(LATENCIES)
    down = Sort(table(), (("upid", False), ("latency", True)))
    expected = [LATENCIES[i] for i in sorted(range(COUNT), key=lambda i: (-(i % 5), LATENCIES[i]))]
    assert column(engine, down, "latency") == expected


def test_the_order_stays_through_filters_maps_and_limits(engine: Engine | ShardedEngine) -> None:
    ordered = Sort(table(), (("latency", False),))
    some = where(ordered, call("equal", col(ordered, "upid"), lit(3, HTTP["upid"].data)))
    narrow = assign(keep(some, "upid", "latency"), twice=call("multiply", col(some, "latency"), lit(2)))
    expected = sorted((LATENCIES[i] * 2 for i in range(3, COUNT, 5)), reverse=True)
    assert column(engine, narrow, "twice") == expected
    assert column(engine, Limit(narrow, 40), "twice") == expected[:40]


def test_the_order_stays_past_look_ups(engine: Engine | ShardedEngine) -> None:
    first = Sort(table(), BY_LATENCY, 1000)
    named = assign(first, pod=call("pod_id_to_pod_name", col(first, "req_path")))
    # The key is gone, and what is looked up decides which rows are left.
    chosen = keep(where(named, call("notEqual", col(named, "pod"), lit("n3"))), "pod", "time_")
    at = {latency: i for i, latency in enumerate(LATENCIES)}
    expected = [f"n{at[latency] % 7}" for latency in range(1000) if at[latency] % 7 != 3]
    assert column(engine, chosen, "pod") == expected
    assert column(engine, Limit(chosen, 17), "pod") == expected[:17]
    more = assign(Limit(chosen, 17), again=call("pod_name_to_pod_id", col(chosen, "pod")))
    assert column(engine, more, "again") == [name.replace("n", "p") for name in expected[:17]]


def test_the_first_few_of_each_node_are_enough(engine: Engine | ShardedEngine) -> None:
    Counted.sent = 0
    assert column(engine, Sort(table(), (("latency", False),), 5), "latency") == [4999, 4998, 4997, 4996, 4995]
    assert column(engine, Limit(Sort(table(), BY_LATENCY), 3), "latency") == [0, 1, 2]
    assert Counted.sent <= 24


def test_an_order_that_nobody_sees_is_not_made(engine: Engine | ShardedEngine) -> None:
    counted = agg(Sort(table(), BY_LATENCY), ["upid"], n=("latency", "count"))
    assert "sort" not in plan_text(prepare(plan(counted), Limits()))
    assert column(engine, counted, "n") == [COUNT // 5] * 5
    first = agg(Sort(table(), (("latency", True),), 10), sum=("latency", "sum"))
    assert column(engine, first, "sum") == [45]


def test_a_row_for_each_element(engine: Engine | ShardedEngine) -> None:
    exploded = Explode(table(), "resp_body")
    some = where(exploded, call("lessThan", col(exploded, "latency"), lit(2)))
    at = {latency: i for i, latency in enumerate(LATENCIES)}
    assert sorted(column(engine, some, "resp_body")) == sorted([str(at[0])] * 2 + [str(at[1])] * 2)  # type: ignore[type-var]
    text = plan_text(prepare(plan(some), Limits()))
    assert text.index("explode") < text.index("filter")
    ordered = Explode(Sort(table(), (("latency", False),), 100), "resp_body")
    named = assign(ordered, pod=call("pod_id_to_pod_name", col(ordered, "req_path")))
    expected = [str(at[latency]) for latency in range(COUNT - 1, COUNT - 101, -1) for _ in range(2)]
    assert column(engine, named, "resp_body") == expected


@pytest.mark.parametrize(
    ("text", "elements"),
    [
        ('["a", "", "\\u00e9\\"", "b"]', ["a", "", 'é"', "b"]),
        ('[1, 2.50, -0, true, null, [1, "x"], {"k": [2]}]', ["1", "2.5", "0", "true", "", '[1,"x"]', '{"k":[2]}']),
        ("[]", []),
        ("", []),
        ("no json", []),
        ('{"a": [1]}', []),
        ("7", []),
        ("null", []),
        ('["unfinished"', []),
    ],
)
def test_elements_as_text(text: str, elements: list[str]) -> None:
    data = MemoryDataset()
    data.add("http_events", record_batch(HTTP, [{"resp_body": text}]))
    found = column(Engine(data, running=1), Explode(source("http_events", ["resp_body"]), "resp_body"), "resp_body")
    assert [str(element).replace(".50", ".5").replace("-0", "0") for element in found] == elements


def test_nan_comes_last() -> None:
    table = source("process_stats")
    node = assign(
        keep(table, "rss_bytes", "vsize_bytes"),
        ratio=call("divide", col(table, "rss_bytes"), col(table, "vsize_bytes")),
    )
    data = MemoryDataset()
    pairs = [(0, 0), (1, 2), (1, 0), (-1, 0), (3, 1)]
    values = [{"rss_bytes": a, "vsize_bytes": b} for a, b in pairs]
    data.add("process_stats", record_batch(TABLES["process_stats"].relation, values))
    engine = Engine(data, running=1)
    assert column(engine, Sort(node, (("ratio", True),)), "rss_bytes") == [-1, 1, 3, 1, 0]
    assert column(engine, Sort(node, (("ratio", False),), 5), "ratio")[:4] == [float("inf"), 3.0, 0.5, float("-inf")]
