"""Following a table: its rows from the oldest on, each once, in order of arrival, as far behind as the reader likes.

The store itself is the queue. A follower is a place in the row ids of a table; reading takes what comes after it, from
disk or from memory, and holds it no longer than any other snapshot. Who reads too slowly finds that the oldest rows
have left, and is told how many.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

import pyarrow as pa

from sylph.store.batch import HotBatch
from sylph.store.segment import Segment
from sylph.store.snapshot import Snapshot
from sylph.store.table import TableState

if TYPE_CHECKING:
    from sylph.store.store import Store


@dataclass(slots=True)
class Part:
    """What one read takes: `snapshot` holds it. `missed` rows before it had left the store.

    `newest` is the greatest time_ among all that was passed, also outside the asked time range; None without rows.
    `more` tells whether rows wait behind it.
    """

    snapshot: Snapshot
    missed: int
    newest: int | None
    more: bool


class Follower:
    """A reader's place in a table; made by `Store.follow`. Used by one thread, beside `close`."""

    def __init__(self, store: Store, state: TableState, low: int, high: int, wake: Callable[[], object]) -> None:
        self._store = store
        self.state = state
        self.low = low
        self.high = high
        self.wake = wake
        #: Id of the next row to read.
        self.at = 0

    @property
    def ended(self) -> bool:
        """Whether the store takes no more rows."""
        return self._store.closed

    def read(self, size: int | None = None) -> Part:
        """The next rows: one segment, or about `size` bytes of memory, at least one row; None: all there are.

        They are in the snapshot: first its segments, then its batches. Close it soon.
        """
        return self._store.read(self, size)

    def close(self) -> None:
        """Follow no more; may be called again."""
        self._store.leave(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


@dataclass(slots=True)
class Taken:
    """What a read found under the lock: whole segments and batches, and how many rows of the first to leave out.

    `data` are the rows of `batches` that are asked for.
    """

    segments: list[Segment]
    batches: list[HotBatch]
    data: list[pa.RecordBatch]
    skip: int = 0
    missed: int = 0
    newest: int | None = None


def oldest(state: TableState) -> int:
    """Id of the oldest row that can be read."""
    visible = state.visible()
    return visible[0].first if visible else state.hot_start


def take(follower: Follower, size: int | None) -> Taken:
    """Moves the follower over the next rows and gives them; the store's lock is held.

    With `size`, either one segment's rest or bytes from memory: a segment is the unit that is read from disk.
    """
    state = follower.state
    taken = Taken([], [], [])
    visible = state.visible()
    for segment in visible[bisect_right(visible, follower.at, key=lambda segment: segment.end) :]:
        if size is not None and taken.segments:
            return taken
        skip = _enter(follower, taken, segment.first)
        follower.at = segment.end
        _see(taken, segment.max_time)
        if segment.min_time <= follower.high and segment.max_time >= follower.low:
            if not taken.segments:
                taken.skip = skip
            taken.segments.append(segment)
    if size is not None and taken.segments:
        return taken
    _take_hot(follower, taken, size)
    return taken


def _take_hot(follower: Follower, taken: Taken, size: int | None) -> None:
    pending: list[HotBatch] = []
    for batch in reversed(follower.state.hot):
        if batch.end <= follower.at:
            break
        pending.append(batch)
    left = size
    for batch in reversed(pending):
        if left is not None and left <= 0:
            return
        skip = _enter(follower, taken, batch.first)
        count = batch.rows - skip
        if left is not None:
            count = min(count, max(1, left * batch.rows // batch.size))
            left -= count * batch.size // batch.rows
        follower.at = batch.first + skip + count
        _see(taken, batch.max_time)
        if batch.min_time <= follower.high and batch.max_time >= follower.low:
            taken.batches.append(batch)
            taken.data.append(batch.data if count == batch.rows else batch.data.slice(skip, count))
        if follower.at < batch.end:
            return
    # What came last may have left already.
    if not pending and follower.at < follower.state.hot_start:
        taken.missed += follower.state.hot_start - follower.at
        follower.at = follower.state.hot_start


def _enter(follower: Follower, taken: Taken, first: int) -> int:
    """How many rows of what begins at `first` are read already; rows before it that were never read have left."""
    if follower.at < first:
        taken.missed += first - follower.at
        follower.at = first
    return follower.at - first


def _see(taken: Taken, newest: int) -> None:
    taken.newest = newest if taken.newest is None else max(taken.newest, newest)
