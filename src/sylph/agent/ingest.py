"""The way in: finished batches go from capture to the store, process events to metadata, counts to their tables."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa

from sylph.agent import reports
from sylph.metadata.host import HostState, ProcessEvent
from sylph.metadata.snapshot import NETNS_POD

if TYPE_CHECKING:
    from sylph.store import Store

log = logging.getLogger(__name__)

#: Longest wait for a batch, so that a stop is noticed and periodic work is done.
_POLL_SECONDS = 0.5
_LOSS_SECONDS = 1.0
#: The kernel reports processes; looking at /proc only mends what its events could not say.
_SCAN_SECONDS = 5.0
_THOROUGH_SECONDS = 60.0
_STATS_SECONDS = 10.0
_JOURNAL_SECONDS = 10.0


class Source(Protocol):
    """What ingest needs of `sylph._native.Capture`."""

    def poll(self, timeout: float) -> list[tuple[str, pa.RecordBatch]]:
        """Finished batches; waits up to `timeout` seconds for the first."""
        ...

    def processes(self) -> list[tuple[str, int, int, int, int, str, str, int, int]]:
        """Process events since the last call."""
        ...

    def stats(self) -> dict[str, int]:
        """Counters of the source."""
        ...


class Timer:
    """Says when something periodic is due."""

    def __init__(self, seconds: float, first: float | None = None) -> None:
        self._seconds = seconds
        self._next = time.monotonic() + (seconds if first is None else first)

    def due(self, now: float) -> bool:
        """Whether it is due; then counts anew."""
        if now < self._next:
            return False
        self._next = now + self._seconds
        return True


class Ingest(threading.Thread):
    """The thread that moves what capture finishes. `stop` ends it after the batches that are ready."""

    def __init__(self, source: Source, store: Store, state: HostState, upid: int) -> None:
        super().__init__(name="sylph-ingest", daemon=True)
        self._source = source
        self._store = store
        self._state = state
        self._upid = upid
        self._stopping = threading.Event()
        self._failed_writes: Mapping[str, str] = {}
        self._loss = Timer(_LOSS_SECONDS)
        self._scan = Timer(_SCAN_SECONDS)
        self._thorough = Timer(_THOROUGH_SECONDS)
        self._stats = Timer(_STATS_SECONDS, first=1.0)
        self._journal = Timer(_JOURNAL_SECONDS)
        self._pods: dict[str, str] = {}
        self.error: Exception | None = None

    def run(self) -> None:
        """Moves batches until stopped; an error ends it and is kept in `error`."""
        try:
            while not self._stopping.is_set():
                self._move(self._source.poll(_POLL_SECONDS))
                self._state.apply(ProcessEvent(*event) for event in self._source.processes())
                self._periodic(time.monotonic())
            self._move(self._source.poll(0.0))
            self._losses()
        except Exception as error:
            log.exception("ingest ended")
            self.error = error

    def stop(self) -> None:
        """Ends the thread and waits for it."""
        self._stopping.set()
        self.join()

    def _move(self, batches: Iterable[tuple[str, object]]) -> None:
        for table, native in batches:
            batch = pa.record_batch(native)
            self._store.append(table, self._name_pods(batch) if table == "network_stats" else batch)

    def _periodic(self, now: float) -> None:
        if self._thorough.due(now):
            self._state.scan(thorough=True)
        elif self._scan.due(now):
            self._state.scan()
        if self._loss.due(now):
            self._losses()
        if self._journal.due(now):
            self._flush_journal()
        if self._stats.due(now):
            self._pods = pods_by_netns(self._state)
            self._store.append("agent_stats", reports.stats_batch(self._upid, self._measure()))

    def _losses(self) -> None:
        losses = [
            reports.Loss(loss.table, loss.cause, loss.rows, loss.bytes, self._upid)
            for loss in self._store.take_losses()
        ]
        if losses:
            self._store.append("capture_loss", reports.loss_batch(losses))

    def _flush_journal(self) -> None:
        try:
            self._state.flush()
        except OSError as error:
            log.warning("can't write the journal of processes: %s", error)
            self._store.append(
                "stirling_error",
                reports.source_batch(self._upid, "metadata", reports.RESOURCE_UNAVAILABLE, str(error), "journal"),
            )

    def _measure(self) -> dict[tuple[str, str], int]:
        values = {(metric, ""): value for metric, value in reports.usage().items()}
        values.update(((f"capture.{name}", ""), value) for name, value in self._source.stats().items())
        for table in self._store.stats():
            values["table.rows", table.name] = table.rows
            values["table.hot_bytes", table.name] = table.hot_bytes
            values["table.cold_bytes", table.name] = table.cold_bytes
        return values

    def _name_pods(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Puts the pod's id where capture, which knows network namespaces only, put the namespace's inode."""
        position = batch.schema.get_field_index("pod_id")
        named = [self._pods.get(netns, f"{NETNS_POD}{netns}") for netns in batch.column(position).to_pylist()]
        return batch.set_column(position, batch.schema.field(position), pa.array(named, pa.string()))


def pods_by_netns(state: HostState) -> dict[str, str]:
    """Id of the pod that alone owns a network namespace, by inode; the host's own namespace has a pod of its own."""
    alive = state.alive()
    host = alive[1].netns if 1 in alive else 0
    owners: dict[int, set[str]] = {}
    for process, workload in state.processes():
        if process.stop_time == 0:
            owners.setdefault(process.netns, set()).add(workload.pod_id)
    named = {str(netns): next(iter(pods)) for netns, pods in owners.items() if len(pods) == 1 and netns != host}
    named[str(host)] = NETNS_POD
    return named
