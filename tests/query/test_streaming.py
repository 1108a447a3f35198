"""Streams over a real store: every row once, windows when they close, bounds, and the end."""

from __future__ import annotations

import gc
import re
import threading
import time
from collections import Counter
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pytest

from sylph.pxl.compile import compile_script
from sylph.query import streaming, windows
from sylph.query.answer import CancelToken, Code, QueryError, QueryWarning, Rows, Stats, TableMeta
from sylph.query.engine import Engine
from sylph.query.limits import Limits
from sylph.query.sharded import ShardedEngine
from sylph.store import Store
from sylph.tables import TABLES
from sylph.tables.entities import ENTITIES
from sylph.tables.rows import record_batch
from sylph.testing.dataset import MemoryDataset, StoreDataset
from tests.query.live import Reader, http
from tests.query.travelled import Travelled

SECOND = 1_000_000_000
LATENCIES = "import px\ndf = px.DataFrame('http_events', select=['time_', 'latency'])\npx.display(df.stream())"
WINDOWS = (
    "import px\ndf = px.DataFrame('http_events')\n"
    "df = df.groupby('req_path').rolling('1s').agg(n=('latency', px.count), total=('latency', px.sum), "
    "q=('latency', px.quantiles), m=('latency', px.mean))\n"
)


@pytest.fixture
def store():
    with Store(TABLES, directory=None) as made:
        yield made


@pytest.fixture
def engine(store):
    made = Engine(StoreDataset(store))
    yield made
    made.close()


@pytest.fixture
def short_grace(monkeypatch):
    """Windows close 0.3 s after their end."""
    monkeypatch.setattr(windows, "GRACE_NS", 300_000_000)
    monkeypatch.setattr(streaming, "GRACE_NS", 300_000_000)


@pytest.fixture
def wall_clock(monkeypatch):
    """A wall clock that stands still at `now` until a test moves it: on no machine are rows late by accident."""
    clock = SimpleNamespace(now=time.time_ns())
    monkeypatch.setattr(time, "time_ns", lambda: clock.now)
    return clock


def latencies(reader, table="output"):
    return [row["latency"] for row in reader.rows(table)]


def idle(store):
    """Whether nobody follows anything."""
    return not any(state.followers for state in store._tables.values())


def all_read(store):
    """Whether somebody follows, and everybody who does has taken all rows."""
    followers = [follower for state in store._tables.values() for follower in state.followers]
    return bool(followers) and all(follower.at == follower.state.next_row for follower in followers)


def eventually(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def let_time_pass(wall_clock, reader, count):
    """Until so many rows are shown: the clock closes windows that nobody adds to."""

    def shown():
        wall_clock.now += SECOND // 10
        return len(reader.rows()) >= count

    eventually(shown)


def test_shows_what_is_there_and_what_comes(engine, store):
    store.append("http_events", http({"time_": 10, "latency": 1}, {"time_": 20, "latency": 2}))
    reader = Reader(engine.run, LATENCIES)
    reader.wait_rows(2)
    # Late by its time_, but new.
    store.append("http_events", http({"time_": 5, "latency": 3}))
    reader.wait_rows(3)
    store.append("http_events", http({"time_": 30, "latency": 4}))
    assert reader.wait_rows(4) == [{"time_": time, "latency": n} for time, n in ((10, 1), (20, 2), (5, 3), (30, 4))]
    assert isinstance(reader.results[0], TableMeta)
    assert all(result.live and not result.last for result in reader.results[1:])
    error = reader.end()
    assert error.code is Code.CANCELLED
    assert idle(store)


def test_operators_and_lookups_work_on_each_row(engine, store):
    def know(*services):
        rows = [{"upid": upid, "service_name": name, "pod_id": ""} for upid, name in enumerate(services, 1)]
        engine.dataset.metadata["process"] = pa.Table.from_batches([record_batch(ENTITIES["process"], rows)])

    know("a")
    script = (
        "import px\ndf = px.DataFrame('http_events')\ndf.service = df.ctx['service']\ndf.ms = df.latency / 1000000\n"
        "df = df[df.service != '']\ndf = df[['time_', 'service', 'ms']]\npx.display(df.stream())"
    )
    reader = Reader(engine.run, script)
    reader.wait_for(lambda: len(reader.results) >= 2)
    store.append("http_events", http({"upid": 1, "latency": 2_000_000}, {"upid": 2, "latency": 1}))
    reader.wait_rows(1)
    know("a", "b")
    store.append("http_events", http({"upid": 2, "latency": 5_000_000, "time_": 3}))
    assert reader.wait_rows(2) == [
        {"time_": 0, "service": "a", "ms": 2.0},
        {"time_": 3, "service": "b", "ms": 5.0},
    ]
    reader.end()


def test_start_time_leaves_out_the_past(engine, store):
    store.append("http_events", http(*({"time_": n, "latency": n} for n in range(100))))
    reader = Reader(engine.run, LATENCIES.replace("select", "start_time=90, select"))
    reader.wait_rows(10)
    store.append("http_events", http({"time_": 89, "latency": 89}, {"time_": 100, "latency": 100}))
    reader.wait_rows(11)
    assert latencies(reader) == list(range(90, 101))
    reader.end()


def test_head_ends_the_stream(engine, store):
    store.append("http_events", http({"latency": 0}, {"latency": 1}))
    script = LATENCIES.replace("df.stream()", "df[df.latency > 0].head(3).stream()")
    reader = Reader(engine.run, script)
    reader.wait_rows(1)
    store.append("http_events", http(*({"latency": n} for n in (0, 2, 0))))
    reader.wait_rows(2)
    store.append("http_events", http(*({"latency": n} for n in (3, 4, 5))))
    assert reader.join() is None
    assert latencies(reader) == [1, 2, 3]
    assert isinstance(reader.results[-1], Stats)
    assert reader.results[-2].last
    assert idle(store)


def test_end_time_ends_the_stream(engine, store, wall_clock):
    now = wall_clock.now
    store.append("http_events", http({"time_": now, "latency": 1}))
    reader = Reader(engine.run, LATENCIES.replace("select", f"end_time={now + 6 * SECOND}, select"))
    reader.wait_rows(1)
    store.append("http_events", http({"time_": now + 7 * SECOND, "latency": 2}, {"time_": now + 5, "latency": 3}))
    reader.wait_rows(2)
    wall_clock.now += 9 * SECOND
    store.append("http_events", http({"time_": now + 8 * SECOND, "latency": 4}))
    assert reader.join() is None
    assert latencies(reader) == [1, 3]


def test_what_ends_comes_before_what_streams(engine, store):
    store.append("http_events", http({"latency": 1}))
    script = LATENCIES.replace("df.stream()", "df.stream(), 'live'") + (
        "\npx.display(df, 'now')\npx.display(df.agg(n=('latency', px.count)), 'count')"
    )
    reader = Reader(engine.run, script)
    reader.wait_rows(1, "live")
    store.append("http_events", http({"latency": 2}))
    reader.wait_rows(2, "live")
    assert (latencies(reader, "now"), reader.rows("count")) == ([1], [{"n": 1}])
    metas = [isinstance(result, TableMeta) for result in reader.results]
    assert metas == sorted(metas, reverse=True)
    reader.end()


@pytest.mark.parametrize("on_disk", [True, False])
def test_every_row_once_under_a_writer(tmp_path, on_disk):
    total, batch = 200_000, 400
    directory = tmp_path / "tables" if on_disk else None
    with Store(TABLES, directory=directory, memory=256 << 20, disk=1 << 30, flush_interval=0.05) as store:
        engine = Engine(StoreDataset(store, directories=(directory,) if directory else ()), running=2)
        for first in range(0, total // 10, batch):
            store.append("http_events", http(*({"latency": n} for n in range(first, first + batch))))

        def write():
            for first in range(total // 10, total, batch):
                store.append("http_events", http(*({"latency": n} for n in range(first, first + batch))))

        scripts = [LATENCIES, LATENCIES.replace("df.stream()", "df[df.latency % 3 == 0].stream()"), LATENCIES]
        readers = [Reader(engine.run, script) for script in scripts]
        writer = threading.Thread(target=write)
        writer.start()
        writer.join()
        for reader, step in zip(readers, (1, 3, 1), strict=True):
            reader.wait_for(lambda reader=reader: latencies_end(reader) >= total - 3, 60)
            assert latencies(reader) == list(range(0, total, step))
            assert not [result for result in reader.results if isinstance(result, QueryWarning)]
            reader.end()
        assert idle(store)
        engine.close()


def latencies_end(reader):
    """The last latency shown."""
    batches = [result.batch for result in reader.results[-3:] if isinstance(result, Rows) and result.batch.num_rows]
    return batches[-1].column("latency")[-1].as_py() if batches else -1


def test_ordinary_queries_run_beside_streams(engine, store):
    script = LATENCIES.replace("select=['time_', 'latency']", "")
    readers = [Reader(engine.run, script) for _ in range(12)]
    stop = threading.Event()

    def write():
        # Not more than the store holds: the count would go down.
        for _ in range(4_000):
            if stop.wait(0.001):
                return
            store.append("http_events", http(*({"latency": n} for n in range(50))))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        plan = compile_script("import px\npx.display(px.DataFrame('http_events').agg(n=('latency', px.count)))")
        counts = []
        for _ in range(10):
            counts += [r.batch.to_pylist()[0]["n"] for r in engine.run(plan) if isinstance(r, Rows)]
        assert counts == sorted(counts)
        assert len(counts) == 10
    finally:
        stop.set()
        writer.join()
    for reader in readers:
        assert reader.end().code is Code.CANCELLED


def test_a_slow_reader_misses_the_oldest_rows_and_is_told(monkeypatch):
    monkeypatch.setattr(streaming, "_WARN_S", 0.0)
    total, batch = 100_000, 1000
    with Store(TABLES, directory=None, memory=20 << 20) as store:
        engine = Engine(StoreDataset(store))
        results = engine.run(compile_script(LATENCIES))
        assert isinstance(next(results), TableMeta)
        assert next(results).batch.num_rows == 0
        for first in range(0, total, batch):
            store.append("http_events", http(*({"latency": n} for n in range(first, first + batch))))
            assert store.memory_used <= 20 << 20
        found, missed = [], 0
        while not found or found[-1] < total - 1:
            result = next(results)
            if isinstance(result, QueryWarning):
                missed = int(result.message.split()[0])
            else:
                found += result.batch.column("latency").to_pylist()
        assert missed > 0
        assert found == list(range(missed, total))
        results.close()
        assert idle(store)
        engine.close()


def test_nobody_holds_rows_for_a_reader_that_does_not_read(engine, store):
    store.append("http_events", http(*({"latency": n} for n in range(1000))))
    results = engine.run(compile_script(LATENCIES))
    while not (isinstance(result := next(results), Rows) and result.batch.num_rows):
        pass
    del result
    gc.collect()
    store.stats()  # what was given back while the lock was taken counts from the next call on
    assert not any(batch.pins for state in store._tables.values() for batch in state.hot)
    # Nor an instance: as many may run as before.
    plan = compile_script("import px\npx.display(px.DataFrame('http_events').agg(n=('latency', px.count)))")
    beside = [engine.run(plan) for _ in range(4)]
    assert all([isinstance(result, TableMeta | Rows | Stats) for result in run] for run in beside)
    results.close()


def test_cancelling_ends_an_idle_stream_at_once(engine, store, monkeypatch):
    looks = []
    check = streaming._Stream._check
    monkeypatch.setattr(streaming._Stream, "_check", lambda stream: (looks.append(stream), check(stream)))
    reader = Reader(engine.run, LATENCIES)
    reader.wait_for(lambda: len(reader.results) >= 2)
    time.sleep(1.2)
    # It waits to be woken: what polled every second would have looked again.
    assert len(looks) <= 1
    assert reader.end().code is Code.CANCELLED
    assert idle(store)


def test_more_streams_than_allowed_are_refused(store):
    engine = Engine(StoreDataset(store), streams=2)
    readers = [Reader(engine.run, LATENCIES) for _ in range(2)]
    for reader in readers:
        reader.wait_for(lambda reader=reader: len(reader.results) >= 2)
    with pytest.raises(QueryError, match="2 streams are running already") as refused:
        list(engine.run(compile_script(LATENCIES)))
    assert refused.value.code is Code.RESOURCE_EXHAUSTED
    readers[0].end()
    again = Reader(engine.run, LATENCIES)
    again.wait_for(lambda: len(again.results) >= 2)
    engine.close()
    for reader in (readers[1], again):
        assert reader.join().code is Code.UNAVAILABLE
    assert idle(store)


def test_the_end_of_the_store_ends_streams(engine, store):
    reader = Reader(engine.run, LATENCIES)
    reader.wait_for(lambda: len(reader.results) >= 2)
    store.close()
    assert reader.join().code is Code.UNAVAILABLE


def test_rows_that_never_grow_cannot_be_streamed():
    engine = Engine(MemoryDataset())
    with pytest.raises(QueryError, match="do not change"):
        list(engine.run(compile_script(LATENCIES)))
    engine.close()


def test_explain_and_analyze(engine, store):
    reader = Reader(engine.run, "#px:set explain=true\n" + LATENCIES)
    reader.wait_for(lambda: len(reader.rows("__query_plan__")) == 1)
    assert "streaming" in reader.rows("__query_plan__")[0]["query_plan"]
    reader.end()
    with pytest.raises(QueryError, match="leave out stream"):
        engine.run(compile_script("#px:set analyze=true\n" + LATENCIES))


# -- windows ---------------------------------------------------------------------------------------------------


def traffic(first, count, start):
    """Rows 100 ms apart."""
    return [
        {"time_": start + n * SECOND // 10, "latency": n * 7 % 1000, "req_path": f"/{n % 3}"}
        for n in range(first, first + count)
    ]


def bounded(run, script=WINDOWS):
    plan = compile_script(script + "px.display(df)")
    found = [row for r in run(plan) if isinstance(r, Rows) for row in r.batch.to_pylist()]
    return sorted(found, key=str)


def test_windows_are_those_of_an_ending_query(engine, store, short_grace, wall_clock):
    start = (wall_clock.now // SECOND - 1000) * SECOND
    store.append("http_events", http(*traffic(0, 500, start)))
    reader = Reader(engine.run, WINDOWS + "px.display(df.stream())")
    reader.wait_for(lambda: len(reader.results) >= 3)
    for first in range(500, 1000, 10):
        store.append("http_events", http(*traffic(first, 10, start)))
        time.sleep(0.002)
    # All windows but the last; then every row has been read.
    reader.wait_rows(297)
    let_time_pass(wall_clock, reader, 300)
    rows = reader.rows()
    times = [row["time_"] for row in rows]
    assert times == sorted(times)
    assert sorted(rows, key=str) == bounded(engine.run)
    time.sleep(0.8)
    assert reader.rows() == rows
    reader.end()


def test_an_open_window_waits_for_its_end(engine, store, short_grace):
    reader = Reader(engine.run, WINDOWS + "px.display(df.stream())")
    reader.wait_for(lambda: len(reader.results) >= 2)
    now = time.time_ns() // SECOND * SECOND
    store.append("http_events", http({"time_": now, "latency": 1}))
    while True:
        shown = reader.rows()
        if time.time_ns() >= now + SECOND:
            break
        assert shown == []
        time.sleep(0.02)
    # Nothing else comes: the clock closes it.
    (row,) = reader.wait_rows(1)
    assert (row["time_"], row["n"], row["total"]) == (now, 1, 1)
    assert time.time_ns() >= now + SECOND + windows.GRACE_NS
    reader.end()


def test_rows_that_come_too_late_are_counted(engine, store, short_grace, wall_clock, monkeypatch):
    monkeypatch.setattr(streaming, "_WARN_S", 0.0)
    start = 1_000 * SECOND
    reader = Reader(engine.run, WINDOWS + "px.display(df.stream())")
    reader.wait_for(lambda: len(reader.results) >= 2)
    store.append("http_events", http({"time_": start, "latency": 1}, {"time_": start + 5 * SECOND, "latency": 2}))
    reader.wait_rows(1)
    store.append("http_events", http(*({"time_": start + n, "latency": 9} for n in range(3))))
    store.append("http_events", http({"time_": start + 9 * SECOND, "latency": 3}))
    rows = reader.wait_rows(2)
    assert [(row["time_"] - start) // SECOND for row in rows[:2]] == [0, 5]
    reader.wait_for(lambda: any(isinstance(result, QueryWarning) for result in reader.results))
    (warning,) = {result.message for result in reader.results if isinstance(result, QueryWarning)}
    assert warning.startswith("3 rows came too late")
    assert [row["n"] for row in reader.rows()][:2] == [1, 1]
    reader.end()


def test_windows_may_be_filtered_changed_and_limited(engine, store, short_grace):
    store.append("http_events", http(*traffic(0, 300, 5_000 * SECOND)))
    script = WINDOWS + (
        "df = df[df.n > 3]\ndf.path = df.req_path + '!'\ndf = df[['path', 'n', 'time_']].head(4)\npx.display(df.stream())"
    )
    reader = Reader(engine.run, script)
    assert reader.join() is None
    rows = reader.rows()
    assert len(rows) == 4
    assert all(row["n"] == 4 and row["path"].endswith("!") for row in rows)
    assert [row["time_"] for row in rows] == sorted(row["time_"] for row in rows)


def test_windows_compute_of_aggregates(engine, store, short_grace, wall_clock):
    store.append("http_events", http(*traffic(0, 300, (wall_clock.now // SECOND - 1000) * SECOND)))
    script = (
        "import px\ndf = px.DataFrame('http_events')\ndf = df.groupby('req_path').rolling('1s').agg(\n"
        "    rate=px.sum(df.latency * 2) / px.count(df.latency),\n"
        "    label=f'{df.req_path}: {px.itoa(px.count(df.latency))}',\n"
        "    state='busy' if px.count('latency') > 3 else 'idle',\n)\n"
    )
    want = bounded(engine.run, script)
    assert {row["state"] for row in want} >= {"busy"}
    reader = Reader(engine.run, script + "px.display(df.stream())")
    let_time_pass(wall_clock, reader, len(want))
    assert sorted(reader.rows(), key=str) == want
    reader.end()


def test_many_states_are_combined(engine, store, short_grace, wall_clock, monkeypatch):
    monkeypatch.setattr(windows, "_COMBINE_ROWS", 20)
    now = wall_clock.now // (3600 * SECOND) * 3600 * SECOND
    wall_clock.now = now + 4 * 3600 * SECOND
    # Quantiles depend a little on what is combined when.
    script = WINDOWS.replace("1s", "1h") + "df.p99 = px.pluck_float64(df.q, 'p99')\ndf = df.drop('q')\n"
    reader = Reader(engine.run, script + "px.display(df.stream())")
    reader.wait_for(lambda: len(reader.results) >= 2)
    for first in range(0, 600, 6):
        store.append("http_events", http(*traffic(first, 6, now)))
        time.sleep(0.02)
    # The clock stands still, so that nothing closes it but a later row.
    assert reader.rows() == []
    reader.end()
    want = bounded(engine.run, script)
    assert sum(row["n"] for row in want) == 600
    reader = Reader(engine.run, script + "px.display(df.stream())")
    reader.wait_for(lambda: len(reader.results) >= 2)
    for first in range(600, 1200, 6):
        store.append("http_events", http(*traffic(first, 6, now)))
    store.append("http_events", http({"time_": now + 3 * 3600 * SECOND}))
    rows = reader.wait_rows(3)
    assert sum(row["n"] for row in rows) == 1200
    for row, want in zip(
        sorted(rows, key=str), (row for row in bounded(engine.run, script) if row["time_"] == now), strict=True
    ):
        assert row == {**want, "p99": pytest.approx(want["p99"], rel=0.02)}
    reader.end()


def test_windows_that_need_too_much_memory_end_the_query(store, short_grace, monkeypatch):
    monkeypatch.setattr(windows, "_COMBINE_ROWS", 1_000_000)
    engine = Engine(StoreDataset(store))
    ahead = time.time_ns() + 3600 * SECOND
    script = "import px\ndf = px.DataFrame('http_events')\ndf = df.groupby('req_path').rolling('1s').agg()\n"
    reader = Reader(partial(engine.run, limits=Limits(memory=20 << 20)), script + "px.display(df.stream())")
    reader.wait_for(lambda: len(reader.results) >= 2)
    for first in range(0, 12_000, 200):
        rows = ({"time_": ahead, "req_path": f"/{first + n}" + "x" * 2000} for n in range(200))
        store.append("http_events", http(*rows))
        time.sleep(0.02)
    error = reader.join()
    assert error.code is Code.RESOURCE_EXHAUSTED
    assert "open windows need more memory" in error.message
    assert idle(store)
    engine.close()


# -- shards ----------------------------------------------------------------------------------------------------


@pytest.fixture
def shards():
    stores = [Store(TABLES, directory=None) for _ in range(3)]
    engines = [Engine(StoreDataset(store)) for store in stores]
    broker = Engine(MemoryDataset())
    agents = [(f"node-{n}", Travelled(engine)) for n, engine in enumerate(engines)]
    yield stores, engines, ShardedEngine(agents, broker)
    for engine in (*engines, broker):
        engine.close()
    for store in stores:
        store.close()


def test_rows_of_every_shard_once(shards):
    stores, _, sharded = shards
    stores[0].append("http_events", http(*({"latency": n} for n in range(10))))
    reader = Reader(sharded.run, LATENCIES.replace("df.stream()", "df[df.latency % 2 == 0].stream()"))
    reader.wait_rows(5)
    for first in range(0, 30_000, 100):
        stores[first // 100 % 3].append("http_events", http(*({"latency": 10 + first + n} for n in range(100))))
    reader.wait_rows(15_005)
    assert Counter(latencies(reader)) == Counter(range(0, 30_010, 2))
    assert reader.end().code is Code.CANCELLED
    eventually(lambda: all(idle(store) for store in stores))


def test_head_counts_over_shards(shards):
    stores, _, sharded = shards
    for store in stores:
        store.append("http_events", http({"latency": 1}))
    reader = Reader(sharded.run, LATENCIES.replace("df.stream()", "df.head(5).stream()"))
    reader.wait_rows(3)
    for store in stores:
        store.append("http_events", http({"latency": 2}, {"latency": 3}))
    assert reader.join() is None
    assert len(reader.rows()) == 5


def test_windows_over_shards_are_those_of_an_ending_query(shards, short_grace, wall_clock):
    stores, _, sharded = shards
    start = (wall_clock.now // SECOND - 1000) * SECOND
    rows = traffic(0, 600, start)
    # The third shard has none.
    for place in range(2):
        stores[place].append("http_events", http(*rows[place:400:2]))
    reader = Reader(sharded.run, WINDOWS + "px.display(df.stream())")
    for first in range(400, 600, 10):
        for place in range(2):
            stores[place].append("http_events", http(*rows[first + place : first + 10 : 2]))
    eventually(lambda: all(all_read(store) for store in stores))
    let_time_pass(wall_clock, reader, 180)
    shown = reader.rows()
    want = bounded(sharded.run)
    assert sorted((row["time_"], row["req_path"], row["n"], row["total"]) for row in shown) == sorted(
        (row["time_"], row["req_path"], row["n"], row["total"]) for row in want
    )
    assert not [result for result in reader.results if isinstance(result, QueryWarning)]
    reader.end()


def test_a_shard_that_fails_is_told_of(shards):
    stores, engines, sharded = shards
    reader = Reader(sharded.run, LATENCIES)
    stores[2].append("http_events", http({"latency": 1}))
    reader.wait_rows(1)
    engines[2].close()
    reader.wait_for(lambda: any(isinstance(result, QueryWarning) for result in reader.results))
    stores[0].append("http_events", http({"latency": 2}))
    reader.wait_rows(2)
    for engine in engines[:2]:
        engine.close()
    assert reader.join().code is Code.UNAVAILABLE


def test_a_token_that_is_cancelled_already(engine):
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(QueryError, match="cancelled"):
        list(engine.run(compile_script(LATENCIES), cancel=cancel))


PAGE = (Path(__file__).parents[2] / "docs/pxl/beyond.md").read_text()


@pytest.mark.parametrize("script", re.findall(r"^```pxl\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
def test_examples_of_the_documentation(engine, store, short_grace, script):
    reader = Reader(engine.run, script)
    reader.wait_for(lambda: len(reader.results) >= 2)
    store.append("http_events", http({"time_": time.time_ns(), "resp_status": 404, "req_path": "/x"}))
    assert len(reader.wait_rows(1)) == 1
    reader.end()
