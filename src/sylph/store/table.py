"""One table's rows: hot batches and cold segments, never a row in both for a reader.

Rows have ids in order of arrival. Hot batches hold a suffix of them. A segment whose rows are still hot is on disk
already but *shadowed*: readers get the rows from memory until the whole segment's worth of batches is evicted at
once, which is what makes the switch atomic. Nothing here locks; the store does.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from typing import TYPE_CHECKING

import pyarrow as pa

from sylph.store.batch import HotBatch
from sylph.store.segment import Segment
from sylph.store.stats import TableStats
from sylph.tables.declare import Table
from sylph.tables.types import arrow_schema

if TYPE_CHECKING:
    from sylph.store.follow import Follower


class TableState:
    """State of one table. `sealed` is the first row that still has to be written; `journaled` the first one not
    even in the journal; both only grow. Rows before `writing` are being written at this moment and stay
    in memory until they are.
    """

    def __init__(self, table: Table, number: int, max_hot: int, max_cold: int | None) -> None:
        self.name = table.name
        self.number = number
        self.schema: pa.Schema = arrow_schema(table.relation)
        self.max_hot = max_hot
        self.durable = max_cold is not None
        self.max_cold = max_cold or 0
        self.hot: deque[HotBatch] = deque()
        self.segments: list[Segment] = []
        self.sealed = 0
        self.journaled = 0
        self.writing = 0
        self.next_row = 0
        self.hot_bytes = 0
        self.cold_bytes = 0
        self.pending_bytes = 0
        self.lingering_hot = 0
        self.lingering_cold = 0
        self.rows_added = self.bytes_added = self.batches_added = 0
        self.rows_expired = self.bytes_expired = self.batches_expired = 0
        self.rows_lost = self.bytes_lost = 0
        self.compacted = 0
        #: Who reads this table as it grows. Replaced, not changed, so that it can be walked.
        self.followers: tuple[Follower, ...] = ()

    @property
    def hot_start(self) -> int:
        """Id of the first row in memory."""
        return self.hot[0].first if self.hot else self.next_row

    def push(self, batch: HotBatch) -> None:
        """Append a batch that fits."""
        self._place(batch)
        self.rows_added += batch.rows
        self.bytes_added += batch.size
        self.batches_added += 1

    @property
    def evictable(self) -> bool:
        """Whether the oldest batch may leave now."""
        return bool(self.hot) and not self.sealed <= self.hot[0].first < self.writing

    @property
    def unheld(self) -> HotBatch | None:
        """The oldest batch in memory that no snapshot holds."""
        return next((batch for batch in self.hot if not batch.pins), None)

    @property
    def unheld_is_safe(self) -> bool:
        """Whether evicting up to that batch loses nothing that was still to be written."""
        batch = self.unheld
        return batch is not None and (not self.durable or batch.first < self.sealed)

    def evict(self) -> tuple[int, int]:
        """Drop the oldest batches from memory: a whole segment's worth, or one batch. Gives lost rows and bytes.

        Rows whose segment is on disk are read from there from now on; rows that were never to be written, or whose
        segment has expired, are gone as the oldest ones; rows that should have been written still are lost.
        """
        start = self.hot[0].first
        if start >= self.sealed:
            batch = self._drop()
            self.pending_bytes -= batch.size
            self.sealed = batch.end
            self.journaled = max(self.journaled, batch.end)
            if not self.durable:
                self._expire(batch)
                return 0, 0
            self.lose(batch.rows, batch.size)
            return batch.rows, batch.size
        segment = self.segment_of(start)
        if segment is None:
            batch = self._drop()
            self._expire(batch)
            return 0, 0
        while self.hot and self.hot[0].first < segment.end:
            self._drop()
        return 0, 0

    def segment_of(self, row: int) -> Segment | None:
        """The segment that holds a row."""
        at = bisect_right(self.segments, row, key=lambda segment: segment.first) - 1
        return self.segments[at] if at >= 0 and row < self.segments[at].end else None

    def visible(self) -> list[Segment]:
        """Segments whose rows are not in memory."""
        found = self.segments[: bisect_right(self.segments, self.hot_start, key=lambda segment: segment.end)]
        return [segment for segment in found if not segment.outdated]

    def pending(self) -> list[HotBatch]:
        """Batches that still have to be written, oldest first."""
        found: list[HotBatch] = []
        for batch in reversed(self.hot):
            if batch.first < self.sealed:
                break
            found.append(batch)
        found.reverse()
        return found

    def seal(self, batches: list[HotBatch]) -> None:
        """Take the oldest pending batches as dealt with."""
        self.pending_bytes -= sum(batch.size for batch in batches if not batch.evicted)
        self.sealed = max(self.sealed, batches[-1].end)
        self.journaled = max(self.journaled, self.sealed)

    def land(self, segment: Segment, batches: list[HotBatch]) -> None:
        """Add the segment of the oldest pending batches."""
        self.segments.append(segment)
        self.cold_bytes += segment.size
        self.seal(batches)

    def lose(self, rows: int, size: int) -> None:
        """Count rows that were lost."""
        self.rows_lost += rows
        self.bytes_lost += size

    def install(self, segments: list[Segment], pending: list[HotBatch]) -> None:
        """Put what was found on disk before everything that arrived so far, which gets new ids."""
        arrived, self.hot = self.hot, deque()
        former = self.next_row
        self.segments = segments
        self.cold_bytes = sum(segment.size for segment in segments)
        self.next_row = self.sealed = self.journaled = segments[-1].end if segments else 0
        self.hot_bytes = self.pending_bytes = 0
        for batch in pending:
            self.next_row = max(self.next_row, batch.first)
            self._place(batch)
        for batch in arrived:
            self._place(batch)
        for follower in self.followers:
            # What follows goes on where it was; it does not go back for what was found.
            follower.at += self.next_row - former

    def remove_segment(self, segment: Segment) -> None:
        """Forget a segment; held ones linger. The caller unlinks or moves the file once nobody holds it."""
        self.segments.remove(segment)
        self.cold_bytes -= segment.size
        self.lingering_cold += segment.size
        segment.retired = True

    def expire_segment(self) -> Segment:
        """Forget the oldest segment for want of room."""
        segment = self.segments[0]
        if segment.end <= self.hot_start:
            self.rows_expired += segment.rows
            self.bytes_expired += segment.size
        self.remove_segment(segment)
        return segment

    def replace(self, old: list[HotBatch], new: HotBatch) -> bool:
        """Put one compacted batch in the place of neighbours; False if some were evicted or are held."""
        if any(batch.evicted or batch.pins for batch in old):
            return False
        kept: deque[HotBatch] = deque()
        for batch in self.hot:
            if batch.first == new.first:
                kept.append(new)
            if not new.first <= batch.first < new.end:
                kept.append(batch)
        self.hot = kept
        size = sum(batch.size for batch in old)
        self.hot_bytes += new.size - size
        self.pending_bytes += new.size - size
        self.compacted += len(old)
        return True

    def release(self, batch: HotBatch) -> None:
        """One holder less."""
        batch.pins -= 1
        if batch.evicted and not batch.pins:
            self.lingering_hot -= batch.size

    def _place(self, batch: HotBatch) -> None:
        batch.first = self.next_row
        self.next_row = batch.end
        self.hot.append(batch)
        self.hot_bytes += batch.size
        self.pending_bytes += batch.size

    def _drop(self) -> HotBatch:
        batch = self.hot.popleft()
        batch.evicted = True
        self.hot_bytes -= batch.size
        if batch.pins:
            self.lingering_hot += batch.size
        return batch

    def _expire(self, batch: HotBatch) -> None:
        self.rows_expired += batch.rows
        self.bytes_expired += batch.size
        self.batches_expired += 1

    def stats(self) -> TableStats:
        """Figures of the table now."""
        visible = self.visible()
        hot_rows = sum(batch.rows for batch in self.hot)
        cold_rows = sum(segment.rows for segment in visible)
        filled = [batch for batch in self.hot if batch.rows]
        timed = "time_" in self.schema.names and bool(filled or visible)
        low = min((item.min_time for items in (filled, visible) for item in items), default=-1) if timed else -1
        high = max((item.max_time for items in (filled, visible) for item in items), default=-1) if timed else -1
        return TableStats(
            name=self.name,
            id=self.number,
            rows=hot_rows + cold_rows,
            hot_rows=hot_rows,
            cold_rows=cold_rows,
            hot_bytes=self.hot_bytes + self.lingering_hot,
            cold_bytes=self.cold_bytes + self.lingering_cold,
            batches=len(self.hot),
            segments=len(self.segments),
            rows_added=self.rows_added,
            bytes_added=self.bytes_added,
            batches_added=self.batches_added,
            rows_expired=self.rows_expired,
            bytes_expired=self.bytes_expired,
            batches_expired=self.batches_expired,
            compacted_batches=self.compacted,
            rows_lost=self.rows_lost,
            bytes_lost=self.bytes_lost,
            pending_rows=self.next_row - max(self.sealed, self.hot_start),
            journal_rows=max(0, self.journaled - max(self.sealed, self.hot_start)),
            max_hot_bytes=self.max_hot,
            max_cold_bytes=self.max_cold,
            min_time=low,
            max_time=high,
        )
