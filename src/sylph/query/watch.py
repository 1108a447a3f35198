"""One thread that interrupts queries which were cancelled or whose time is up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from sylph.query.answer import CancelToken, Code, QueryError
from sylph.query.limits import Limits

#: An interrupt that arrives before a statement begins is lost, so it is repeated until the query has ended.
_REPEAT_S = 0.02


class Watched:
    """A query and its bounds. `stop` ends what it is doing just now, which is computing the table `table`."""

    __slots__ = ("began", "cancel", "deadline", "limits", "stop", "table")

    def __init__(self, limits: Limits, cancel: CancelToken) -> None:
        self.limits = limits
        self.cancel = cancel
        self.began = time.perf_counter_ns()
        self.deadline = time.monotonic() + limits.timeout
        self.stop: Callable[[], object] = int
        self.table = ""

    @property
    def over(self) -> bool:
        """Whether it must end now."""
        return self.cancel.cancelled or time.monotonic() >= self.deadline

    def check(self) -> None:
        """Raises QueryError when it must end."""
        self.cancel.check()
        if time.monotonic() >= self.deadline:
            message = (
                f"the query took longer than its {self.limits.timeout:g} s; "
                "narrow start_time, filter earlier, or allow more time"
            )
            raise QueryError(Code.DEADLINE_EXCEEDED, message)


class Watchdog:
    """Interrupts what is over. Its thread starts with the first query and ends when there is none. Thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._watched: list[Watched] = []
        self._thread: threading.Thread | None = None
        #: When the thread looks next (time.monotonic).
        self._next = 0.0

    def add(self, watched: Watched) -> None:
        """Watch a query until `remove`."""
        with self._changed:
            self._watched.append(watched)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="query-watchdog", daemon=True)
                self._thread.start()
            if watched.deadline < self._next:
                # To wake it for each query would cost as much as a small query's own Python.
                self._changed.notify()
        watched.cancel.on_cancel(self._wake)

    def remove(self, watched: Watched) -> None:
        """The query has ended."""
        watched.cancel.forget(self._wake)
        watched.stop = int
        with self._changed:
            self._watched.remove(watched)

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify()

    def _run(self) -> None:
        with self._changed:
            while True:
                pause = min([10.0, *map(_interrupt, self._watched)])
                self._next = time.monotonic() + pause
                if not self._changed.wait(pause) and not self._watched:
                    self._thread = None
                    return


def _interrupt(watched: Watched) -> float:
    """Interrupts a query that is over; returns the seconds after which it wants to be looked at again."""
    if watched.over:
        watched.stop()
        return _REPEAT_S
    return max(watched.deadline - time.monotonic(), 0.001)
