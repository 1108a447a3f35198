"""Agents that cannot have rows are not asked, and the answer is the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import pyarrow as pa
import pytest

from sylph.plan.codec import decode, encode
from sylph.plan.expressions import Expression
from sylph.plan.nodes import Limit, Node, Plan, Union
from sylph.query.answer import CancelToken, Code, QueryError, QueryWarning, Result, Rows
from sylph.query.dataset import Dataset
from sylph.query.engine import Engine
from sylph.query.facts import Facts, facts_of
from sylph.query.limits import Limits
from sylph.query.sharded import ShardedEngine
from sylph.tables import TABLES
from sylph.tables.entities import ENTITIES
from sylph.tables.rows import record_batch
from sylph.testing.dataset import MemoryDataset
from sylph.testing.plans import agg, assign, call, col, join, keep, lit, plan, source, where

HTTP = TABLES["http_events"].relation
COUNT = 4


class Shard:
    """An agent with an id of its own; it is told plans as bytes, and notes what it was asked."""

    def __init__(self, number: int) -> None:
        processes = [
            {
                "upid": number << 96 | pid,
                "asid": number,
                "pid": pid,
                "pod_name": f"ns/pod-{number}-{pid}",
                "service_name": f"ns/service-{number % 2}",
                "namespace": "ns",
                "node_name": f"node-{number}",
                "container_name": "app",
            }
            for pid in (1, 2)
        ]
        # Process 3 is known to nobody.
        rows = [
            {"time_": i, "upid": number << 96 | 1 + i % 3, "latency": i, "req_path": f"/{number}"} for i in range(30)
        ]
        self.data = MemoryDataset(
            metadata={"process": pa.Table.from_batches([record_batch(ENTITIES["process"], processes)])},
            constants={"asid": number, "hostname": f"host-{number}"},
        )
        self.data.add("http_events", record_batch(HTTP, rows))
        self.engine = Engine(self.data, running=1)
        self.asked: list[int] = []
        self.broken = False

    def facts(self) -> Facts | None:
        return facts_of(self.data)

    def run_part(
        self, plan: Plan, *, limits: Limits | None = None, cancel: CancelToken | None = None
    ) -> Iterator[Result]:
        self.asked.append(len(plan.sinks))
        if self.broken:
            raise QueryError(Code.UNAVAILABLE, "connection lost")
        return self.engine.run_part(decode(encode(plan), self.data.tables), limits=limits, cancel=cancel)


class Silent:
    """The same agent, which does not say whose rows it has."""

    def __init__(self, shard: Shard) -> None:
        self.run_part = shard.run_part


SHARDS = [Shard(number) for number in range(COUNT)]
BROKER = Engine(MemoryDataset(), running=1)


class Counting(Engine):
    """Counts the parts of plans that it runs."""

    parts = 0

    def run_part(
        self,
        plan: Plan,
        *,
        limits: Limits | None = None,
        cancel: CancelToken | None = None,
        remote: Mapping[str, pa.Table] | None = None,
        dataset: Dataset | None = None,
    ) -> Iterator[Result]:
        self.parts += 1
        return super().run_part(plan, limits=limits, cancel=cancel, remote=remote, dataset=dataset)


def rows() -> Node:
    return keep(source("http_events"), "time_", "upid", "latency", "req_path")


def who(name: str, node: Node | None = None) -> Expression:
    return call(f"upid_to_{name}", col(node or rows(), "upid"))


def ask(query: Plan, *, tell: bool = True) -> tuple[dict[str, list[str]], list[str]]:
    """Rows by table, and warnings."""
    for shard in SHARDS:
        shard.asked.clear()
    agents = [(f"node-{i}", shard if tell else Silent(shard)) for i, shard in enumerate(SHARDS)]
    tables: dict[str, list[str]] = {}
    warnings = []
    for result in ShardedEngine(agents, BROKER).run(query):
        if isinstance(result, Rows):
            tables.setdefault(result.name, []).extend(map(repr, result.batch.to_pylist()))
        elif isinstance(result, QueryWarning):
            warnings.append(result.message)
    return {name: sorted(found) for name, found in tables.items()}, warnings


def asked() -> list[int]:
    return [number for number, shard in enumerate(SHARDS) if shard.asked]


def condition(*parts: Expression, operator: str = "logicalAnd") -> Expression:
    whole = parts[0]
    for part in parts[1:]:
        whole = call(operator, whole, part)
    return whole


def is_(name: str, value: str) -> Expression:
    return call("equal", who(name), lit(value))


CONDITIONS: dict[str, tuple[Callable[[], Expression], list[int]]] = {
    "pod": (lambda: is_("pod_name", "ns/pod-2-1"), [2]),
    "service": (lambda: is_("service_name", "ns/service-1"), [1, 3]),
    "namespace": (lambda: is_("namespace", "other"), [0]),
    "node": (lambda: is_("node_name", "node-3"), [3]),
    "container": (lambda: is_("container_name", "app"), [0, 1, 2, 3]),
    "unknown": (lambda: is_("pod_name", ""), [0, 1, 2, 3]),
    "asid": (lambda: call("equal", who("asid"), lit(1)), [1]),
    "either": (
        lambda: condition(is_("pod_name", "ns/pod-0-2"), is_("node_name", "node-3"), operator="logicalOr"),
        [0, 3],
    ),
    "both": (lambda: condition(is_("service_name", "ns/service-1"), is_("node_name", "node-2")), [0]),
    "not": (lambda: call("logicalNot", is_("service_name", "")), [0, 1, 2, 3]),
    "contains": (lambda: call("contains", who("pod_name"), lit("pod-1-")), [1]),
    "has service": (lambda: call("has_service_name", who("service_name"), lit("ns/service-0")), [0, 2]),
    "of a row": (lambda: call("equal", col(rows(), "req_path"), lit("/2")), [0, 1, 2, 3]),
    "pid": (lambda: call("equal", who("pid"), lit(9)), [0, 1, 2, 3]),
    "a row or a pod": (
        lambda: condition(
            is_("pod_name", "ns/pod-0-2"), call("equal", col(rows(), "req_path"), lit("/2")), operator="logicalOr"
        ),
        [0, 1, 2, 3],
    ),
    "a row and a pod": (
        lambda: condition(is_("pod_name", "ns/pod-0-2"), call("equal", col(rows(), "req_path"), lit("/0"))),
        [0],
    ),
}


def shapes(node: Node) -> list[Node]:
    """What a script does with rows."""
    named = assign(node, pod=who("pod_name", node))
    return [
        node,
        agg(named, ["pod"], n=("latency", "count"), mean=("latency", "mean")),
        agg(node, n=("latency", "count"), least=("latency", "min")),
        Limit(keep(node, "req_path"), 1000),
        Union((keep(node, "time_"), keep(node, "time_"))),
        join(keep(named, "pod", "latency"), agg(named, ["pod"], n=("latency", "count")), "inner", "pod"),
    ]


@pytest.mark.parametrize("name", list(CONDITIONS))
def test_only_those_who_may_have_rows_are_asked(name: str) -> None:
    make, expected = CONDITIONS[name]
    query = plan(*shapes(where(rows(), make())))
    pruned = ask(query)
    assert asked() == expected
    assert pruned == ask(query, tell=False)
    assert asked() == [0, 1, 2, 3]


def test_each_is_asked_for_the_tables_that_it_may_have() -> None:
    named = assign(rows(), pod=who("pod_name"))
    query = plan(
        *(where(named, call("equal", col(named, "pod"), lit(f"ns/pod-{number}-1"))) for number in (1, 3)),
        agg(named, ["pod"], n=("latency", "count")),
    )
    pruned = ask(query)
    assert [shard.asked for shard in SHARDS] == [[1], [2], [1], [2]]
    assert pruned == ask(query, tell=False)
    assert len(pruned[0]["output"]) == 10


def test_what_is_not_a_process_is_asked_of_all() -> None:
    node = source("http_events")
    pod = call("_upid_to_podname_local_addr_fallback", col(node, "upid"), col(node, "local_addr"), col(node, "time_"))
    ask(plan(keep(where(node, call("equal", pod, lit("ns/pod-1-1"))), "time_")))
    assert asked() == [0, 1, 2, 3]


def test_new_processes_are_seen() -> None:
    query = plan(where(rows(), is_("pod_name", "ns/new")))
    assert ask(query)[0]["output"] == []
    assert asked() == [0]
    shard = Shard(3)
    table = shard.data.metadata["process"]
    names = pa.array(["ns/new"] * 2)
    shard.data.metadata["process"] = table.set_column(table.schema.get_field_index("pod_name"), "pod_name", names)
    before, SHARDS[3] = SHARDS[3], shard
    try:
        assert len(ask(query)[0]["output"]) == 20
        assert asked() == [3]
    finally:
        SHARDS[3] = before


def test_a_condition_is_looked_up_once_until_agents_say_something_else() -> None:
    shards = [Shard(number) for number in range(COUNT)]
    broker = Counting(MemoryDataset(), running=1)
    engine = ShardedEngine([(f"agent-{i}", shard) for i, shard in enumerate(shards)], broker)

    def run(value: str, start: int) -> tuple[int, list[int]]:
        before = broker.parts, [len(shard.asked) for shard in shards]
        list(engine.run(plan(where(source("http_events", start=start), is_("pod_name", value)))))
        return broker.parts - before[0], [len(s.asked) - n for s, n in zip(shards, before[1], strict=True)]

    # One part of a plan is the merge.
    assert run("ns/pod-2-1", 0) == (2, [0, 0, 1, 0])
    assert run("ns/pod-2-1", 5) == (1, [0, 0, 1, 0])
    assert run("ns/pod-1-1", 5) == (2, [0, 1, 0, 0])
    more = record_batch(ENTITIES["process"], [{"upid": 9, "pod_name": "ns/pod-2-1"}])
    table = shards[0].data.metadata["process"]
    shards[0].data.metadata["process"] = pa.concat_tables([table, pa.Table.from_batches([more])])
    assert run("ns/pod-2-1", 5) == (2, [1, 0, 1, 0])


def test_the_only_one_asked_fails() -> None:
    SHARDS[2].broken = True
    try:
        with pytest.raises(QueryError, match="connection lost"):
            ask(plan(where(rows(), is_("pod_name", "ns/pod-2-1"))))
        tables, warnings = ask(plan(where(rows(), is_("service_name", "ns/service-0"))))
    finally:
        SHARDS[2].broken = False
    assert len(tables["output"]) == 20
    assert warnings == ["no rows of node-2: connection lost"]


def test_explain_tells_who_was_asked_and_what_they_sent() -> None:
    stats = agg(where(rows(), is_("node_name", "node-3")), ["req_path"], n=("latency", "count"))
    agents = [(f"node-{i}", shard) for i, shard in enumerate(SHARDS)]
    results = list(ShardedEngine(agents, BROKER).run(replace(plan(stats), analyze=True)))
    (text,) = (
        result.batch["query_plan"][0].as_py()
        for result in results
        if isinstance(result, Rows) and result.name == "__query_plan__"
    )
    assert "sent_0: a row of about 340 B for each group of req_path" in text
    assert "sent_0: 1 rows, " in text
    assert "asked 1 of 4 agents: node-3; they sent " in text
    assert "not asked, as no process of theirs can have such rows: node-0, node-1, node-2" in text
