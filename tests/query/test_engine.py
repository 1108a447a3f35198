"""Plans run over real rows in DuckDB."""

from __future__ import annotations

import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest

from sylph.plan.nodes import Limit, Map, Node, Sink, Union
from sylph.plan.share import Share
from sylph.query.answer import CancelToken, Code, QueryError, Rows, Stats, TableMeta
from sylph.query.engine import Engine
from sylph.query.limits import Limits
from sylph.query.run import Run
from sylph.query.scan import Asked
from sylph.query.steps import most_rows
from sylph.tables import TABLES
from sylph.tables.entities import ENTITIES
from sylph.tables.rows import Row, record_batch
from sylph.tables.types import DataType, arrow_schema
from sylph.testing.dataset import MemoryDataset
from sylph.testing.plans import agg, assign, call, col, join, keep, lit, plan, source, where

HTTP = TABLES["http_events"].relation


def dataset(rows: int = 100) -> MemoryDataset:
    data = MemoryDataset()
    all_rows = [{"time_": i, "upid": i % 3, "latency": i * 10, "req_path": f"/p{i % 2}"} for i in range(rows)]
    data.add("http_events", record_batch(HTTP, all_rows[: rows // 2]))
    data.add("http_events", record_batch(HTTP, all_rows[rows // 2 :]))
    processes = [{"upid": i, "service_name": f"ns/s{i}", "pod_id": f"id{i}"} for i in range(2)]
    data.metadata["process"] = entity("process", *processes)
    return data


def entity(name: str, *rows: Row) -> pa.Table:
    return pa.Table.from_batches([record_batch(ENTITIES[name], rows)])


def run(data: MemoryDataset, *nodes: Node, limits: Limits | None = None) -> list[list[dict[str, object]]]:
    """Rows of each node, after checking the order of results and every schema."""
    engine = Engine(data)
    results = list(engine.run(plan(*nodes), limits=limits))
    engine.close()
    assert data.open_snapshots == 0
    assert [type(result) for result in results[: len(nodes)]] == [TableMeta] * len(nodes)
    assert isinstance(results[-1], Stats)
    tables: dict[str, list[dict[str, object]]] = {}
    for result in results:
        if isinstance(result, TableMeta):
            tables[result.name] = []
        elif isinstance(result, Rows):
            node = nodes[list(tables).index(result.name)]
            assert result.batch.schema.equals(arrow_schema(node.relation), check_metadata=True)
            result.batch.validate(full=True)
            assert all(column.null_count == 0 for column in result.batch.columns)
            tables[result.name] += result.batch.to_pylist()
    return list(tables.values())


def served(node: Node) -> Node:
    mapped = assign(node, service=call("upid_to_service_name", col(node, "upid")))
    return where(mapped, call("notEqual", col(mapped, "service"), lit("")))


def test_time_bounds_are_inclusive() -> None:
    (rows,) = run(dataset(), keep(source("http_events", start=5, end=8), "time_"))
    assert [row["time_"] for row in rows] == [5, 6, 7, 8]


def test_bounds_hold_when_time_is_not_read() -> None:
    (rows,) = run(dataset(), keep(source("http_events", start=5, end=8), "latency"))
    assert [row["latency"] for row in rows] == [50, 60, 70, 80]


def test_lookup_filter_aggregate_join_and_union() -> None:
    rows = keep(served(source("http_events", start=5, end=90)), "time_", "latency", "service")
    total = agg(rows, ["service"], sum=("latency", "sum"))
    joined = join(Limit(rows, 3), total, "left", "service")
    times = keep(rows, "time_")
    totals, joins, union = run(dataset(), total, joined, Union((times, times)))
    expected = {f"ns/s{n}": sum(i * 10 for i in range(5, 91) if i % 3 == n) for n in range(2)}
    assert {row["service"]: row["sum"] for row in totals} == expected
    assert sorted((row["time_"], row["sum"]) for row in joins) == [
        (6, expected["ns/s0"]),
        (7, expected["ns/s1"]),
        (9, expected["ns/s0"]),
    ]
    assert [row["time_"] for row in union] == sorted([i for i in range(5, 91) if i % 3 != 2] * 2)


def test_unknown_process_gives_the_zero_value() -> None:
    node = source("http_events", ["time_", "upid"])
    mapped = Map(node, (("service", call("upid_to_service_name", col(node, "upid"))),))
    (rows,) = run(dataset(6), mapped)
    assert sorted(row["service"] for row in rows) == ["", "", "ns/s0", "ns/s0", "ns/s1", "ns/s1"]


def test_fallback_lookup_asks_who_had_the_address_then() -> None:
    data = dataset(6)
    data.metadata["address"] = entity(
        "address",
        {"ip": "", "pod_id": "old", "start_time": 0, "stop_time": 3},
        {"ip": "", "pod_id": "new", "start_time": 4, "stop_time": 0},
    )
    data.metadata["pod"] = entity(
        "pod", {"pod_id": "old", "pod_name": "ns/old"}, {"pod_id": "new", "pod_name": "ns/new"}
    )
    node = source("http_events", ["time_", "upid", "local_addr"])
    args = (col(node, "upid"), col(node, "local_addr"), col(node, "time_"))
    mapped = Map(node, (("time_", args[2]), ("pod", call("_upid_to_podname_local_addr_fallback", *args))))
    (rows,) = run(data, mapped)
    assert [row["pod"] for row in rows] == ["ns/old", "ns/old", "ns/old", "", "ns/new", "ns/new"]


def test_several_rows_of_one_name_do_not_multiply_rows() -> None:
    data = dataset(4)
    data.metadata["pod"] = entity(
        "pod",
        {"pod_id": "a", "pod_name": "ns/x", "stop_time": 5, "start_time": 1},
        {"pod_id": "b", "pod_name": "ns/x", "stop_time": 0, "start_time": 6},
        {"pod_id": "c", "pod_name": "ns/x", "stop_time": 9, "start_time": 2},
    )
    node = source("http_events", ["time_"])
    (rows,) = run(data, Map(node, (("id", call("pod_name_to_pod_id", lit("ns/x"))),)))
    assert [row["id"] for row in rows] == ["b"] * 4


def test_aggregate_of_no_rows_is_one_row() -> None:
    node = source("http_events")
    total = agg(node, sum=("latency", "sum"), count=("latency", "count"))
    grouped = agg(node, ["req_path"], sum=("latency", "sum"))
    assert run(MemoryDataset(), total, grouped) == [[{"sum": 0, "count": 0}], []]


def test_outer_join_has_zero_values_and_no_nulls() -> None:
    data = MemoryDataset()
    left_rows = [{"time_": 1, "upid": 7, "remote_addr": "both", "ssl": True}, {"time_": 2, "remote_addr": "left"}]
    data.add("conn_stats", record_batch(TABLES["conn_stats"].relation, left_rows))
    data.add("http_events", record_batch(HTTP, [{"remote_addr": "both", "latency": 3}, {"remote_addr": "right"}]))
    left = source("conn_stats", ["time_", "upid", "remote_addr", "ssl"])
    right = source("http_events", ["remote_addr", "latency"])
    inner, left_join, outer = run(
        data,
        *(join(left, right, how, "remote_addr") for how in ("inner", "left", "outer")),
    )
    both = {
        "time_": 1, "upid": uuid.UUID(int=7), "remote_addr_x": "both", "ssl": True,
        "remote_addr_y": "both", "latency": 3,
    }  # fmt: skip
    nobody = uuid.UUID(int=0)
    only_left = {
        "time_": 2, "upid": nobody, "remote_addr_x": "left", "ssl": False, "remote_addr_y": "", "latency": 0
    }  # fmt: skip
    only_right = {
        "time_": 0, "upid": nobody, "remote_addr_x": "", "ssl": False, "remote_addr_y": "right", "latency": 0
    }  # fmt: skip
    assert inner == [both]
    assert sorted(left_join, key=str) == sorted([both, only_left], key=str)
    assert sorted(outer, key=str) == sorted([both, only_left, only_right], key=str)


@pytest.mark.parametrize(
    "text", ["", "'", "''", '"', "a\0b", "é✓\U0001f600", "\\", "{0}", "$1", "?", "--", "/*", ";", "%s", "\n\r\t"]
)
def test_strings_come_through_as_they_are(text: str) -> None:
    data = MemoryDataset()
    data.add("http_events", record_batch(HTTP, [{"req_path": text}, {"req_path": text + "x"}]))
    node = source("http_events", ["req_path"])
    (rows,) = run(data, where(assign(node, again=lit(text)), call("equal", col(node, "req_path"), lit(text))))
    assert rows == [{"req_path": text, "again": text}]


def test_lone_surrogates_are_refused() -> None:
    with pytest.raises(QueryError, match="not valid Unicode") as error:
        run(dataset(), assign(source("http_events", ["time_"]), x=lit("\ud800")))
    assert error.value.code is Code.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("value", "data"),
    [
        (2**63 - 1, DataType.INT64),
        (-(2**63), DataType.INT64),
        (-1, DataType.INT64),
        (2**31, DataType.TIME64NS),
        (0.1, DataType.FLOAT64),
        (-0.0, DataType.FLOAT64),
        (5e-324, DataType.FLOAT64),
        (1.7976931348623157e308, DataType.FLOAT64),
        (float("inf"), DataType.FLOAT64),
        (float("-inf"), DataType.FLOAT64),
        (float("nan"), DataType.FLOAT64),
        (True, DataType.BOOLEAN),
        (2**128 - 1, DataType.UINT128),
        (2**127, DataType.UINT128),
    ],
)
def test_literals_keep_value_and_type(value: float, data: DataType) -> None:
    (rows,) = run(dataset(2), Map(source("http_events", ["time_"]), (("x", lit(value, data)),)))
    got = rows[0]["x"].int if isinstance(rows[0]["x"], uuid.UUID) else rows[0]["x"]
    assert repr(got) == repr(value)


def test_column_names_that_sql_would_confuse() -> None:
    names = ["a", "A", "select", 'qu"ote', "sp ace", "i", "m0", "x#0", "é", "Time_"]
    node = source("http_events", ["time_", "upid"])
    outputs = [(name, call("add", col(node, "time_"), lit(i))) for i, name in enumerate(names)]
    renamed = Map(node, (*outputs, ("upid", col(node, "upid")), ("time_", col(node, "time_"))))
    total = agg(served(renamed), names, n=("a", "count"))
    (rows,) = run(dataset(1), total)
    assert rows == [{**{name: i for i, name in enumerate(names)}, "n": 1}]


def test_cold_and_hot_rows_are_one_table(tmp_path: Path) -> None:
    data = dataset()
    data.directories = (tmp_path,)
    data.freeze("http_events", tmp_path)
    more = [{"time_": i, "upid": i % 3, "latency": i * 10} for i in range(100, 120)]
    data.add("http_events", record_batch(HTTP, more))
    node = source("http_events", start=90)
    rows, count, first = run(data, keep(node, "time_", "upid"), agg(node, n=("time_", "count")), Limit(node, 3))
    assert [row["time_"] for row in rows] == list(range(90, 120))
    assert rows[-1]["upid"] == uuid.UUID(int=119 % 3)
    assert count == [{"n": 30}]
    assert [row["time_"] for row in first] == [90, 91, 92]


def test_no_file_outside_the_store_can_be_read(tmp_path: Path) -> None:
    data = dataset()
    data.directories = (tmp_path / "store",)
    (tmp_path / "store").mkdir()
    data.freeze("http_events", tmp_path)
    with pytest.raises(QueryError, match="file system operations are disabled"):
        run(data, source("http_events"))


def test_rows_are_capped() -> None:
    data = dataset()
    assert len(run(data, source("http_events"), limits=Limits(max_rows=7))[0]) == 7


def heavy(data: MemoryDataset) -> Node:
    """A self-join of all rows: far too much work."""
    node = keep(source("http_events"), "trace_role", "latency", "req_path")
    first = join(node, node, "inner", "trace_role", suffixes=("_a", "_b"))
    first = keep(assign(first, trace_role=col(first, "trace_role_a")), "trace_role", "latency_a", "latency_b")
    second = join(first, node, "inner", "trace_role")
    return agg(second, ["latency_a", "latency_b"], n=("latency", "count"))


def test_timeout_ends_the_query() -> None:
    data = dataset(3000)
    began = time.monotonic()
    with pytest.raises(QueryError, match=r"longer than its 0\.3 s") as error:
        run(data, heavy(data), limits=Limits(timeout=0.3, memory=2**31))
    assert error.value.code is Code.DEADLINE_EXCEEDED
    assert time.monotonic() - began < 5
    assert data.open_snapshots == 0


def test_cancel_frees_everything_at_once() -> None:
    data = dataset(3000)
    engine = Engine(data)
    cancel = CancelToken()
    ended = threading.Event()
    errors: list[QueryError] = []

    def ask() -> None:
        try:
            list(engine.run(plan(heavy(data)), limits=Limits(memory=2**31), cancel=cancel))
        except QueryError as error:
            errors.append(error)
        ended.set()

    thread = threading.Thread(target=ask)
    thread.start()
    while data.open_snapshots == 0:
        time.sleep(0.01)
    time.sleep(0.2)
    cancel.cancel()
    assert ended.wait(5)
    thread.join()
    engine.close()
    assert [error.code for error in errors] == [Code.CANCELLED]
    assert data.open_snapshots == 0


def test_memory_limit_says_what_to_do() -> None:
    data = dataset(3000)
    node = keep(source("http_events"), "trace_role", "latency")
    pairs = join(node, node, "inner", "trace_role", suffixes=("_a", "_b"))
    wide = agg(pairs, ["latency_a", "latency_b"], n=("trace_role_a", "count"))
    with pytest.raises(QueryError, match=r"table 'output' needs .* limit of 20 MiB \(.*used\); narrow") as error:
        run(data, wide, limits=Limits(memory=20 * 2**20))
    assert error.value.code is Code.RESOURCE_EXHAUSTED
    assert data.open_snapshots == 0


@pytest.mark.parametrize("function", ["regex_match", "replace"])
def test_regular_expressions_take_linear_time(function: str) -> None:
    """An engine that tries one way after the other would need 2^30000 steps."""
    data = MemoryDataset()
    data.add("http_events", record_batch(HTTP, [{"req_path": "a" * 30_000 + "!"}] * 50))
    node = source("http_events", ["req_path"])
    args = [lit("(a+)+$"), col(node, "req_path"), *([lit("x")] if function == "replace" else [])]
    (rows,) = run(data, Map(node, (("x", call(function, *args)),)), limits=Limits(timeout=20))
    assert len(rows) == 50


def test_closing_the_iterator_ends_the_query() -> None:
    data = dataset(60_000)
    engine = Engine(data, running=1)
    results = engine.run(plan(source("http_events"), max_output_rows=100_000))
    assert isinstance(next(results), TableMeta)
    assert isinstance(next(results), Rows)
    assert data.open_snapshots == 1
    results.close()  # type: ignore[attr-defined]
    assert data.open_snapshots == 0
    assert len(list(engine.run(plan(source("http_events"), max_output_rows=5)))) == 3
    engine.close()


def test_fifty_queries_at_once_and_a_full_queue() -> None:
    data = dataset(20_000)
    engine = Engine(data, running=3)
    node = agg(served(source("http_events")), ["service"], sum=("latency", "sum"), q=("latency", "quantiles"))

    def ask(_: int) -> list[dict[str, object]]:
        (rows,) = (result for result in engine.run(plan(node)) if isinstance(result, Rows))
        return sorted(rows.batch.select(["service", "sum"]).to_pylist(), key=str)

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(ask, range(50)))
    assert all(answer == answers[0] for answer in answers)
    assert data.open_snapshots == 0
    engine.close()
    with pytest.raises(QueryError, match="shutting down"):
        ask(0)

    full = Engine(data, running=1, waiting=0)
    with pytest.raises(QueryError, match="try again later") as error:
        list(full.run(plan(node)))
    assert error.value.code is Code.RESOURCE_EXHAUSTED


def shared_rows(data: MemoryDataset, monkeypatch: pytest.MonkeyPatch, limits: Limits) -> tuple[list[str], list[int]]:
    """Statements that kept rows, and how many rows each sink gave."""
    texts: list[str] = []
    write = Run._asked

    def noted(run: Run, step: Share | Sink) -> Asked:
        asked = write(run, step)
        if isinstance(step, Share):
            texts.append(asked.text)
        return asked

    monkeypatch.setattr(Run, "_asked", noted)
    rows = keep(served(source("http_events")), "time_", "latency", "service")
    total = agg(rows, ["service"], n=("latency", "count"))
    results = run(data, rows, total, agg(total, m=("n", "max")), limits=limits)
    return texts, [len(result) for result in results]


def test_what_sinks_share_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    texts, rows = shared_rows(dataset(), monkeypatch, Limits())
    assert rows == [67, 2, 1]
    assert ["http_events_0" in text for text in texts] == [True, False]
    assert 'FROM "shared#0_' in texts[1]


def test_many_shared_rows_are_a_table_for_the_time_of_the_query() -> None:
    engine = Engine(dataset(60_000), running=1)
    rows = keep(served(source("http_events")), "time_", "latency", "service")
    query = plan(rows, agg(rows, ["service"], n=("latency", "count")), max_output_rows=100_000)
    for count in (60_000, 100, 60_000):
        engine.dataset = dataset(count)
        results: dict[str, int] = {}
        for result in engine.run(query):
            if isinstance(result, Rows):
                results[result.name] = results.get(result.name, 0) + result.batch.num_rows
        assert list(results.values()) == [count - count // 3, 2]
    instance = engine._instances.take(CancelToken(), time.monotonic() + 1)
    assert instance.connection.execute("SELECT count(*) FROM duckdb_tables()").fetchall() == [(0,)]
    engine._instances.give(instance)
    engine.close()


def test_shared_rows_that_are_too_many_are_computed_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    data = dataset(60_000)
    few = most_rows(Share("s", keep(source("http_events"), "time_", "latency", "req_path"), False), 8 * 2**20)
    assert 20_000 < few < 40_000
    texts, rows = shared_rows(data, monkeypatch, Limits(memory=8 * 2**20))
    assert rows == [10_000, 2, 1]
    # The aggregate was to read the rows, and reads the table.
    assert ["http_events_0" in text for text in texts] == [True, True]


def test_agent_only_functions_come_first() -> None:
    node = source("http_events", ["upid", "latency"])
    total = agg(node, ["upid"], n=("latency", "count"))
    late = assign(total, service=call("upid_to_service_name", col(total, "upid")))
    with pytest.raises(QueryError, match="must execute before blocking nodes such as limit, agg, and join") as error:
        run(dataset(), late)
    assert error.value.code is Code.INVALID_ARGUMENT
