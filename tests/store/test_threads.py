"""Appending, reading, evicting and writing at once: every snapshot shows each row exactly once."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from sylph.store import Store
from tests.store.samples import numbers, rows, table

ROWS, BATCH = 60_000, 200


@pytest.mark.parametrize("disk", [0, 64 << 20])
def test_every_snapshot_shows_each_row_once(tmp_path: Path, disk: int) -> None:
    tables = {"a": table("a", 0.5), "b": table("b", 0.5)}
    store = Store(tables, directory=tmp_path / "store", memory=6 << 20, disk=disk, flush_interval=0.1)
    appended = {"a": 0, "b": 0}
    failures: list[BaseException] = []
    done = threading.Event()

    def append(name: str) -> None:
        while appended[name] < ROWS:
            store.append(name, rows(appended[name], BATCH))
            appended[name] += BATCH
            # In step with the writer: what it does when it is outrun is another test's subject.
            while disk and next(s for s in store.stats() if s.name == name).pending_rows > 4_000:
                time.sleep(0.001)

    def read(name: str) -> None:
        while not done.is_set():
            before = appended[name]
            with store.snapshot(name) as snapshot:
                after = appended[name] + BATCH
                found = numbers(snapshot)
            assert found == (list(range(found[0], found[-1] + 1)) if found else [])
            if found:
                assert before <= found[-1] + 1 <= after
            if disk:
                assert len(found) >= before, "a row was missing"

    def guarded(work: threading.Thread | object, name: str) -> None:
        try:
            work(name)  # type: ignore[operator]
        except BaseException as error:  # noqa: BLE001 - handed to the test
            failures.append(error)

    writers = [threading.Thread(target=guarded, args=(append, name)) for name in tables]
    readers = [threading.Thread(target=guarded, args=(read, name)) for name in tables]
    for thread in (*writers, *readers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in readers:
        thread.join()
    assert not failures, (failures, store.stats(), store.take_losses())
    for stats in store.stats():
        assert stats.rows_added == ROWS
        assert stats.rows + stats.rows_expired == ROWS
        assert stats.rows_lost == 0
    store.close()


def test_rows_that_outrun_the_writer_are_counted_exactly(tmp_path: Path) -> None:
    store = Store({"a": table("a")}, directory=tmp_path / "store", memory=400_000, disk=64 << 20)
    for first in range(0, 100_000, BATCH):
        store.append("a", rows(first, BATCH))
    store.flush()
    (stats,) = store.stats()
    with store.snapshot("a") as snapshot:
        found = numbers(snapshot)
    assert len(found) == stats.rows
    assert stats.rows + stats.rows_lost == 100_000
    assert sum(loss.rows for loss in store.take_losses()) == stats.rows_lost
    store.close()


def test_snapshots_that_are_forgotten_are_released(tmp_path: Path) -> None:
    store = Store({"a": table("a")}, directory=tmp_path / "store", memory=400_000)
    store.append("a", rows(0, 100))
    held = store.snapshot("a")
    (batch,) = store._tables["a"].hot
    assert batch.pins == 1
    del held
    store.append("a", rows(100, 1))
    assert batch.pins == 0
    store.close()
