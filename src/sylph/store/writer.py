"""The thread that writes: compacts tiny batches, makes segments of what is enough, keeps a journal of the rest."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from itertools import groupby

from sylph.store.batch import HotBatch, compacted
from sylph.store.cold import Cold
from sylph.store.files import StoreBusyError
from sylph.store.journal import Journal
from sylph.store.loss import Cause, LossLog
from sylph.store.recovery import recover
from sylph.store.table import TableState

_LOG = logging.getLogger("sylph.store")

#: Most bytes in memory that one segment is made of.
_SEGMENT_MOST = 32 << 20
#: Batches smaller than this are tiny; this many neighbours are joined, into batches of at most _JOINED bytes.
_TINY = 64 << 10
_MANY = 8
_JOINED = 1 << 20
#: A flush begins when this part of the interval has passed, so that it has ended when all of it has.
_EARLY = 0.6
_RETRY = (1.0, 30.0)
_NO_ROOM = "no room on disk: snapshots hold what would have to go"


class Writer:
    """Flushes tables, on its own thread once started. `changed` is the tables' lock; `cold` None means memory only."""

    def __init__(
        self,
        tables: Mapping[str, TableState],
        changed: threading.Condition,
        losses: LossLog,
        cold: Cold | None,
        *,
        interval: float,
        clock: Callable[[], float],
    ) -> None:
        self._tables = tables
        self._changed = changed
        self._losses = losses
        self._cold = cold
        self._interval = interval
        self._clock = clock
        self._flushing = threading.Lock()
        self._dirty_since: float | None = None
        self._urgent = False
        self._pressed = False
        self._stopping = False
        self._attached = False
        self._outdated = False
        self._retry_at: float | None = None
        self._pause = _RETRY[0]
        self._thread = threading.Thread(target=self._run, name="sylph-store", daemon=True)

    @property
    def failing(self) -> bool:
        """Whether the disk refused the last write."""
        return self._retry_at is not None

    def start(self) -> None:
        """Read what is on disk, then write in the background. Raises StoreBusyError."""
        if self._cold is not None:
            try:
                self._attach(self._cold)
            except OSError as error:
                self._failed(error)
        self._thread.start()

    def stop(self) -> None:
        """Write everything once more and end the thread."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join()
        self.flush()
        if self._cold is not None:
            if self._cold.journal is not None:
                self._cold.journal.close()
            self._cold.files.detach()

    def added(self, state: TableState) -> None:
        """Rows were added; the lock is held."""
        if self._dirty_since is None:
            self._dirty_since = self._clock()
            self._changed.notify_all()
        if state.pending_bytes >= segment_bytes(state) and not self._urgent and not self.failing:
            self._urgent = True
            self._changed.notify_all()

    def press(self, least: int) -> None:
        """Memory is short: make segments of what waits, however little, so that it can leave. The lock is held."""
        if not self._pressed and sum(state.pending_bytes for state in self._tables.values()) > least:
            self._pressed = self._urgent = True
            self._changed.notify_all()

    def wake(self) -> None:
        """There is something to remove; the lock is held."""
        self._urgent = True
        self._changed.notify_all()

    def flush(self) -> None:
        """Write now what waits, whatever its age. Errors of the disk are counted and tried again later."""
        with self._flushing:
            self._flush(every=True)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._stopping and (wait := self._wait()) != 0.0:
                    self._changed.wait(wait)
                if self._stopping:
                    return
                due = self._due()
                self._urgent = False
            with self._flushing:
                self._flush(every=due)

    def _wait(self) -> float | None:
        """Seconds until there is work; None when it has to come first."""
        if self._retry_at is not None:
            return max(0.0, self._retry_at - self._clock())
        if self._urgent or self._outdated:
            return 0.0
        if self._dirty_since is None:
            return None
        return max(0.0, self._dirty_since + _EARLY * self._interval - self._clock())

    def _due(self) -> bool:
        since = self._dirty_since
        return since is not None and self._clock() >= since + _EARLY * self._interval

    def _flush(self, every: bool) -> None:
        started = self._clock()
        if every:
            with self._changed:
                # Rows that arrive from here on may miss this flush.
                self._dirty_since = None
        try:
            if self._cold is not None:
                if not self._attached or self.failing or not self._cold.files.writable:
                    self._attach(self._cold)
                self._cold.empty_trash()
            complete = True
            for state in self._tables.values():
                complete = self._settle(state, every) and complete
            self._pressed = False
            if self._cold is not None and every:
                self._journal(self._cold)
            if self._cold is not None and complete:
                self._migrate(self._cold)
            if not complete:
                raise OSError(_NO_ROOM)
        except (OSError, StoreBusyError) as error:
            self._failed(error)
            with self._changed:
                self._dirty_since = started
            if isinstance(error, FileNotFoundError):
                self._check_segments()
        else:
            if self.failing:
                _LOG.warning("the store's disk works again")
            self._retry_at, self._pause = None, _RETRY[0]

    def _failed(self, error: Exception) -> None:
        if not self.failing:
            _LOG.error("the store cannot write, rows stay in memory meanwhile: %s", error)
        self._losses.add("", Cause.DISK_ERROR, 0, 0, str(error))
        self._retry_at = self._clock() + self._pause
        self._pause = min(2 * self._pause, _RETRY[1])
        cold = self._cold
        if cold is not None and cold.journal is not None:
            # What a failed write left in it is unknown: the next journal starts afresh.
            cold.retire_journal()

    def _attach(self, cold: Cold) -> None:
        cold.files.attach()
        if self._attached:
            return
        found = recover(cold.files, {name: state.schema for name, state in self._tables.items()}, self._losses)
        with self._changed:
            cold.aside, cold.old_journals, cold.next_journal = found.aside, found.journals, found.next_journal
            for name, state in self._tables.items():
                state.install(found.segments.get(name, []), found.pending.get(name, []))
                while state.hot_bytes > state.max_hot:
                    rows, size = state.evict()
                    if rows:
                        self._losses.add(name, Cause.BUDGET, rows, size, "recovered rows do not fit into memory")
                self._outdated = self._outdated or any(segment.outdated for segment in state.segments)
            if found.journals:
                self._dirty_since = self._clock()
        self._attached = True
        if rows := found.rows():
            _LOG.info("recovered %d rows from %s", rows, cold.files.path)
        cold.trim()

    def _settle(self, state: TableState, every: bool) -> bool:
        """Compact a table's pending batches and write them if they are enough for a segment. False: no room."""
        enough = 1 if self._pressed else segment_bytes(state)
        if not every and state.pending_bytes < enough:
            return True
        self._compact(state)
        with self._changed:
            batches = state.pending()
        size = sum(batch.size for batch in batches)
        while batches and size >= (enough // 2 if every else enough):
            taken = _first(batches, segment_bytes(state))
            if self._cold is None:
                with self._changed:
                    state.seal(taken)
            elif not self._cold.write(state, taken):
                return False
            batches = batches[len(taken) :]
            size -= sum(batch.size for batch in taken)
        return True

    def _compact(self, state: TableState) -> None:
        with self._changed:
            batches = state.pending()
        most = min(_JOINED, max(1, state.max_hot // 16))
        for tiny, neighbours in groupby(batches, key=lambda batch: batch.size < _TINY):
            run = list(neighbours)
            if not tiny or len(run) < _MANY:
                continue
            while run:
                taken = _first(run, most)
                run = run[len(taken) :]
                if len(taken) > 1:
                    joined = compacted(taken)
                    with self._changed:
                        state.replace(taken, joined)

    def _journal(self, cold: Cold) -> None:
        """Make every pending row durable with one fsync; begin a new journal when this one is full."""
        if cold.journal is not None:
            records, ends = self._records(cold.journal, afresh=False)
            if cold.journal.size + len(records) <= cold.journal_limit:
                if records:
                    cold.journal.append(records)
                    self._journaled(ends)
                return
            cold.retire_journal()
        for state in self._tables.values():
            with self._changed:
                batches = state.pending()
            large = sum(batch.size for batch in batches) > cold.journal_limit // (2 * len(self._tables))
            if large and not cold.write(state, batches):
                raise OSError(_NO_ROOM)
        with self._changed:
            empty = not any(state.pending() for state in self._tables.values())
        if empty and not cold.old_journals:
            return
        journal = Journal(cold.files, cold.next_journal)
        cold.next_journal += 1
        cold.journal = journal
        records, ends = self._records(journal, afresh=True)
        if records:
            journal.append(records)
        self._journaled(ends)
        while cold.old_journals:
            cold.old_journals[0].unlink(missing_ok=True)
            del cold.old_journals[0]

    def _records(self, journal: Journal, afresh: bool) -> tuple[bytes, dict[str, int]]:
        """Packed records of pending rows, all or only those not journalled yet; and where each table's end."""
        records: list[bytes] = []
        ends: dict[str, int] = {}
        for state in self._tables.values():
            with self._changed:
                batches = [batch for batch in state.pending() if afresh or batch.end > state.journaled]
            records.extend(journal.pack(state.name, batch.first, batch.data) for batch in batches)
            if batches:
                ends[state.name] = batches[-1].end
        return b"".join(records), ends

    def _journaled(self, ends: dict[str, int]) -> None:
        with self._changed:
            for name, end in ends.items():
                state = self._tables[name]
                state.journaled = max(state.journaled, end)

    def _migrate(self, cold: Cold) -> None:
        """Rewrite segments of older layouts, newest first."""
        if not self._outdated:
            return
        for state in self._tables.values():
            for segment in [segment for segment in reversed(state.segments) if segment.outdated]:
                if not self._stopping:
                    cold.migrate(state, segment)
        self._outdated = False

    def _check_segments(self) -> None:
        """Forget segments whose files have vanished."""
        assert self._cold is not None
        for state in self._tables.values():
            with self._changed:
                segments = list(state.segments)
            for segment in segments:
                if not segment.path.exists():
                    self._cold.set_aside(state, segment, "the file has vanished")


def segment_bytes(state: TableState) -> int:
    """Bytes in memory of which a segment of this table is made: enough to be worth a file, little enough to evict."""
    return max(1, min(_SEGMENT_MOST, state.max_hot // 6))


def _first(batches: list[HotBatch], size: int) -> list[HotBatch]:
    """The first batches up to `size` bytes, at least one."""
    taken: list[HotBatch] = []
    for batch in batches:
        if taken and size < batch.size:
            break
        taken.append(batch)
        size -= batch.size
    return taken
