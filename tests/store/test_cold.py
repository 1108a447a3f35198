from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sylph.store import Cause, Store, StoreBusyError
from sylph.tables.declare import Column
from sylph.tables.types import DataType, PatternType, SemanticType
from tests.store.samples import numbers, rows, table, usage

MEMORY, DISK = 2 << 20, 8 << 20


def open_store(directory: Path, **options: object) -> Store:
    settings = {"memory": MEMORY, "disk": DISK, "flush_interval": 3600.0} | options
    return Store({"events": table()}, directory=directory, **settings)  # type: ignore[arg-type]


def segments(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.parquet"))


def fill(store: Store, first: int, count: int, batch: int = 1000) -> None:
    """Append rows in step with the writer, so that nothing is dropped unwritten."""
    for start in range(first, first + count, batch):
        store.append("events", rows(start, batch))
        if (start - first) % (8 * batch) == 0:
            store.flush()


def everything(store: Store) -> list[int]:
    with store.snapshot("events") as snapshot:
        return numbers(snapshot)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "store"


def test_rows_leave_memory_for_the_disk_and_are_seen_once(directory: Path) -> None:
    with open_store(directory) as store:
        fill(store, 0, 60_000)
        with store.snapshot("events") as snapshot:
            assert snapshot.batches
            assert snapshot.segments
            assert numbers(snapshot) == list(range(60_000))
        (stats,) = store.stats()
        assert (stats.rows, stats.rows_expired, stats.rows_lost) == (60_000, 0, 0)
        assert store.take_losses() == []
        assert usage(directory) <= DISK


def test_uuid_is_the_same_type_hot_and_cold(directory: Path) -> None:
    with open_store(directory) as store:
        fill(store, 0, 60_000)
        with store.snapshot("events") as snapshot, duckdb.connect() as connection:
            connection.register("hot", pa.Table.from_batches(snapshot.batches))
            cold = connection.read_parquet([str(segment.path) for segment in snapshot.segments])
            types = "SELECT typeof(upid), typeof(time_) FROM"
            found = connection.sql(f"{types} hot UNION {types} cold")
            assert found.fetchall() == [("UUID", "BIGINT")]
            both = connection.sql(
                "SELECT count(DISTINCT upid) FROM (SELECT upid FROM hot UNION ALL SELECT upid FROM cold)"
            )
            assert both.fetchall() == [(60_000,)]
            assert cold.columns == snapshot.schema.names


def test_segments_are_pruned_by_time(directory: Path) -> None:
    with open_store(directory) as store:
        fill(store, 0, 60_000)
        with store.snapshot("events", 0, 10) as snapshot:
            assert not snapshot.batches
            assert len(snapshot.segments) == 1
        with store.snapshot("events", 59_999) as snapshot:
            assert not snapshot.segments
            assert len(snapshot.batches) == 1


def test_a_restart_finds_every_row(directory: Path) -> None:
    with open_store(directory) as store:
        fill(store, 0, 50_000)
    with open_store(directory) as store:
        assert everything(store) == list(range(50_000))
        fill(store, 50_000, 1000)
        assert everything(store) == list(range(51_000))
        assert store.take_losses() == []


def test_few_rows_are_kept_in_a_journal_not_in_tiny_segments(directory: Path) -> None:
    with open_store(directory) as store:
        for n in range(200):
            store.append("events", rows(n, 1))
            store.flush()
        assert segments(directory) == []
        assert [path.name for path in directory.glob("journal.*")] == ["journal.0000000000"]
        (stats,) = store.stats()
        assert (stats.pending_rows, stats.journal_rows) == (200, 200)
        assert stats.batches < 20
        assert stats.compacted_batches > 100
    with open_store(directory) as store:
        assert everything(store) == list(range(200))


def test_a_full_journal_is_followed_by_another(directory: Path) -> None:
    names = set()
    with open_store(directory, disk=2 << 20) as store:
        for n in range(0, 30_000, 200):
            store.append("events", rows(n, 200))
            store.flush()
            names |= {path.name for path in directory.glob("journal.*")}
            assert len(list(directory.glob("journal.*"))) == 1
            assert usage(directory) <= (2 << 20) * 1.05
        assert len(names) > 2
        assert everything(store) == list(range(30_000))
    with open_store(directory, disk=2 << 20) as store:
        assert everything(store) == list(range(30_000))


def test_rows_are_written_within_the_flush_interval(directory: Path) -> None:
    # The store's own clock, so that a busy machine is not late.
    now = 0.0
    with open_store(directory, flush_interval=0.3, clock=lambda: now) as store:
        store.append("events", rows(0, 10))
        now = 0.3
        deadline = time.monotonic() + 20
        while store.stats()[0].journal_rows < 10:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_the_oldest_segments_expire_within_the_budget(directory: Path) -> None:
    disk = 600_000
    with open_store(directory, memory=1 << 20, disk=disk) as store:
        for start in range(0, 160_000, 2000):
            store.append("events", rows(start, 2000, text=40))
            store.flush()
            assert usage(directory) <= disk * 1.05
            assert store.memory_used <= 1 << 20
        left = everything(store)
        (stats,) = store.stats()
    assert left == list(range(left[0], 160_000))
    assert 0 < left[0] == stats.rows_expired
    assert stats.rows_lost == 0


def test_a_held_segment_stays_and_counts_until_released(directory: Path) -> None:
    with open_store(directory, memory=1 << 20, disk=1 << 20) as store:
        fill(store, 0, 20_000)
        snapshot = store.snapshot("events")
        paths = [segment.path for segment in snapshot.segments]
        assert paths
        for start in range(20_000, 180_000, 1000):
            store.append("events", rows(start, 1000, text=40))
            store.flush()
            assert store.memory_used <= 1 << 20
            assert usage(directory) <= (1 << 20) * 1.05
        assert numbers(snapshot) == list(range(20_000))
        assert store.take_losses() == []
        assert not {segment.path for segment in store.snapshot("events").segments} & set(paths)
        snapshot.close()
        store.flush()
        assert not any(path.exists() for path in paths)


def test_files_are_private(directory: Path) -> None:
    with open_store(directory) as store:
        fill(store, 0, 20_000)
        store.append("events", rows(20_000, 1))
        store.flush()
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        files = list(directory.iterdir())
        assert len(files) > 2
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_a_shared_directory_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "somebody").write_text("else")
    tmp_path.chmod(0o755)
    open_store(tmp_path).close()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_two_stores_on_one_directory_are_an_error(directory: Path) -> None:
    with open_store(directory), pytest.raises(StoreBusyError, match=f"{directory} is in use by process {os.getpid()}"):
        open_store(directory)
    open_store(directory).close()


def test_a_torn_segment_is_set_aside_and_counted(directory: Path) -> None:
    with open_store(directory) as store:
        fill(store, 0, 40_000)
    first, second, third, *_ = segments(directory)
    first.write_bytes(first.read_bytes()[:-100])
    second.write_bytes(b"")
    damaged = bytearray(third.read_bytes())
    damaged[-400:-8] = bytes(392)
    third.write_bytes(damaged)
    counts = [
        int(path.name.split("-")[1].split(".")[0]) - int(path.name.split(".")[1].split("-")[0])
        for path in (first, second, third)
    ]
    with open_store(directory) as store:
        (loss,) = store.take_losses()
        assert (loss.table, loss.cause, loss.rows) == ("events", Cause.TORN_SEGMENT, sum(counts))
        assert everything(store) == list(range(sum(counts), 40_000))
        assert len(list(directory.glob("*.aside"))) == 3
    with open_store(directory) as store:
        assert store.take_losses() == []


def test_foreign_files_are_left_alone_and_counted(directory: Path) -> None:
    with open_store(directory) as store:
        fill(store, 0, 20_000)
    (directory / "notes.txt").write_text("mine")
    pq.write_table(pa.table({"a": [1]}), directory / "other.parquet")
    (directory / "folder").mkdir()
    with open_store(directory) as store:
        (loss,) = store.take_losses()
        assert (loss.cause, loss.rows) == (Cause.FOREIGN_FILE, 0)
        assert everything(store) == list(range(20_000))
        fill(store, 20_000, 80_000)
    assert (directory / "notes.txt").read_text() == "mine"
    assert (directory / "folder").is_dir()
    assert (directory / "other.parquet").exists()


def test_a_torn_journal_gives_what_is_whole(directory: Path) -> None:
    with open_store(directory) as store:
        for start in range(0, 300, 100):
            store.append("events", rows(start, 100))
            store.flush()
    (journal,) = directory.glob("journal.*")
    journal.write_bytes(journal.read_bytes()[:-7])
    with open_store(directory) as store:
        (loss,) = store.take_losses()
        assert (loss.cause, loss.table, loss.rows) == (Cause.TORN_SEGMENT, "", 0)
        assert everything(store) == list(range(200))
        store.append("events", rows(200, 50))
    with open_store(directory) as store:
        assert store.take_losses() == []
        assert everything(store) == list(range(250))


def test_garbage_in_place_of_a_journal_is_counted(directory: Path) -> None:
    open_store(directory).close()
    for content in (b"", b"\0" * 1000, os.urandom(5000)):
        (directory / "journal.0000000007").write_bytes(content)
        with open_store(directory) as store:
            assert [loss.cause for loss in store.take_losses()] == [Cause.TORN_SEGMENT] * bool(content)
            store.append("events", rows(0, 1))


def test_a_vanished_segment_is_no_error(directory: Path) -> None:
    with open_store(directory) as store:
        fill(store, 0, 60_000)
        gone = segments(directory)[0]
        count = int(gone.name.split("-")[1].split(".")[0])
        gone.unlink()
        assert everything(store) == list(range(count, 60_000))
        (loss,) = store.take_losses()
        assert (loss.cause, loss.rows) == (Cause.TORN_SEGMENT, count)


def test_a_discarded_segment_is_set_aside(directory: Path) -> None:
    with open_store(directory) as store:
        fill(store, 0, 60_000)
        with store.snapshot("events") as snapshot:
            bad = snapshot.segments[0]
            store.discard("events", bad, "page checksum differs")
            store.discard("events", bad, "again")
        assert everything(store) == list(range(bad.end, 60_000))
        (loss,) = store.take_losses()
        assert (loss.cause, loss.rows) == (Cause.TORN_SEGMENT, bad.rows)
        assert store.disk_used >= usage(directory) - 8192


def _columns(*names: str) -> tuple[Column, ...]:
    return tuple(
        Column(name, kind, SemanticType.ST_NONE, PatternType.GENERAL, name)
        for name, kind in zip(names, DataType, strict=False)
        for kind in [DataType[name.upper()]]
    )


def test_segments_of_an_older_declaration_get_todays_columns(directory: Path) -> None:
    with open_store(directory) as store:
        fill(store, 0, 60_000)
        store.append("events", rows(60_000, 10))
    newer = table(extra=_columns("string", "int64", "uint128", "boolean", "float64"))
    with Store({"events": newer}, directory=directory, memory=MEMORY, disk=DISK) as store:
        deadline = time.monotonic() + 20
        while store.stats()[0].rows < 60_010:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert store.take_losses() == []
        assert everything(store) == list(range(60_010))
        with store.snapshot("events") as snapshot:
            paths = [str(segment.path) for segment in snapshot.segments]
            query = duckdb.sql(
                f"SELECT DISTINCT string, int64, uint128::VARCHAR, boolean, float64 FROM read_parquet({paths})"
            )
            assert query.fetchall() == [("", 0, "00000000-0000-0000-0000-000000000000", False, 0.0)]
    with open_store(directory) as store:
        assert store.take_losses() == []


def test_a_segment_whose_column_changed_its_type_is_set_aside(directory: Path) -> None:
    with Store({"events": table(extra=_columns("string"))}, directory=directory, memory=1 << 20, disk=DISK) as store:
        batch = rows(0, 8000)
        wide = batch.append_column(pa.field("string", pa.string(), nullable=False), pa.array(["x"] * 8000))
        store.append("events", wide)
        store.flush()
        assert segments(directory)
    other = Column("string", DataType.INT64, SemanticType.ST_NONE, PatternType.GENERAL, "now a number")
    with Store({"events": table(extra=(other,))}, directory=directory, memory=MEMORY, disk=DISK) as store:
        (loss,) = store.take_losses()
        assert (loss.cause, loss.rows) == (Cause.TORN_SEGMENT, 8000)
        assert "other types" in loss.detail


def test_rows_that_break_their_own_schema_do_not_stop_the_writer(directory: Path) -> None:
    with open_store(directory) as store:
        good = rows(0, 10_000)
        lying = pa.RecordBatch.from_arrays(
            [*rows(10_000, 1).columns[:5], pa.array([None], pa.string())], schema=good.schema
        )
        store.append("events", good)
        store.append("events", lying)
        store.append("events", rows(10_001, 10_000))
        store.flush()
        (loss,) = store.take_losses()
        assert (loss.cause, loss.rows) == (Cause.INVALID, 1)
    with open_store(directory) as store:
        assert everything(store) == [*range(10_000), *range(10_001, 20_001)]
