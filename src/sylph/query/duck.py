"""DuckDB instances that queries run in: few, each its own database with its own memory limit, locked down.

An instance runs one query at a time, so that its memory limit is the query's. Making one takes about 35 ms and 4 MB;
they are made when first needed and kept.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sylph.functions import digest
from sylph.plan.literals import quote, string_sql
from sylph.query.answer import CancelToken, Code, QueryError
from sylph.query.ready import Ready

if TYPE_CHECKING:
    import duckdb


class Instance:
    """A database in memory and the one connection to it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self.ready = Ready(connection)
        #: Names of the tables that the query made.
        self.tables: list[str] = []
        #: Whether it made digests.
        self.digests = False
        #: Whether DuckDB has failed in a way after which it refuses everything.
        self.broken = False
        self._memory = 0

    def bound(self, memory: int) -> None:
        """Limit its memory, in KiB."""
        if self._memory != memory:
            self.connection.execute(f"SET memory_limit = '{memory}KiB'")
            self._memory = memory

    def clean(self) -> None:
        """Leave nothing of the query's rows."""
        while self.tables:
            self.connection.execute(f"DROP TABLE IF EXISTS {quote(self.tables.pop())}")
        if self.digests and digest.memory():
            self.connection.execute(digest.RELEASE).fetchall()
        self.digests = False
        self.ready.empty()


class Instances:
    """At most `running` queries at once, at most `waiting` more in a queue. Thread-safe."""

    def __init__(self, directories: Sequence[Path], *, running: int, waiting: int, threads: int) -> None:
        self._directories = directories
        self._threads = threads
        self._running = running
        self._waiting_limit = waiting
        self._changed = threading.Condition()
        self._idle: list[Instance] = []
        self._made = 0
        self._queue: list[object] = []
        self._closed = False

    def take(self, cancel: CancelToken, deadline: float) -> Instance:
        """An instance of one's own, first come first served; give it back with `give`.

        Raises QueryError when the queue is full, when `deadline` (time.monotonic) passes, or on cancel.
        """
        ticket = object()

        def wake() -> None:
            with self._changed:
                self._changed.notify_all()

        cancel.on_cancel(wake)
        try:
            with self._changed:
                if len(self._queue) >= self._waiting_limit:
                    message = f"{self._running} queries are running and {len(self._queue)} are waiting; try again later"
                    raise QueryError(Code.RESOURCE_EXHAUSTED, message)
                self._queue.append(ticket)
                try:
                    while self._queue[0] is not ticket or not (self._idle or self._made < self._running):
                        self._check(cancel, deadline)
                        self._changed.wait(max(deadline - time.monotonic(), 0))
                    self._check(cancel, deadline)
                    if self._idle:
                        return self._idle.pop()
                    self._made += 1
                finally:
                    self._queue.remove(ticket)
                    self._changed.notify_all()
        finally:
            cancel.forget(wake)
        try:
            return self._make()
        except BaseException:
            with self._changed:
                self._made -= 1
                self._changed.notify_all()
            raise

    def _check(self, cancel: CancelToken, deadline: float) -> None:
        cancel.check()
        if self._closed:
            raise QueryError(Code.UNAVAILABLE, "shutting down")
        if time.monotonic() >= deadline:
            raise QueryError(Code.DEADLINE_EXCEEDED, f"waited for {self._running} other queries until the time was up")

    def give(self, instance: Instance) -> None:
        """Back into the pool, cleaned. One that cannot be is not used again."""
        import duckdb

        try:
            instance.clean()
            good = not instance.broken
        except duckdb.Error:
            good = False
        with self._changed:
            if good and not self._closed:
                self._idle.append(instance)
            else:
                self._made -= 1
                instance.connection.close()
            self._changed.notify_all()

    def close(self) -> None:
        """Ends idle instances now, and the others when they are given back; later queries are refused."""
        with self._changed:
            self._closed = True
            for instance in self._idle:
                instance.connection.close()
            self._idle.clear()
            self._changed.notify_all()

    def _make(self) -> Instance:
        import duckdb

        digest.register()
        connection = duckdb.connect(":memory:", config={"threads": self._threads, "temp_directory": ""})
        allowed = ", ".join(string_sql(f"{directory}/") for directory in self._directories)
        # Nothing spills to disk, no file outside the store can be read, nothing can be loaded or reconfigured.
        for setting in (
            "enable_progress_bar = false",
            "autoinstall_known_extensions = false",
            "autoload_known_extensions = false",
            "python_enable_replacements = false",
            "arrow_lossless_conversion = true",
            "enable_external_file_cache = false",
            "allowed_configs = ['memory_limit']",
            f"allowed_directories = [{allowed}]",
            "enable_external_access = false",
            "lock_configuration = true",
        ):
            connection.execute(f"SET {setting}")
        return Instance(connection)
