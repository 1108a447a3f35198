"""Segments on disk under one budget. Used by one thread at a time; the tables' lock guards what readers see."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from sylph.store.batch import HotBatch
from sylph.store.files import Files
from sylph.store.journal import Journal
from sylph.store.loss import Cause, LossLog
from sylph.store.segment import Segment, file_name, on_disk
from sylph.store.table import TableState

_LOG = logging.getLogger("sylph.store")
_JOURNAL_MOST = 64 << 20


def journal_part(disk: int) -> int:
    """Bytes of the disk budget kept for journals: room for two, while one follows the other."""
    return min(_JOURNAL_MOST, disk // 8)


class Cold:
    """Writes, expires and removes segments and journals so that their files never take more than `disk` bytes."""

    def __init__(
        self, files: Files, tables: Mapping[str, TableState], lock: threading.Condition, losses: LossLog, disk: int
    ) -> None:
        self.files = files
        self.aside: list[tuple[Path, int]] = []
        self.trash: list[tuple[TableState, Segment]] = []
        self.journal: Journal | None = None
        self.old_journals: list[Path] = []
        self.next_journal = 0
        self.journal_limit = journal_part(disk) // 2
        self._budget = disk - journal_part(disk)
        self._tables = tables
        self._lock = lock
        self._losses = losses

    @property
    def used(self) -> int:
        """Bytes of segments and of files set aside, without journals."""
        segments = sum(state.cold_bytes + state.lingering_cold for state in self._tables.values())
        return segments + sum(size for _, size in self.aside)

    @property
    def journal_bytes(self) -> int:
        """Bytes of journals."""
        journal = self.journal
        size = on_disk(journal.size) if journal is not None else 0
        for path in list(self.old_journals):
            with contextlib.suppress(OSError):
                size += on_disk(path.stat().st_size)
        return size

    def write(self, state: TableState, batches: list[HotBatch]) -> bool:
        """Write the oldest pending batches as segments and seal them; False when only snapshots keep them from fitting.

        Raises OSError when the disk does.
        """
        with self._lock:
            batches = [batch for batch in batches if not batch.evicted]
            if not batches:
                return True
            state.writing = batches[-1].end
        try:
            return self._write(state, batches)
        finally:
            with self._lock:
                state.writing = 0

    def _write(self, state: TableState, batches: list[HotBatch]) -> bool:
        from sylph.store.encode import describe, encode

        try:
            content = encode(state.name, state.schema, batches)
        except pa.ArrowInvalid as error:
            if len(batches) > 1:
                return all(self._write(state, [batch]) for batch in batches)
            self._give_up(state, batches, Cause.INVALID, str(error))
            return True
        size = on_disk(content.size)
        if size > state.max_cold:
            middle = len(batches) // 2
            if middle:
                return self._write(state, batches[:middle]) and self._write(state, batches[middle:])
            self._give_up(state, batches, Cause.BUDGET, f"its segment takes {size} bytes of {state.max_cold}")
            return True
        if not self.make_room(state, size):
            return False
        path = self.files.write(file_name(state.name, batches[0].first, batches[-1].end), content)
        with self._lock:
            state.land(describe(path, batches, size), batches)
        return True

    def make_room(self, state: TableState, size: int) -> bool:
        """Expire old segments until `size` more bytes fit; False while snapshots hold what would have to go."""
        with self._lock:
            while state.segments and state.cold_bytes + size > state.max_cold:
                self._expire(state)
        self.empty_trash()
        while self.used + size > self._budget:
            if self.aside:
                self._remove_aside()
                continue
            with self._lock:
                full = [other for other in self._tables.values() if not all(item.pins for item in other.segments)]
                free = [other for other in full if not other.segments[0].pins] or full
                if not free:
                    return False
                self._expire(max(free, key=lambda other: other.cold_bytes))
            self.empty_trash()
        return True

    def trim(self) -> None:
        """Bring what was found within today's budget."""
        with self._lock:
            for state in self._tables.values():
                while state.cold_bytes > state.max_cold:
                    self._expire(state)
        self.empty_trash()
        while self.aside and self.used > self._budget:
            self._remove_aside()

    def empty_trash(self) -> None:
        """Unlink segments that nobody holds any more. What cannot be unlinked stays counted."""
        with self._lock:
            trash, self.trash = self.trash, []
        for at, (state, segment) in enumerate(trash):
            try:
                segment.path.unlink(missing_ok=True)
            except OSError:
                with self._lock:
                    self.trash.extend(trash[at:])
                raise
            with self._lock:
                state.lingering_cold -= segment.size

    def released(self, state: TableState, segment: Segment) -> bool:
        """One holder less, the lock is held; True if the segment's file can go now."""
        segment.pins -= 1
        if segment.retired and not segment.pins:
            self.trash.append((state, segment))
            return True
        return False

    def retire_journal(self) -> None:
        """Write no more to the journal; it goes when another holds what is pending."""
        journal, self.journal = self.journal, None
        if journal is None:
            return
        journal.close()
        self.old_journals.append(journal.path)
        if not journal.size:
            # Nothing in it is of use: a full disk must not fill further with every attempt.
            with contextlib.suppress(OSError):
                journal.path.unlink()
                self.old_journals.pop()

    def migrate(self, state: TableState, segment: Segment) -> None:
        """Rewrite a segment of an older layout under today's, or set it aside. Raises OSError when the disk does."""
        import pyarrow.parquet as pq

        from sylph.store.encode import convert, encode_rows, facts_of

        try:
            rows = convert(pq.read_table(segment.path), state.schema)
            content = encode_rows(rows, facts_of(state.name, state.schema, segment))
        except ValueError as error:
            self.set_aside(state, segment, str(error))
            return
        size = on_disk(content.size)
        if not self.make_room(state, size) or segment.retired:
            return
        self.files.write(segment.path.name, content)
        with self._lock:
            state.cold_bytes += size - segment.size
            segment.size, segment.outdated = size, False

    def set_aside(self, state: TableState, segment: Segment, reason: str) -> None:
        """Take a segment that cannot be read out of use, and count it."""
        detail = f"segment {segment.path.name} cannot be used: {reason}"
        _LOG.warning("%s", detail)
        with self._lock:
            if segment.retired:
                return
            state.remove_segment(segment)
            state.lingering_cold -= segment.size
            state.lose(segment.rows, segment.size)
            size, segment.size = segment.size, 0
        self._losses.add(state.name, Cause.TORN_SEGMENT, segment.rows, size, detail)
        path = segment.path
        try:
            path = self.files.set_aside(path.name)
        except FileNotFoundError:
            return
        except OSError as error:
            _LOG.warning("cannot rename %s: %s", path, error)
        with self._lock:
            self.aside.append((path, size))

    def _give_up(self, state: TableState, batches: list[HotBatch], cause: Cause, detail: str) -> None:
        rows, size = sum(batch.rows for batch in batches), sum(batch.size for batch in batches)
        _LOG.warning("%d rows of %s stay in memory only: %s", rows, state.name, detail)
        self._losses.add(state.name, cause, rows, size, detail)
        with self._lock:
            state.seal(batches)

    def _expire(self, state: TableState) -> None:
        segment = state.expire_segment()
        if not segment.pins:
            self.trash.append((state, segment))

    def _remove_aside(self) -> None:
        path, _ = self.aside[0]
        path.unlink(missing_ok=True)
        del self.aside[0]
