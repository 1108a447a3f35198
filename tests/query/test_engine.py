"""Plans run over real rows in DuckDB."""

from __future__ import annotations

import pyarrow as pa

from sylph.functions.declare import AggregateOverload, Lookup, Overload
from sylph.plan.expressions import AggregateCall, Call, ColumnRef, Literal
from sylph.plan.nodes import Aggregate, Filter, Join, Limit, Map, Node, Plan, Sink, Source, Union
from sylph.query.answer import Rows, Stats, TableMeta
from sylph.query.engine import Engine
from sylph.tables import TABLES
from sylph.tables.entities import ENTITIES
from sylph.tables.rows import record_batch
from sylph.tables.types import ColumnType, DataType, arrow_schema
from sylph.testing.dataset import MemoryDataset

HTTP = TABLES["http_events"].relation
INT, STRING, BOOLEAN = ColumnType(DataType.INT64), ColumnType(DataType.STRING), ColumnType(DataType.BOOLEAN)
SERVICE = Overload((DataType.UINT128,), DataType.STRING, lookup=Lookup("process", "upid", "service_name"))
NOT_EQUAL = Overload((DataType.STRING, DataType.STRING), DataType.BOOLEAN, sql="{0} <> {1}")
SUM = AggregateOverload(
    (DataType.INT64,),
    DataType.INT64,
    "coalesce(sum({0}), 0)::BIGINT",
    ("sum({0})::BIGINT",),
    ("sum({0})",),
    "coalesce({0}, 0)::BIGINT",
)


def dataset() -> MemoryDataset:
    data = MemoryDataset()
    rows = [{"time_": i, "upid": i % 3, "latency": i * 10} for i in range(100)]
    data.add("http_events", record_batch(HTTP, rows[:60]))
    data.add("http_events", record_batch(HTTP, rows[60:]))
    processes = [{"upid": i, "service_name": f"ns/s{i}"} for i in range(2)]
    data.metadata["process"] = pa.Table.from_batches([record_batch(ENTITIES["process"], processes)])
    return data


def run(data: MemoryDataset, *nodes: Node) -> list[list[dict[str, object]]]:
    engine = Engine(data)
    plan = Plan(tuple(Sink(node, f"out{i}") for i, node in enumerate(nodes)))
    tables: dict[str, list[dict[str, object]]] = {}
    results = list(engine.run(plan))
    engine.close()
    assert data.open_snapshots == 0
    assert [type(result) for result in results[: len(nodes)]] == [TableMeta] * len(nodes)
    assert isinstance(results[-1], Stats)
    for result in results:
        if isinstance(result, TableMeta):
            tables[result.name] = []
        elif isinstance(result, Rows):
            node = nodes[list(tables).index(result.name)]
            assert result.batch.schema.equals(arrow_schema(node.relation), check_metadata=True)
            tables[result.name] += result.batch.to_pylist()
    return list(tables.values())


def column(name: str) -> ColumnRef:
    return ColumnRef(name, HTTP[name])


def served(source: Node) -> Filter:
    lookup = Call("upid_to_service_name", (column("upid"),), SERVICE, STRING)
    outputs = (("time_", column("time_")), ("latency", column("latency")), ("service", lookup))
    condition = Call("notEqual", (ColumnRef("service", STRING), Literal("", STRING)), NOT_EQUAL, BOOLEAN)
    return Filter(Map(source, outputs), condition)


def test_time_bounds_are_inclusive() -> None:
    (rows,) = run(dataset(), Map(Source("http_events", HTTP, 5, 8), (("time_", column("time_")),)))
    assert [row["time_"] for row in rows] == [5, 6, 7, 8]


def test_lookup_filter_aggregate_join_and_union() -> None:
    rows = served(Source("http_events", HTTP, 5, 90))
    total = Aggregate(rows, ("service",), (("sum", AggregateCall("sum", (ColumnRef("latency", INT),), SUM, INT)),))
    joined = Join(Limit(rows, 3), total, "left", ("service",), ("service",), ((0, "time_", "time_"), (1, "sum", "sum")))
    times = Map(rows, (("time_", column("time_")),))
    totals, joins, union = run(dataset(), total, joined, Union((times, times)))
    expected = {f"ns/s{n}": sum(i * 10 for i in range(5, 91) if i % 3 == n) for n in range(2)}
    assert {row["service"]: row["sum"] for row in totals} == expected
    assert sorted((row["time_"], row["sum"]) for row in joins) == [
        (6, expected["ns/s0"]),
        (7, expected["ns/s1"]),
        (9, expected["ns/s0"]),
    ]
    assert [row["time_"] for row in union] == sorted([i for i in range(5, 91) if i % 3 != 2] * 2)


def test_aggregate_of_no_rows_is_one_row() -> None:
    total = Aggregate(Source("http_events", HTTP), (), (("sum", AggregateCall("sum", (column("latency"),), SUM, INT)),))
    assert run(MemoryDataset(), total) == [[{"sum": 0}]]
