"""A server over a real store, and what its streams say."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sylph.api.pb import vizierapi_pb2 as pb
from sylph.api.server import Tcp, serve
from sylph.broker.local import LocalBroker
from sylph.query.engine import Engine
from sylph.query.limits import Limits
from sylph.store import Store
from sylph.tables import TABLES
from sylph.testing.dataset import StoreDataset

STREAM = "import px\ndf = px.DataFrame('http_events', select=['time_', 'req_path', 'latency'])\npx.display(df.stream())"


@contextmanager
def live_server(folder: Path, *, memory: int = 64 << 20, **engine: Any) -> Iterator[tuple[Store, Any]]:
    """A store without disk, and a server that answers over it on `folder`/px.sock."""
    with Store(TABLES, directory=None, memory=memory) as store:
        running = Engine(StoreDataset(store), **engine)
        broker = LocalBroker(running, Limits(), str)
        tcp = Tcp("127.0.0.1", 0, ("key",), folder, plaintext=True)
        server = serve(broker, unix=folder / "px.sock", tcp=tcp)
        try:
            yield store, server
        finally:
            server.stop(0)
            running.close()


def followers(store: Store) -> int:
    """How many streams read from a store."""
    return sum(len(state.followers) for state in store._tables.values())


def gone(store: Store) -> None:
    """Waits until no stream reads from a store any more."""
    deadline = time.monotonic() + 20
    while followers(store):
        assert time.monotonic() < deadline
        time.sleep(0.005)


class Call:
    """Reads an ExecuteScript stream in a thread."""

    def __init__(self, call: Any) -> None:
        self.call = call
        self.messages: list[pb.ExecuteScriptResponse] = []
        self.error: Exception | None = None
        self._changed = threading.Condition()
        self._over = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            for message in self.call:
                with self._changed:
                    self.messages.append(message)
                    self._changed.notify_all()
        except Exception as error:  # noqa: BLE001 - a test looks at it
            self.error = error
        with self._changed:
            self._over = True
            self._changed.notify_all()

    @property
    def batches(self) -> list[Any]:
        return [message.data.batch for message in self.messages if message.data.HasField("batch")]

    @property
    def numbers(self) -> list[int]:
        """The values of the last column, in the order in which they came."""
        return [value for batch in self.batches for value in batch.cols[-1].int64_data.data]

    def wait(self, count: int) -> list[int]:
        """The numbers, when there are at least `count` of them."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._over or len(self.numbers) >= count, 20), self.numbers
        assert len(self.numbers) >= count, self.error
        return self.numbers

    def wait_messages(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self._over or len(self.messages) >= count, 20)
        assert len(self.messages) >= count, self.error

    def join(self) -> Exception | None:
        self._thread.join(10)
        assert not self._thread.is_alive()
        return self.error
