"""Any plan over any rows: the rules do not change the answer, and shards answer as one store does."""

from __future__ import annotations

from collections.abc import Iterator

import sqlglot
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from sylph.plan.nodes import Limit, Node, Plan, Source
from sylph.plan.sql import statement
from sylph.plan.text import plan_text
from sylph.query.answer import CancelToken, Code, QueryError, QueryWarning, Result, Rows
from sylph.query.engine import Engine, prepare
from sylph.query.limits import Limits
from sylph.query.sharded import ShardedEngine
from sylph.tables.declare import Column, Table
from sylph.tables.rows import Row, record_batch
from sylph.tables.types import ColumnType, DataType, PatternType, SemanticType
from sylph.testing.dataset import MemoryDataset
from sylph.testing.plans import plan
from sylph.testing.strategies import plans, rows

RELATION = {
    "time_": ColumnType(DataType.TIME64NS),
    "upid": ColumnType(DataType.UINT128, SemanticType.ST_UPID),
    "Name": ColumnType(DataType.STRING),
    "name": ColumnType(DataType.STRING),
    "n": ColumnType(DataType.INT64),
    "f": ColumnType(DataType.FLOAT64),
    "ok": ColumnType(DataType.BOOLEAN),
}
TABLES = {
    "t": Table(
        "t",
        "rows of every type",
        "test",
        tuple(Column(name, kind.data, kind.semantic, PatternType.GENERAL, name) for name, kind in RELATION.items()),
    )
}
SOURCES: list[Node] = [Source("t", RELATION), Source("t", RELATION, 5, 30)]
LIMITS = Limits(max_rows=100_000)


def dataset(*batches: list[Row]) -> MemoryDataset:
    data = MemoryDataset(tables=TABLES)
    for batch in batches:
        if batch:
            data.add("t", record_batch(RELATION, batch))
    return data


class Engines:
    """Engines are kept: an instance of DuckDB takes longer to make than a query to run."""

    one = Engine(MemoryDataset(tables=TABLES), running=1)
    shards = tuple(Engine(MemoryDataset(tables=TABLES), running=1) for _ in range(3))
    broker = Engine(MemoryDataset(tables=TABLES), running=1)


def answer(results: Iterator[Result]) -> list[str]:
    found: list[str] = []
    for result in results:
        assert not isinstance(result, QueryWarning)
        if isinstance(result, Rows):
            assert all(column.null_count == 0 for column in result.batch.columns)
            # nan is not equal to itself, and 0.0 groups with -0.0.
            found += [repr(list(row.values())).replace("-0.0", "0.0") for row in result.batch.to_pylist()]
    return sorted(found)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows(RELATION), plans(SOURCES), st.integers(0, 30))
def test_shards_answer_as_one(drawn: list[Row], node: Node, cut: int) -> None:
    Engines.one.dataset = dataset(drawn)
    for engine, part in zip(Engines.shards, (drawn[:cut], drawn[cut:], []), strict=True):
        engine.dataset = dataset(part)
    sharded = ShardedEngine([(str(i), engine) for i, engine in enumerate(Engines.shards)], Engines.broker)
    query = plan(node, max_output_rows=100_000)
    note(plan_text(query))
    note(plan_text(prepare(query, LIMITS)))
    expected = answer(Engines.one.run(query, limits=LIMITS))
    # Without any rule.
    assert answer(Engines.one.run_part(query, limits=LIMITS)) == expected
    assert answer(sharded.run(query, limits=LIMITS)) == expected


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows(RELATION), plans(SOURCES), st.data())
def test_tables_that_share_answer_as_each_alone(drawn: list[Row], node: Node, data: st.DataObject) -> None:
    Engines.one.dataset = dataset(drawn)
    others = [data.draw(plans([node], max_steps=2)) for _ in range(2)]
    query = plan(node, *others, node, max_output_rows=100_000)
    note(plan_text(prepare(query, LIMITS)))
    together: dict[str, list[Result]] = {}
    for result in Engines.one.run(query, limits=LIMITS):
        if isinstance(result, Rows):
            together.setdefault(result.name, []).append(result)
    for sink, alone in zip(query.sinks, [node, *others, node], strict=True):
        expected = answer(Engines.one.run(plan(alone, max_output_rows=100_000), limits=LIMITS))
        assert answer(iter(together[sink.name])) == expected


class Lost:
    """An agent whose connection breaks."""

    def run_part(
        self, plan: Plan, *, limits: Limits | None = None, cancel: CancelToken | None = None
    ) -> Iterator[Result]:
        raise QueryError(Code.UNAVAILABLE, "connection lost")


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows(RELATION), plans(SOURCES), st.integers(0, 30))
def test_without_one_agent_the_answer_is_that_of_the_others_and_says_so(drawn: list[Row], node: Node, cut: int) -> None:
    Engines.one.dataset = dataset(drawn[:cut])
    Engines.shards[0].dataset = dataset(drawn[:cut])
    sharded = ShardedEngine([("here", Engines.shards[0]), ("gone", Lost())], Engines.broker)
    query = plan(node, max_output_rows=100_000)
    results = list(sharded.run(query, limits=LIMITS))
    warnings = [result.message for result in results if isinstance(result, QueryWarning)]
    assert warnings == ["no rows of gone: connection lost"]
    rest = [result for result in results if not isinstance(result, QueryWarning)]
    assert answer(iter(rest)) == answer(Engines.one.run(query, limits=LIMITS))


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows(RELATION), plans(SOURCES, limits=True), st.integers(0, 20))
def test_a_limit_takes_some_of_all_rows(drawn: list[Row], node: Node, most: int) -> None:
    Engines.one.dataset = dataset(drawn)
    rest = answer(Engines.one.run(plan(node, max_output_rows=100_000), limits=LIMITS))
    some = answer(Engines.one.run(plan(Limit(node, most), max_output_rows=100_000), limits=LIMITS))
    assert len(some) == min(most, len(rest))


@settings(max_examples=25, deadline=None)
@given(plans(SOURCES, limits=True))
def test_every_statement_is_sql_to_another_parser(node: Node) -> None:
    (parsed,) = sqlglot.parse(statement(node).text(), read="duckdb")
    assert parsed is not None
