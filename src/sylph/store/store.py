"""The store: every table's rows in memory and on disk, under two byte budgets."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa

from sylph.store.batch import ALWAYS, HotBatch, admit
from sylph.store.budget import divide, snapshot_part
from sylph.store.cold import Cold, journal_part
from sylph.store.files import Files
from sylph.store.follow import Follower, Part, Taken, oldest, take
from sylph.store.loss import Cause, Loss, LossLog
from sylph.store.segment import Segment
from sylph.store.snapshot import Snapshot
from sylph.store.stats import TableStats
from sylph.store.table import TableState
from sylph.store.writer import Writer
from sylph.tables.declare import Table


class Store:
    """Tables of an agent. Every method may be called from any thread.

    `memory` and `disk` are budgets in bytes, divided by `budget.divide`; the oldest rows of a table leave when its
    part is full. `directory` None or `disk` 0 keeps everything in memory. Otherwise rows are on disk at the latest
    `flush_interval` seconds after they arrived, and what a former store left in `directory` is read again.
    `clock` gives monotonic seconds.
    """

    def __init__(
        self,
        tables: Mapping[str, Table],
        *,
        directory: Path | None,
        memory: int = 512 << 20,
        disk: int = 2 << 30,
        flush_interval: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if memory <= 0:
            raise ValueError(f"memory budget must be positive, not {memory}")
        if disk < 0:
            raise ValueError(f"disk budget must not be negative, not {disk}; 0 keeps everything in memory")
        if flush_interval <= 0:
            raise ValueError(f"flush interval must be positive, not {flush_interval}")
        self._memory = memory
        self._clock = clock
        self._losses = LossLog()
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._closed = False
        self._released: deque[tuple[TableState, list[HotBatch], list[Segment]]] = deque()
        durable = directory is not None and disk > 0
        hot = divide(tables.values(), memory - snapshot_part(memory))
        cold = divide(tables.values(), disk - journal_part(disk) if durable else 0)
        self._tables = {
            name: TableState(table, number, hot[name], cold[name] if durable else None)
            for number, (name, table) in enumerate(tables.items())
        }
        self._cold = (
            Cold(Files(directory), self._tables, self._changed, self._losses, disk)
            if directory is not None and durable
            else None
        )
        self._writer = Writer(
            self._tables, self._changed, self._losses, self._cold, interval=flush_interval, clock=clock
        )
        self._writer.start()

    def append(self, table: str, batch: pa.RecordBatch) -> None:
        """Add rows, without copying and without waiting for the disk.

        Raises KeyError for an unknown table, ValueError when the columns are not the declared ones and RuntimeError
        after `close`. Rows that do not fit are counted as a loss, not raised.
        """
        state = self._state(table)
        hot = admit(batch, state.schema, table)
        if not hot.rows:
            return
        with self._lock:
            if self._closed:
                raise RuntimeError("the store is closed")
            self._drain()
            if self._make_room(state, hot.size):
                state.push(hot)
                self._writer.added(state)
                for follower in state.followers:
                    follower.wake()
            else:
                state.lose(hot.rows, hot.size)
                self._lose(
                    state, hot.rows, hot.size, f"no room for {hot.size} bytes, the table may hold {state.max_hot}"
                )

    def snapshot(self, table: str, start: int | None = None, end: int | None = None) -> Snapshot:
        """The table's rows at this moment: all batches and segments that overlap `start` to `end` (inclusive, ns).

        Raises KeyError for an unknown table.
        """
        state, low, high = self._asked(table, start, end)
        with self._lock:
            self._drain()
            batches = [batch for batch in state.hot if batch.min_time <= high and batch.max_time >= low]
            segments = [item for item in state.visible() if item.min_time <= high and item.max_time >= low]
            return self._hold(state, [batch.data for batch in batches], batches, segments)

    def follow(
        self, table: str, start: int | None = None, end: int | None = None, *, wake: Callable[[], object]
    ) -> Follower:
        """The table's rows from the oldest on and as they come, without batches that lie outside `start` to `end`.

        `wake` is called, with the store's lock held, whenever rows were added: it must be quick and not raise.
        Raises KeyError for an unknown table.
        """
        state, low, high = self._asked(table, start, end)
        with self._lock:
            follower = Follower(self, state, low, high, wake)
            follower.at = oldest(state)
            state.followers = (*state.followers, follower)
        return follower

    def read(self, follower: Follower, size: int | None) -> Part:
        """See `Follower.read`. Raises OSError and pa.ArrowInvalid for a segment that cannot be read."""
        state = follower.state
        with self._lock:
            self._drain()
            taken = take(follower, size)
            snapshot = self._hold(state, taken.data, taken.batches, taken.segments)
            more = follower.at < state.next_row
        if taken.skip:
            try:
                _cut(snapshot, taken)
            except BaseException:
                snapshot.close()
                raise
        return Part(snapshot, taken.missed, taken.newest, more)

    def leave(self, follower: Follower) -> None:
        """See `Follower.close`."""
        with self._lock:
            followers = follower.state.followers
            follower.state.followers = tuple(other for other in followers if other is not follower)

    @property
    def closed(self) -> bool:
        """Whether rows are refused."""
        return self._closed

    def _hold(
        self, state: TableState, data: list[pa.RecordBatch], batches: list[HotBatch], segments: list[Segment]
    ) -> Snapshot:
        """A snapshot of `data`, which are rows of `batches`, and of segments; the lock is held."""
        for batch in batches:
            batch.pins += 1
        for segment in segments:
            segment.pins += 1

        def release() -> None:
            self._released.append((state, batches, segments))
            # May run inside a garbage collection of the very thread that holds the lock: never wait here.
            if self._lock.acquire(blocking=False):
                try:
                    self._drain()
                finally:
                    self._lock.release()

        return Snapshot(state.schema, data, list(segments), release)

    def stats(self) -> list[TableStats]:
        """Figures of every table."""
        with self._lock:
            self._drain()
            return [state.stats() for state in self._tables.values()]

    def take_losses(self) -> list[Loss]:
        """What was lost since the last call."""
        return self._losses.take()

    @property
    def memory_used(self) -> int:
        """Bytes of all batches in memory, with those that only a snapshot still holds."""
        return sum(state.hot_bytes + state.lingering_hot for state in self._tables.values())

    @property
    def disk_used(self) -> int:
        """Bytes of all files of the store, with segments that only a snapshot still holds."""
        return self._cold.used + self._cold.journal_bytes if self._cold is not None else 0

    def flush(self) -> None:
        """Write now what waits. An error of the disk is a loss to take, not raised."""
        self._writer.flush()

    def discard(self, table: str, segment: Segment, reason: str) -> None:
        """Take a segment out of use that turned out to be unreadable; it is counted as torn and set aside."""
        if self._cold is not None:
            self._cold.set_aside(self._state(table), segment, reason)

    def close(self) -> None:
        """Write everything and refuse further rows. May be called again."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            for state in self._tables.values():
                for follower in state.followers:
                    follower.wake()
        self._writer.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _state(self, table: str) -> TableState:
        try:
            return self._tables[table]
        except KeyError:
            raise KeyError(f"no table {table!r}; the store has {', '.join(sorted(self._tables))}") from None

    def _asked(self, table: str, start: int | None, end: int | None) -> tuple[TableState, int, int]:
        """A table as it can be read, and a time range with its open ends closed."""
        state = self._state(table)
        self._forget_vanished(state)
        return state, ALWAYS[0] if start is None else start, ALWAYS[1] if end is None else end

    def _forget_vanished(self, state: TableState) -> None:
        """Somebody may have removed files; a query would fail over them."""
        if self._cold is None:
            return
        with self._lock:
            segments = state.visible()
        for segment in segments:
            if not segment.path.exists():
                self._cold.set_aside(state, segment, "the file has vanished")

    def _drain(self) -> None:
        while self._released:
            state, batches, segments = self._released.popleft()
            for batch in batches:
                state.release(batch)
            if self._cold is not None and [item for item in segments if self._cold.released(state, item)]:
                self._writer.wake()

    def _make_room(self, state: TableState, size: int) -> bool:
        """Evict until `size` more bytes fit; False when they cannot."""
        if size > state.max_hot:
            return False
        while state.hot_bytes + size > state.max_hot:
            if not state.evictable:
                return False
            self._evict(state)
        while (used := self.memory_used + size) > self._memory:
            # Snapshots hold evicted batches: give up others, first those that are on disk, of the table that has most.
            free = [other for other in self._tables.values() if other.evictable and other.unheld is not None]
            if not free:
                return False
            self._evict(max(free, key=lambda other: (other.unheld_is_safe, other.hot_bytes)))
        if used > self._memory - snapshot_part(self._memory) // 2:
            self._writer.press(self._memory // 64)
        return True

    def _evict(self, state: TableState) -> None:
        rows, size = state.evict()
        if rows:
            self._lose(state, rows, size, "dropped from memory before they could be written")

    def _lose(self, state: TableState, rows: int, size: int, detail: str) -> None:
        cause = Cause.DISK_ERROR if self._writer.failing else Cause.BUDGET
        self._losses.add(state.name, cause, rows, size, detail)


def _cut(snapshot: Snapshot, taken: Taken) -> None:
    """The rest of the first segment as batches, since a part of it was read before."""
    import pyarrow.parquet as pq

    from sylph.store.encode import convert

    first = snapshot.segments[0]
    rest = convert(pq.read_table(first.path), snapshot.schema).slice(taken.skip)
    snapshot.batches[:0] = rest.to_batches()
    del snapshot.segments[0]
