"""The state of a plain host: every process that was seen, and the workload it belongs to."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from sylph.metadata.engines import Engines
from sylph.metadata.journal import Journal
from sylph.metadata.process import TICKS_PER_SECOND, Process, boot_time_ns, list_pids, read_process
from sylph.metadata.workload import Workload, workload_of

log = logging.getLogger(__name__)

#: How long an engine may take to name a container.
_NAME_WAIT_NS = 60_000_000_000
_NS_PER_TICK = 1_000_000_000 // TICKS_PER_SECOND


class ProcessEvent(NamedTuple):
    """A process began, ran another program, or ended. `time` is wall-clock ns; `kind` is fork, exec or exit."""

    kind: str
    pid: int
    parent: int
    start_ticks: int
    time: int
    comm: str
    filename: str
    cgroup_id: int
    exit_code: int


class HostState:
    """Processes and workloads of this host, alive and ended.

    Fed by `scan` (reads /proc) and `apply` (events of the kernel, so that processes too short for any scan are
    known). `limit` bounds how many are remembered; the longest ended go first. Thread-safe.
    """

    def __init__(self, journal: Journal | None = None, *, proc: Path = Path("/proc"), limit: int = 50_000) -> None:
        self._proc = proc
        self._limit = limit
        self._lock = threading.Lock()
        self._journal = journal
        self._engines = Engines()
        self._boot_ns = boot_time_ns()
        self._alive: dict[int, Process] = {}
        self._all: dict[tuple[int, int], Process] = {}
        self._workloads: dict[tuple[int, int], Workload] = {}
        self._cgroups = CgroupPaths()
        #: Processes whose container no engine has named yet; an engine writes its state some time after the start.
        self._unnamed: set[tuple[int, int]] = set()
        #: Threads of the kernel, which a scan need not read again; if a number is given to a process, an event tells.
        self._passed_over: set[int] = set()
        self.version = 0
        if journal is not None:
            self._all = journal.load()
            for process in self._all.values():
                process.stop_time = process.stop_time or self._boot_ns

    def processes(self) -> list[tuple[Process, Workload]]:
        """All processes with their workloads."""
        with self._lock:
            return [(process, self._workload(process)) for process in self._all.values()]

    def alive(self) -> dict[int, Process]:
        """Live processes by pid."""
        with self._lock:
            return dict(self._alive)

    def scan(self, *, thorough: bool = False) -> None:
        """Take in processes that came, and end those that went. `thorough` also re-reads the ones already known."""
        pids = set(list_pids(self._proc))
        with self._lock:
            known = set() if thorough else set(self._alive) | self._passed_over
            gone = set(self._alive) - pids
        read = [process for pid in pids - known if (process := read_process(pid, self._boot_ns, self._proc))]
        unread = pids - known - {process.pid for process in read}
        self._passed_over = unread if thorough else (self._passed_over & pids) | unread
        now = time.time_ns()
        with self._lock:
            for pid in gone:
                self._end(pid, now, 0)
            for process in read:
                self._admit(process)
            self._name(now)
            self._forget()

    def apply(self, events: Iterable[ProcessEvent]) -> None:
        """Take in what the kernel reported."""
        with self._lock:
            for event in events:
                if event.kind == "exit":
                    self._exit(event)
                else:
                    self._begin(event)
            self._forget()

    def flush(self) -> None:
        """Write the journal. Raises OSError."""
        if self._journal is None:
            return
        with self._lock:
            if self._journal.flush():
                self._journal.compact(self._all.values())

    def _begin(self, event: ProcessEvent) -> None:
        known = self._alive.get(event.pid)
        if known is not None and known.start_ticks != event.start_ticks:
            self._end(event.pid, event.time, 0)
            known = None
        if event.kind == "fork" and known is not None:
            return
        process = read_process(event.pid, self._boot_ns, self._proc)
        if process is None or process.start_ticks != event.start_ticks:
            process = self._from_event(event, known)
        self._admit(process)

    def _from_event(self, event: ProcessEvent, known: Process | None) -> Process:
        """What is known of a process that has gone before /proc could be read: its event and its parent."""
        parent = known or self._alive.get(event.parent) or self._newest(event.parent)
        cgroup = self._cgroups.path(event.cgroup_id)
        cgroups = (cgroup,) if cgroup else parent.cgroups if parent else ()
        if event.kind == "fork" and parent is not None:
            return replace(
                parent,
                pid=event.pid,
                start_ticks=event.start_ticks,
                parent=event.parent,
                start_time=self._boot_ns + event.start_ticks * _NS_PER_TICK,
                stop_time=0,
                exit_code=0,
            )
        return Process(
            pid=event.pid,
            start_ticks=event.start_ticks,
            parent=event.parent,
            comm=event.comm,
            start_time=self._boot_ns + event.start_ticks * _NS_PER_TICK,
            argv=(event.filename,) if event.filename else (),
            exe=event.filename,
            cgroups=cgroups,
            netns=parent.netns if parent else 0,
        )

    def _newest(self, pid: int) -> Process | None:
        candidates = [process for (known, _), process in self._all.items() if known == pid]
        return max(candidates, key=lambda process: process.start_ticks, default=None)

    def _exit(self, event: ProcessEvent) -> None:
        key = (event.pid, event.start_ticks)
        if key not in self._all:
            self._admit(self._from_event(event, None))
        if self._alive.get(event.pid) is self._all.get(key):
            self._end(event.pid, event.time, event.exit_code)

    def _admit(self, process: Process) -> None:
        key = (process.pid, process.start_ticks)
        current = self._alive.get(process.pid)
        if current is not None and current.start_ticks != process.start_ticks:
            self._end(process.pid, process.start_time, 0)
        known = self._all.get(key)
        if known is not None and known == process:
            return
        if known is not None and known.stop_time and current is None:
            process.stop_time = 0
        self._alive[process.pid] = process
        self._all[key] = process
        self._workloads.pop(key, None)
        self.version += 1
        if self._journal is not None:
            self._journal.started(process)

    def _end(self, pid: int, stop_time: int, exit_code: int) -> None:
        process = self._alive.pop(pid, None)
        if process is None:
            return
        process.stop_time, process.exit_code = stop_time, exit_code
        self.version += 1
        if self._journal is not None:
            self._journal.stopped(process)

    def _forget(self) -> None:
        excess = len(self._all) - self._limit
        if excess <= 0:
            return
        # Forget an eighth at once, so that the sort isn't paid for every process.
        ended = sorted((p.stop_time, key) for key, p in self._all.items() if p.stop_time)
        for _, key in ended[: excess + self._limit // 8]:
            del self._all[key]
            self._workloads.pop(key, None)
        self._engines.forget({workload.container_id for workload in self._workloads.values()})

    def _workload(self, process: Process) -> Workload:
        key = (process.pid, process.start_ticks)
        found = self._workloads.get(key)
        if found is None:
            found = self._workloads[key] = workload_of(process, self._engines)
            if found.unnamed:
                self._unnamed.add(key)
        return found

    def _name(self, now: int) -> None:
        """Ask again for the containers that had no name."""
        for key in list(self._unnamed):
            process = self._all.get(key)
            before = self._workloads.pop(key, None)
            if process is None or before is None or now - process.start_time > _NAME_WAIT_NS:
                self._unnamed.discard(key)
                if process is not None and before is not None:
                    self._workloads[key] = before
            elif not self._workload(process).unnamed:
                self._unnamed.discard(key)
                self.version += 1


class CgroupPaths:
    """Paths of control groups (v2) by id, which is the inode of their directory."""

    def __init__(self, mounts: tuple[Path, ...] = (Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup"))) -> None:
        self._root = next((mount for mount in mounts if (mount / "cgroup.controllers").exists()), None)
        self._paths: dict[int, str] = {}
        self._missing: set[int] = set()

    def path(self, cgroup_id: int) -> str:
        """Path of the group relative to the root; empty when it is unknown or the root."""
        if self._root is None or cgroup_id == 0 or cgroup_id in self._missing:
            return ""
        if cgroup_id not in self._paths:
            self._walk(self._root)
        if cgroup_id not in self._paths:
            if len(self._missing) > 4096:
                self._missing.clear()
            self._missing.add(cgroup_id)
        return self._paths.get(cgroup_id, "")

    def _walk(self, root: Path) -> None:
        self._paths = {}
        for directory, _, _ in os.walk(root):
            try:
                inode = Path(directory).stat().st_ino
            except OSError:
                continue
            path = directory.removeprefix(str(root))
            self._paths[inode] = path
