"""A disk that is full, read-only or gone: reported, counted, running, and used again when it gets better."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sylph.store import Cause, Loss, Store
from tests.store.samples import numbers, rows, table


def mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"needs the right to mount: {done.stderr.strip()}")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    path = tmp_path / "mounted"
    path.mkdir()
    mount("-t", "tmpfs", "-o", "size=2m", "tmpfs", str(path))
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


def fill_disk(path: Path) -> None:
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def open_store(directory: Path, **options: float) -> Store:
    settings = {"memory": 4 << 20, "disk": 64 << 20, "flush_interval": 3600} | options
    return Store({"events": table()}, directory=directory, **settings)  # type: ignore[arg-type]


def everything(store: Store) -> list[int]:
    with store.snapshot("events") as snapshot:
        return numbers(snapshot)


def expect(store: Store, cause: Cause) -> Loss:
    losses = store.take_losses()
    assert {loss.cause for loss in losses} == {cause}, losses
    return losses[0]


def rows_lost(store: Store) -> int:
    """Lost rows; an attempt of the store's own thread may have failed meanwhile, without losing any."""
    return sum(loss.rows for loss in store.take_losses())


def test_a_full_disk_is_counted_and_used_again_when_there_is_room(small_disk: Path) -> None:
    filler = small_disk / "filler"
    with open_store(small_disk / "store") as store:
        store.append("events", rows(0, 500))
        store.flush()
        fill_disk(filler)
        for start in range(500, 20_500, 500):
            store.append("events", rows(start, 500))
        store.flush()
        loss = expect(store, Cause.DISK_ERROR)
        assert loss.rows == 0
        assert "No space" in loss.detail
        assert everything(store) == list(range(20_500))
        for start in range(20_500, 80_500, 500):
            store.append("events", rows(start, 500))
        lost = sum(loss.rows for loss in store.take_losses() if loss.cause is Cause.DISK_ERROR)
        assert lost > 0
        kept = everything(store)
        assert kept == list(range(lost, 80_500))
        filler.unlink()
        store.flush()
        assert rows_lost(store) == 0
        assert everything(store) == kept
        assert store.stats()[0].segments
    with open_store(small_disk / "store") as store:
        assert everything(store) == kept


def test_the_writer_tries_again_by_itself(small_disk: Path) -> None:
    filler = small_disk / "filler"
    fill_disk(filler)
    with open_store(small_disk / "store", flush_interval=0.1) as store:
        store.append("events", rows(0, 500))
        until(lambda: bool(store.take_losses()))
        filler.unlink()
        until(lambda: store.stats()[0].journal_rows == 500)


def test_a_read_only_directory_is_read_and_rows_stay_in_memory(small_disk: Path) -> None:
    with open_store(small_disk / "store") as store:
        for start in range(0, 20_000, 500):
            store.append("events", rows(start, 500))
    mount("-o", "remount,ro", str(small_disk))
    with open_store(small_disk / "store") as store:
        assert everything(store) == list(range(20_000))
        store.append("events", rows(20_000, 500))
        store.flush()
        assert "Read-only" in expect(store, Cause.DISK_ERROR).detail
        assert everything(store) == list(range(20_500))
        mount("-o", "remount,rw", str(small_disk))
        store.flush()
        assert rows_lost(store) == 0
    with open_store(small_disk / "store") as store:
        assert everything(store) == list(range(20_500))


def test_a_directory_that_cannot_be_made_is_made_later(small_disk: Path) -> None:
    with open_store(small_disk / "deep" / "store") as store:
        store.append("events", rows(0, 100))
    mount("-o", "remount,ro", str(small_disk))
    with open_store(small_disk / "other" / "store") as store:
        assert "Read-only" in expect(store, Cause.DISK_ERROR).detail
        store.append("events", rows(0, 100))
        mount("-o", "remount,rw", str(small_disk))
        store.flush()
        assert rows_lost(store) == 0
    with open_store(small_disk / "other" / "store") as store:
        assert everything(store) == list(range(100))


def test_what_was_on_a_disk_that_comes_late_precedes_what_arrived(tmp_path: Path) -> None:
    directory = tmp_path / "store"
    with open_store(directory) as store:
        for start in range(0, 30_000, 500):
            store.append("events", rows(start, 500))
    away = tmp_path / "away"
    directory.rename(away)
    directory.write_text("in the way")
    with open_store(directory) as store:
        assert expect(store, Cause.DISK_ERROR).detail
        store.append("events", rows(30_000, 500))
        assert everything(store) == list(range(30_000, 30_500))
        directory.unlink()
        away.rename(directory)
        store.flush()
        assert everything(store) == list(range(30_500))
    with open_store(directory) as store:
        assert everything(store) == list(range(30_500))


def test_a_directory_that_vanishes_is_made_again(tmp_path: Path) -> None:
    directory = tmp_path / "store"
    with open_store(directory) as store:
        for start in range(0, 80_000, 500):
            store.append("events", rows(start, 500))
            if start % 5000 == 0:
                store.flush()
        assert rows_lost(store) == 0
        with store.snapshot("events") as snapshot:
            gone = sum(segment.rows for segment in snapshot.segments)
        assert gone
        shutil.rmtree(directory)
        store.append("events", rows(80_000, 500))
        store.flush()
        store.flush()
        assert {loss.cause for loss in store.take_losses()} == {Cause.DISK_ERROR, Cause.TORN_SEGMENT}
        assert everything(store) == list(range(gone, 80_500))
        store.append("events", rows(80_500, 500))
        store.flush()
        assert rows_lost(store) == 0
        pending = store.stats()[0].pending_rows
    with open_store(directory) as store:
        assert everything(store)[-pending:] == list(range(81_000 - pending, 81_000))


def test_a_monotonic_clock_that_stands_still_stops_nothing(tmp_path: Path) -> None:
    clock = iter([100.0, *([50.0] * 10_000)])
    store = Store({"events": table()}, directory=tmp_path / "store", flush_interval=0.1, clock=lambda: next(clock))
    store.append("events", rows(0, 10, time=5))
    store.append("events", rows(10, 10, time=1))
    store.flush()
    with store.snapshot("events", 1, 1) as snapshot:
        assert [batch.num_rows for batch in snapshot.batches] == [10]
    assert store.stats()[0].journal_rows == 20
    store.close()


def test_an_idle_store_does_nothing(tmp_path: Path) -> None:
    with open_store(tmp_path / "store", flush_interval=0.05) as store:
        store.append("events", rows(0, 10))
        until(lambda: store.stats()[0].journal_rows == 10)
        (writer,) = (thread for thread in threading.enumerate() if thread.name == "sylph-store")
        status = Path(f"/proc/self/task/{writer.native_id}/status")

        def switches() -> int:
            return sum(int(line.split()[1]) for line in status.read_text().splitlines() if "ctxt_switches" in line)

        time.sleep(0.1)
        before = switches()
        time.sleep(0.5)
        assert switches() == before


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
