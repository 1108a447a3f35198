"""Statements that are kept ready answer as ones that are asked for the first time."""

from __future__ import annotations

from unittest import mock

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sylph.query import ready
from sylph.query.engine import Engine
from sylph.query.ready import Ready
from sylph.tables.rows import Row
from sylph.testing.dataset import MemoryDataset
from sylph.testing.plans import plan
from sylph.testing.strategies import plans, rows
from tests.query.test_properties import LIMITS, RELATION, SOURCES, TABLES, answer, dataset

KEPT = Engine(MemoryDataset(tables=TABLES), running=1)
ANEW = Engine(MemoryDataset(tables=TABLES), running=1)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(plans(SOURCES), st.lists(rows(RELATION), min_size=2, max_size=3))
def test_what_is_kept_reads_the_rows_of_now(node: object, drawn: list[list[Row]]) -> None:
    query = plan(node, max_output_rows=100_000)  # type: ignore[arg-type]
    for some in [*drawn, drawn[0]]:
        KEPT.dataset = ANEW.dataset = dataset(some)
        with mock.patch.object(ready, "LONGEST", 0):
            expected = answer(ANEW.run(query, limits=LIMITS))
        assert answer(KEPT.run(query, limits=LIMITS)) == expected


class Connection:
    """A connection, and what is asked of it."""

    def __init__(self) -> None:
        self.inner = duckdb.connect()
        self.asked: list[str] = []

    def execute(self, text: str) -> duckdb.DuckDBPyConnection:
        self.asked.append(text.split(maxsplit=1)[0])
        return self.inner.execute(text)

    def unregister(self, name: str) -> None:
        self.inner.unregister(name)

    def _register_arrow_source(self, name: str, source: object) -> None:
        self.inner._register_arrow_source(name, source)

    def _submit(self, *args: object) -> object:
        return self.inner._submit(*args)


def total(kept: Ready, name: str = "t") -> object:
    return kept.submit(f'SELECT sum(n) FROM "{name}"', frozenset({name}), "arrow", 1000).arrow_table()[0][0].as_py()


def numbers(*values: int) -> pa.Table:
    return pa.table({"n": pa.array(values, pa.int32())})


def test_a_statement_is_prepared_once_for_about_as_many_rows() -> None:
    connection = Connection()
    kept = Ready(connection)  # type: ignore[arg-type]
    for some in ([1, 2, 3], [4, 5], [], [7]):
        kept.put("t", numbers(*some))
        assert total(kept) == (sum(some) if some else None)
        kept.empty()
    # None and some are different sizes: a plan for no rows may leave things out.
    assert connection.asked == ["PREPARE", "PREPARE"]
    kept.put("t", numbers(*range(100_000)))
    total(kept)
    assert connection.asked == ["PREPARE"] * 3


def test_nothing_of_the_rows_is_kept() -> None:
    kept = Ready(duckdb.connect())
    rows = numbers(1, 2)
    before = pa.total_allocated_bytes()
    kept.put("t", pa.concat_tables([numbers(*range(100_000))]).combine_chunks())
    total(kept)
    kept.empty()
    assert pa.total_allocated_bytes() - before < 10_000
    kept.put("t", rows)
    assert total(kept) == 3


def test_a_plan_that_keeps_much_is_let_go() -> None:
    connection = Connection()
    kept = Ready(connection)  # type: ignore[arg-type]
    for number in range(3):
        kept.put("t", numbers(*range(300_000)))
        text = "SELECT n, list(n) FROM t GROUP BY n LIMIT 5"
        assert len(kept.submit(text, frozenset({"t"}), "arrow", 1000).arrow_table()) == 5
        kept.empty()
        ((used,),) = connection.inner.execute("SELECT sum(memory_usage_bytes) FROM duckdb_memory()").fetchall()
        assert used < ready.RETAINED
        assert connection.asked.count("PREPARE") == number + 1


def test_other_columns_are_another_statement() -> None:
    kept = Ready(duckdb.connect())
    kept.put("t", numbers(1, 2))
    assert total(kept) == 3
    kept.put("t", pa.table({"m": ["x"], "n": pa.array([0.5])}))
    assert total(kept) == 0.5


def test_few_statements_and_views_are_kept() -> None:
    connection = Connection()
    kept = Ready(connection)  # type: ignore[arg-type]
    for number in range(ready.VIEWS + 10):
        name = f"t{number}"
        kept.put(name, numbers(number))
        assert total(kept, name) == number
        kept.empty()
    ((views,),) = connection.inner.execute("SELECT count(*) FROM duckdb_views() WHERE NOT internal").fetchall()
    assert views <= ready.VIEWS
    ((held,),) = connection.inner.execute("SELECT count(*) FROM duckdb_prepared_statements()").fetchall()
    assert held <= ready.STATEMENTS
    kept.put("t0", numbers(42))
    assert total(kept, "t0") == 42


def test_a_mistake_in_a_statement_leaves_nothing_behind() -> None:
    kept = Ready(duckdb.connect())
    kept.put("t", numbers(1))
    for _ in range(2):
        with pytest.raises(duckdb.BinderException):
            kept.submit("SELECT missing FROM t", frozenset({"t"}), "arrow", 10)
    assert total(kept) == 1
