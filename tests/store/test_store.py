from __future__ import annotations

import pyarrow as pa
import pytest

from sylph.store import Cause, Store
from sylph.tables import TABLES
from tests.store.samples import SCHEMA, numbers, rows, table


def memory_store(memory: int = 1 << 20, **tables: float | None) -> Store:
    named = {name: table(name, share) for name, share in (tables or {"events": None}).items()}
    return Store(named, directory=None, memory=memory)


def test_rows_come_back_without_a_copy() -> None:
    store = memory_store()
    batch = rows(0, 100)
    store.append("events", batch)
    with store.snapshot("events") as snapshot:
        assert numbers(snapshot) == list(range(100))
        assert snapshot.batches[0].column(2).buffers()[1].address == batch.column(2).buffers()[1].address


def test_bounds_of_time_are_inclusive() -> None:
    store = memory_store()
    for first in (0, 10, 20):
        store.append("events", rows(first, 10))
    for start, end, batches in ((9, 9, 1), (9, 10, 2), (10, 19, 1), (None, 10, 2), (29, None, 1), (30, None, 0)):
        with store.snapshot("events", start, end) as snapshot:
            assert len(snapshot.batches) == batches, (start, end)


def test_a_clock_that_steps_back_hides_nothing() -> None:
    store = memory_store()
    store.append("events", rows(1000, 10))
    store.append("events", rows(0, 10))
    with store.snapshot("events", 0, 9) as snapshot:
        assert numbers(snapshot) == list(range(10))
    with store.snapshot("events") as snapshot:
        assert len(numbers(snapshot)) == 20


def test_oldest_rows_leave_first_and_the_budget_holds() -> None:
    store = memory_store(memory=200_000)
    for first in range(0, 100_000, 100):
        store.append("events", rows(first, 100))
        assert store.memory_used <= 200_000
    with store.snapshot("events") as snapshot:
        left = numbers(snapshot)
    assert left == list(range(left[0], 100_000))
    assert len(left) > 1000
    (stats,) = store.stats()
    assert stats.rows_expired == left[0]
    assert stats.rows_added == 100_000
    assert (stats.min_time, stats.max_time) == (left[0], 99_999)
    assert store.take_losses() == []


def test_a_batch_larger_than_its_table_is_refused_and_counted() -> None:
    store = memory_store(memory=100_000)
    store.append("events", rows(0, 10))
    store.append("events", rows(10, 5000))
    (loss,) = store.take_losses()
    assert (loss.table, loss.cause, loss.rows) == ("events", Cause.BUDGET, 5000)
    assert store.take_losses() == []
    with store.snapshot("events") as snapshot:
        assert numbers(snapshot) == list(range(10))


def test_slices_do_not_hold_what_they_were_cut_from() -> None:
    store = memory_store(memory=1 << 20)
    big = rows(0, 20_000)
    before = pa.total_allocated_bytes()
    store.append("events", big.slice(500, 10))
    assert store.memory_used < 20_000
    del big
    assert pa.total_allocated_bytes() < before - 1_000_000
    with store.snapshot("events") as snapshot:
        assert numbers(snapshot) == list(range(500, 510))


def test_what_a_snapshot_holds_counts_until_it_closes() -> None:
    store = memory_store(memory=400_000, events=0.5, others=0.5)
    for first in range(0, 2000, 100):
        store.append("events", rows(first, 100))
    snapshot = store.snapshot("events")
    held = numbers(snapshot)
    for first in range(2000, 20_000, 100):
        store.append("events", rows(first, 100))
        assert store.memory_used <= 400_000
    assert numbers(snapshot) == held
    assert next(s for s in store.stats() if s.name == "events").hot_bytes > 200_000
    snapshot.close()
    assert next(s for s in store.stats() if s.name == "events").hot_bytes <= 200_000


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (rows(0, 1).select(["time_", "n"]), "missing"),
        (rows(0, 1).select(SCHEMA.names[::-1]), "another order"),
        (rows(0, 1).rename_columns([*SCHEMA.names[:-1], "txt"]), "unknown \\['txt'\\]"),
        (rows(0, 1).set_column(2, "n", pa.array([1.0])), "column 'n' is double, the declaration says int64"),
        (rows(0, 1).set_column(2, pa.field("n", pa.int64()), pa.array([None], pa.int64())), "holds 1 nulls"),
    ],
)
def test_a_batch_unlike_the_declaration_is_an_error(batch: pa.RecordBatch, message: str) -> None:
    store = memory_store()
    with pytest.raises(ValueError, match=f"table 'events'.*{message}"):
        store.append("events", batch)


def test_nullable_columns_without_nulls_are_taken() -> None:
    store = memory_store()
    store.append("events", pa.RecordBatch.from_arrays(rows(0, 3).columns, names=SCHEMA.names))
    with store.snapshot("events") as snapshot:
        assert snapshot.batches[0].schema.equals(SCHEMA)


def test_an_unknown_table_is_named() -> None:
    with pytest.raises(KeyError, match="no table 'nothing'; the store has events"):
        memory_store().snapshot("nothing")


def test_every_declared_table_has_a_part_of_the_budget() -> None:
    store = Store(TABLES, directory=None, memory=512 << 20)
    parts = {stats.name: stats.max_hot_bytes for stats in store.stats()}
    assert parts.keys() == TABLES.keys()
    assert parts["http_events"] == int((448 << 20) * 0.4)
    assert all(parts.values())
    assert sum(parts.values()) <= 512 << 20
