"""The journal: processes that were seen, on disk, so that stored rows keep their names after a restart.

One JSON array a line, appended as processes come and go: `["start", ...]` and `["stop", pid, ticks, time, code]`.
A torn or foreign line is skipped and counted. The file is rewritten when it holds more than is still of use.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from sylph.metadata.process import Process


def _start(process: Process) -> list[object]:
    return [
        "start",
        process.pid,
        process.start_ticks,
        process.parent,
        process.comm,
        process.start_time,
        list(process.argv),
        process.exe,
        list(process.cgroups),
        process.netns,
        process.stop_time,
        process.exit_code,
    ]


def _parse_start(entry: list[object]) -> Process | None:
    match entry:
        case [
            "start",
            int(pid),
            int(ticks),
            int(parent),
            str(comm),
            int(start),
            list(argv),
            str(exe),
            list(cgroups),
            int(netns),
            int(stop),
            int(code),
        ]:
            return Process(
                pid, ticks, parent, comm, start, tuple(map(str, argv)), exe, tuple(map(str, cgroups)), netns, stop, code
            )
        case _:
            return None


class Journal:
    """Append-only file of processes. `limit` bounds its bytes; beyond it, it is rewritten by `compact`."""

    def __init__(self, path: Path, limit: int = 16 << 20) -> None:
        self._path = path
        self._limit = limit
        self._pending: list[str] = []
        self.skipped = 0

    def load(self) -> dict[tuple[int, int], Process]:
        """All processes on file, by (pid, start ticks). Raises OSError when there is a file that can't be read."""
        found: dict[tuple[int, int], Process] = {}
        if not self._path.exists():
            return found
        with self._path.open("r", encoding="utf-8", errors="replace") as lines:
            for line in lines:
                try:
                    entry = json.loads(line)
                except ValueError:
                    self.skipped += 1
                    continue
                match entry:
                    case ["stop", int(pid), int(ticks), int(time), int(code)]:
                        if process := found.get((pid, ticks)):
                            process.stop_time, process.exit_code = time, code
                    case ["start", *_] if process := _parse_start(entry):
                        found[process.pid, process.start_ticks] = process
                    case _:
                        self.skipped += 1
        return found

    def started(self, process: Process) -> None:
        """Note a process; written by the next `flush`."""
        self._pending.append(json.dumps(_start(process), separators=(",", ":")))

    def stopped(self, process: Process) -> None:
        """Note a process's end; written by the next `flush`."""
        entry = ["stop", process.pid, process.start_ticks, process.stop_time, process.exit_code]
        self._pending.append(json.dumps(entry, separators=(",", ":")))

    def flush(self) -> bool:
        """Write what is pending. True when the file has outgrown its limit and wants `compact`. Raises OSError."""
        if not self._pending:
            return False
        pending, self._pending = self._pending, []
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
            # A torn last line of a killed predecessor must not swallow this one.
            file.write("\n".join(["", *pending, ""]) if self._torn() else "\n".join([*pending, ""]))
            return file.tell() > self._limit

    def compact(self, processes: Iterable[Process]) -> None:
        """Replace the file by one that holds just `processes`. Raises OSError."""
        replacement = self._path.with_suffix(".new")
        descriptor = os.open(replacement, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
            for process in processes:
                file.write(json.dumps(_start(process), separators=(",", ":")) + "\n")
            file.flush()
            os.fsync(file.fileno())
        replacement.replace(self._path)
        self._pending = []

    def _torn(self) -> bool:
        try:
            with self._path.open("rb") as file:
                if file.seek(0, os.SEEK_END) == 0:
                    return False
                file.seek(-1, os.SEEK_END)
                return file.read(1) != b"\n"
        except OSError:
            return False
