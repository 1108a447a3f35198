"""How long a row that was appended to the store takes to a client's `stream()`; and what idle streams cost.

stream.py [--seconds N]

The store and its server run in a process of their own, the client in this one; each row carries the time at which it
was appended. Baseline, of the same rows: a reader in the store's process that follows the table without queries.
"""

from __future__ import annotations

import argparse
import multiprocessing
import multiprocessing.connection
import statistics
import tempfile
import threading
import time
from pathlib import Path

import grpc
import pyarrow as pa
from harness import report

from sylph.api.pb import vizierapi_pb2 as pb
from sylph.api.server import serve
from sylph.broker.local import LocalBroker
from sylph.query.engine import Engine
from sylph.query.limits import Limits
from sylph.store import Store
from sylph.tables import TABLES
from sylph.testing.dataset import StoreDataset
from tests.api.support import execute
from tests.query.live import http

_SELECT = "import px\ndf = px.DataFrame('http_events', start_time={start})\n"
_KEEP = "px.display(df[['latency']].stream())"
_SCRIPTS = {
    "plain rows": _KEEP,
    "filter, look-up": "df.service = df.ctx['service']\ndf = df[df.resp_status != 404]\n" + _KEEP,
}
#: Rows in a batch, and seconds between two.
_RATES = {"idle, a row at a time": (1, 0.1), "5,000 rows/s": (250, 0.05), "50,000 rows/s": (2500, 0.05)}


class Direct:
    """Follows http_events in the store's process and keeps the delay of each row."""

    def __init__(self, store: Store) -> None:
        self.delays: list[int] = []
        self._woken = threading.Event()
        self._over = False
        self._follower = store.follow("http_events", time.time_ns(), wake=self._woken.set)
        self._follower.read().snapshot.close()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._over:
            self._woken.wait()
            self._woken.clear()
            with self._follower.read().snapshot as snapshot:
                batches = list(snapshot.batches)
                now = time.monotonic_ns()
                for batch in batches:
                    self.delays += [now - sent for sent in batch.column("latency").to_pylist()]

    def stop(self) -> list[int]:
        """Its delays, ns."""
        self._over = True
        self._woken.set()
        self._thread.join()
        self._follower.close()
        return self.delays


def produce(store: Store, rows: int, pause: float, seconds: float) -> int:
    """Appends batches at a rate; returns how many rows."""
    end = time.monotonic() + seconds
    count = 0
    following = time.monotonic()
    while time.monotonic() < end:
        filled = {"time_": time.time_ns(), "resp_status": 200, "req_path": "/a/path", "resp_body": "{}" * 20}
        batch = http(*(filled for _ in range(rows)))
        at = batch.schema.get_field_index("latency")
        store.append("http_events", stamped(batch, at))
        count += rows
        following += pause
        time.sleep(max(following - time.monotonic(), 0))
    return count


def stamped(batch: pa.RecordBatch, at: int) -> pa.RecordBatch:
    """The batch with the present in one of its columns: last, so that making rows is not measured."""
    now = pa.repeat(pa.scalar(time.monotonic_ns(), pa.int64()), batch.num_rows)
    return batch.set_column(at, batch.schema.field(at), now)


def store_process(path: str, orders: multiprocessing.connection.Connection) -> None:
    """Serves a store, and does what it is told."""
    with Store(TABLES, directory=None) as store:
        engine = Engine(StoreDataset(store))
        server = serve(LocalBroker(engine, Limits(), str), unix=Path(path))
        orders.send("ready")
        while order := orders.recv():
            match order:
                case ("produce", rows, pause, seconds):
                    direct = Direct(store)
                    count = produce(store, rows, pause, seconds)
                    time.sleep(0.5)
                    orders.send((count, direct.stop()))
                case ("idle", seconds):
                    began = time.process_time()
                    time.sleep(seconds)
                    orders.send(time.process_time() - began)
        server.stop(0)
        engine.close()


class Client:
    """A stream's client: keeps the delay of each row."""

    def __init__(self, channel: grpc.Channel, script: str) -> None:
        self.delays: list[int] = []
        self._call = execute(channel, script, timeout=600)
        next(self._call)
        next(self._call)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            for message in self._call:
                now = time.monotonic_ns()
                assert isinstance(message, pb.ExecuteScriptResponse)
                if message.data.batch.cols:
                    self.delays += [now - sent for sent in message.data.batch.cols[0].int64_data.data]
        except grpc.RpcError:
            pass

    def stop(self) -> list[int]:
        """Its delays, ns."""
        self._call.cancel()
        self._thread.join()
        return self.delays


def shown(delays: list[int]) -> str:
    """Median and 99th percentile."""
    ordered = sorted(delays)
    return f"{statistics.median(ordered) / 1e6:.1f} ms, p99 {ordered[len(ordered) * 99 // 100] / 1e6:.1f} ms"


def main() -> None:
    """Prints delays by rate and script, and CPU of idle streams."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.5)
    seconds = parser.parse_args().seconds
    context = multiprocessing.get_context("spawn")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/px.sock"
        orders, theirs = context.Pipe()
        process = context.Process(target=store_process, args=(path, theirs))
        process.start()
        try:
            assert orders.recv() == "ready"
            with grpc.insecure_channel(f"unix:{path}") as channel:
                for rate, (batch, pause) in _RATES.items():
                    for name, script in _SCRIPTS.items():
                        client = Client(channel, _SELECT.format(start=time.time_ns()) + script)
                        orders.send(("produce", batch, pause, seconds))
                        count, direct = orders.recv()
                        delays = client.stop()
                        assert len(delays) == len(direct) == count, (len(delays), len(direct), count)
                        rows.append((f"{rate}: {name}", shown(delays), "must 200 ms, reach for 50 ms"))
                        rows.append((f"{rate}: read from the store", shown(direct), "baseline, same rows"))
                for streams in (0, 1, 16, 0):
                    clients = [Client(channel, _SELECT.format(start=time.time_ns()) + _KEEP) for _ in range(streams)]
                    time.sleep(0.5)
                    orders.send(("idle", seconds))
                    cpu = orders.recv() / seconds
                    rows.append((f"CPU, {streams} idle streams", f"{cpu:.2%} of a core", "" if streams else "baseline"))
                    for client in clients:
                        client.stop()
        finally:
            orders.send(None)
            process.join(10)
    report(f"streams: row appended to row received, {seconds:g} s each", rows)


if __name__ == "__main__":
    main()
