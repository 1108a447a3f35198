"""Ends answers that nobody reads, so that a client that has stopped reading does not hold a worker and its rows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator

#: A message that is not taken for so long ends its query; Pixie's broker waits as long.
LIMIT_S = 180.0


class StallWatch:
    """Watches messages that were handed over and not yet taken. One thread for all; it ends with `close`."""

    def __init__(self, limit: float = LIMIT_S) -> None:
        self._limit = limit
        self._changed = threading.Condition()
        self._waiting: dict[object, tuple[float, Callable[[], object]]] = {}
        self._closed = False
        self._thread: threading.Thread | None = None

    def watched(self, messages: Iterable[bytes], end: Callable[[], object]) -> Iterator[bytes]:
        """`messages`; calls `end`, from another thread, when one of them is not taken in time."""
        key = object()
        try:
            for message in messages:
                with self._changed:
                    self._waiting[key] = (time.monotonic() + self._limit, end)
                    if self._thread is None and not self._closed:
                        self._thread = threading.Thread(target=self._run, name="api-stalls", daemon=True)
                        self._thread.start()
                yield message
                with self._changed:
                    self._waiting.pop(key, None)
        finally:
            with self._changed:
                self._waiting.pop(key, None)

    def close(self) -> None:
        """Stops watching."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _run(self) -> None:
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                late = [key for key, (deadline, _) in self._waiting.items() if deadline <= now]
                for key in late:
                    self._waiting.pop(key)[1]()
                self._changed.wait(self._limit / 10)
