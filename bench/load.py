"""Many at once: 1,000 compiles of one script; then 50 concurrent queries while rows come in at 50,000 a second.

    python bench/load.py [--seconds 20] [--clients 50] [--rate 50000]

Queries run through `LocalBroker` over a store, half of them a service summary of the last minute, half the last 100
errors; the baseline is one client alone over the same ingest. What came in is counted at the end: nothing may be lost.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
from pathlib import Path

import pyarrow as pa

import query
from sylph.broker.local import LocalBroker
from sylph.library import loader
from sylph.pxl.compile import ExecFunc, compile_script
from sylph.query.answer import CancelToken, QueryError, Rows, ScriptRequest
from sylph.query.engine import Engine
from sylph.query.limits import Limits
from sylph.store import Store
from sylph.tables import TABLES
from sylph.testing.dataset import StoreDataset

SUMMARY = """import px
df = px.DataFrame('http_events', start_time='-1m')
df.service = df.ctx['service']
df.failure = df.resp_status >= 400
px.display(df.groupby('service').agg(
    n=('latency', px.count), latency=('latency', px.quantiles), errors=('failure', px.sum)))
"""
ERRORS = """import px
df = px.DataFrame('http_events', start_time='-10s')
df = df[df.resp_status >= 500]
df.pod = df.ctx['pod']
px.display(df[['time_', 'pod', 'req_path', 'latency']].head(100))
"""
COUNT = "import px\npx.display(px.DataFrame('http_events').agg(n=('latency', px.count)))\n"


class Ingest(threading.Thread):
    """Appends rows at a steady rate, in batches of a tenth of a second, until told to stop."""

    def __init__(self, store: Store, rate: int) -> None:
        super().__init__()
        self._store = store
        self._batch = query.generate(query.BATCH)[0].slice(0, rate // 10)
        self.rows = 0
        self.late = 0.0
        self.stop = threading.Event()

    def run(self) -> None:
        began = time.monotonic()
        number = 0
        while not self.stop.is_set():
            pause = began + number / 10 - time.monotonic()
            self.late = max(self.late, -pause)
            if pause > 0:
                time.sleep(pause)
            times = pa.array([time.time_ns()] * self._batch.num_rows, self._batch.schema.field("time_").type)
            self._store.append("http_events", self._batch.set_column(0, self._batch.schema.field("time_"), times))
            self.rows += self._batch.num_rows
            number += 1


def ask(broker: LocalBroker, script: str) -> int:
    """Rows of a script's answer; the value if it is one of one row."""
    found = [r.batch for r in broker.execute(ScriptRequest(script), CancelToken()) if isinstance(r, Rows)]
    return int(found[0]["n"][0].as_py()) if script == COUNT else sum(batch.num_rows for batch in found)


def clients(broker: LocalBroker, count: int, seconds: float) -> tuple[list[float], int]:
    """Latencies in ms of `count` clients that ask one after the other, and how many were refused."""
    latencies: list[float] = []
    refused = 0
    ends = time.monotonic() + seconds

    def client(number: int) -> None:
        nonlocal refused
        while time.monotonic() < ends:
            began = time.perf_counter()
            try:
                ask(broker, (SUMMARY, ERRORS)[number % 2])
            except QueryError:
                refused += 1
            else:
                latencies.append((time.perf_counter() - began) * 1e3)
            number += 1

    threads = [threading.Thread(target=client, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return latencies, refused


def report(what: str, latencies: list[float], refused: int, seconds: float) -> None:
    cuts = statistics.quantiles(latencies, n=100)
    print(
        f"{what:12} {len(latencies) / seconds:7.1f} queries/s   median {cuts[49]:7.1f} ms   p99 {cuts[98]:7.1f} ms"
        f"   refused {refused}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--rate", type=int, default=50_000)
    options = parser.parse_args()

    script = loader.load("px/service")
    assert script.vis is not None
    values = {"start_time": "-5m", "service": "shop/web"}
    calls = [ExecFunc(call.function, call.output, call.bind(values)) for call in script.vis.calls]
    times = []
    for number in range(1000):
        began = time.perf_counter()
        compile_script(script.text, tables=TABLES, now_ns=time.time_ns() + number, exec_funcs=calls)
        times.append((time.perf_counter() - began) * 1e3)
    cuts = statistics.quantiles(times, n=100)
    print(
        f"1,000 compiles of px/service: {1e3 / statistics.mean(times):.0f}/s, median {cuts[49]:.2f}, p99 {cuts[98]:.2f} ms"
    )

    with (
        tempfile.TemporaryDirectory() as folder,
        Store(TABLES, directory=Path(folder), memory=2 << 30, disk=8 << 30) as store,
    ):
        data = StoreDataset(store, metadata={"process": query.processes()}, directories=(Path(folder),))
        engine = Engine(data)
        broker = LocalBroker(engine, Limits(), lambda: "")
        ingest = Ingest(store, options.rate)
        ingest.start()
        began = time.monotonic()
        time.sleep(3)
        report("1 client", *clients(broker, 1, options.seconds / 2), options.seconds / 2)
        report(f"{options.clients} clients", *clients(broker, options.clients, options.seconds), options.seconds)
        ingest.stop.set()
        ingest.join()
        took = time.monotonic() - began
        there = ask(broker, COUNT)
        (stats,) = (table for table in store.stats() if table.name == "http_events")
        print(
            f"ingest: {ingest.rows} rows in {took:.0f} s ({ingest.rows / took:.0f}/s), at most {ingest.late:.2f} s late;"
            f" in the store {there}, expired {stats.rows_expired}, lost {stats.rows_lost},"
            f" not accounted for {ingest.rows - there - stats.rows_expired - stats.rows_lost}"
        )
        engine.close()


if __name__ == "__main__":
    main()
