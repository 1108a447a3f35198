"""Following a table: every row once and in order, however the store moves it; what is missed is counted."""

from __future__ import annotations

import threading

import pyarrow.parquet as pq
import pytest

from sylph.store import Store
from tests.store.samples import SCHEMA, rows, table

TABLES = {"events": table()}


def numbers(part):
    """The `n` of a part's rows in order; the part is closed."""
    with part.snapshot as snapshot:
        found = []
        for segment in snapshot.segments:
            found += pq.read_table(segment.path).column("n").to_pylist()
        for batch in snapshot.batches:
            assert batch.schema == SCHEMA
            found += batch.column("n").to_pylist()
    return found


def rest(follower, count=None):
    found, missed = [], 0
    while True:
        part = follower.read(count)
        found += numbers(part)
        missed += part.missed
        if not part.more:
            return found, missed


@pytest.fixture
def store(tmp_path):
    with Store(TABLES, directory=tmp_path / "store", flush_interval=0.05) as made:
        yield made


def test_begins_with_the_oldest_row_and_goes_on(store):
    store.append("events", rows(0, 10))
    store.flush()
    store.append("events", rows(10, 5))
    with store.follow("events", wake=int) as follower:
        assert rest(follower) == (list(range(15)), 0)
        assert rest(follower) == ([], 0)
        store.append("events", rows(15, 3, time=-7))
        part = follower.read()
        assert (part.newest, part.more, part.missed) == (-7, False, 0)
        assert numbers(part) == [15, 16, 17]


def test_takes_no_more_than_asked_of_memory(store):
    store.append("events", rows(0, 100))
    store.append("events", rows(100, 50))
    with store.follow("events", wake=int) as follower:
        (stats,) = store.stats()
        sizes = []
        while True:
            part = follower.read(stats.hot_bytes // 4)
            sizes.append(len(numbers(part)))
            if not part.more:
                break
        assert sum(sizes) == 150
        assert 4 <= len(sizes) <= 6
        assert max(sizes) < 60
    with store.follow("events", wake=int) as follower:
        assert numbers(follower.read(1)) == [0]


def test_leaves_out_what_lies_outside_the_time_range(store):
    for first in range(0, 100, 10):
        store.append("events", rows(first, 10))
    with store.follow("events", 35, 52, wake=int) as follower:
        part = follower.read()
        assert part.newest == 99
        assert numbers(part) == list(range(30, 60))


def test_wakes_at_each_append_until_it_is_closed(store):
    woken = []
    with store.follow("events", wake=lambda: woken.append(1)) as follower:
        store.append("events", rows(0, 1))
        store.append("events", rows(1, 1))
        assert len(woken) == 2
        assert not follower.ended
    store.append("events", rows(2, 1))
    assert len(woken) == 2


def test_the_end_of_the_store_wakes(tmp_path):
    woken = threading.Event()
    store = Store(TABLES, directory=None)
    follower = store.follow("events", wake=woken.set)
    store.close()
    assert woken.is_set()
    assert follower.ended


def test_goes_on_in_the_middle_of_what_moved_to_disk(tmp_path):
    size = rows(0, 1000).get_total_buffer_size()
    with Store(TABLES, directory=tmp_path / "store", memory=12 * size, flush_interval=60) as store:
        with store.follow("events", wake=int) as follower:
            store.append("events", rows(0, 1000))
            store.append("events", rows(1000, 1000))
            (stats,) = store.stats()
            begun = numbers(follower.read(stats.hot_bytes * 3 // 4))
            assert 1000 < len(begun) < 2000
            store.flush()
            for first in range(2000, 30_000, 1000):
                store.append("events", rows(first, 1000))
                store.flush()
            (stats,) = store.stats()
            assert stats.cold_rows > 2000
            assert rest(follower, 70_000) == (list(range(len(begun), 30_000)), 0)


def test_rows_that_left_before_they_were_read_are_counted(tmp_path):
    size = rows(0, 1000).get_total_buffer_size()
    with Store(TABLES, directory=None, memory=6 * size) as store, store.follow("events", wake=int) as follower:
        for first in range(0, 40_000, 1000):
            store.append("events", rows(first, 1000))
        found, missed = rest(follower, 50_000)
        assert missed > 0
        assert found == list(range(missed, 40_000))
        # New followers do not miss what was gone before they came.
        with store.follow("events", wake=int) as later:
            assert rest(later) == (found, 0)


@pytest.mark.parametrize("on_disk", [True, False])
def test_every_row_once_under_a_writer(tmp_path, on_disk):
    total, readers = 300_000, 3
    with Store(
        TABLES, directory=tmp_path / "store" if on_disk else None, memory=8 << 20, disk=1 << 30, flush_interval=0.05
    ) as store:
        store.append("events", rows(0, 500))

        def write():
            for first in range(500, total, 500):
                store.append("events", rows(first, 500, text=40))

        results = [None] * readers

        def read(place):
            woken = threading.Event()
            found, missed = [], 0
            with store.follow("events", wake=woken.set) as follower:
                while not found or found[-1] < total - 1:
                    woken.wait(10)
                    woken.clear()
                    more, gone = rest(follower, 70_000 * (place + 1))
                    found += more
                    missed += gone
            results[place] = found, missed

        threads = [threading.Thread(target=read, args=(place,)) for place in range(readers)]
        threads.append(threading.Thread(target=write))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        lost = sum(loss.rows for loss in store.take_losses())
        for found, missed in results:
            assert found == sorted(set(found))
            assert len(found) + missed == total
            assert missed <= lost if on_disk else True
