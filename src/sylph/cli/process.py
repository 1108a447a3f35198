"""The agent's process on this host: who it is, and how it is ended. Its pid file lies beside its socket."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sylph.cli.failure import Failure


def pid_file(socket: Path) -> Path:
    """The pid file that belongs to a socket."""
    return socket.with_suffix(".pid")


def log_file(socket: Path) -> Path:
    """The log of a detached agent."""
    return socket.with_suffix(".log")


@dataclass(frozen=True, slots=True)
class Process:
    """A process; start_ticks (since boot) tells it from a later one with the same pid."""

    pid: int
    start_ticks: int

    @property
    def started_at(self) -> float:
        """Seconds since the epoch."""
        return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + self.start_ticks / os.sysconf("SC_CLK_TCK")


def start_ticks(pid: int) -> int | None:
    """Start time of a live process in clock ticks since boot; None when there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The command, in parentheses, may hold anything, so count from its end. A zombie has ended.
    fields = stat[stat.rindex(")") + 2 :].split()
    return None if fields[0] in {"Z", "X"} else int(fields[19])


def running(socket: Path) -> Process | None:
    """The agent whose socket this is, or None. A pid file left by a dead agent counts for nothing."""
    try:
        noted = json.loads(pid_file(socket).read_text(encoding="utf-8"))
        process = Process(int(noted["pid"]), int(noted["start_ticks"]))
    except FileNotFoundError:
        return None
    except PermissionError:
        raise Failure(
            f"{pid_file(socket)} belongs to another user", "run px as the user who started the agent"
        ) from None
    except (OSError, ValueError, KeyError, TypeError):
        # Torn or foreign: it names no agent.
        return None
    return process if start_ticks(process.pid) == process.start_ticks else None


@contextlib.contextmanager
def claimed(socket: Path) -> Iterator[None]:
    """Notes this process as the agent of `socket` while it runs. Raises Failure when another one is."""
    path = pid_file(socket)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Failure(f"cannot write {path}: {error.strerror}", "choose another place with --socket") from None
    with os.fdopen(descriptor, "r+", encoding="utf-8") as file:
        try:
            # The kernel lets go of the lock when the process ends, however it ends.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            other = running(socket)
            who = f" (pid {other.pid})" if other else ""
            raise Failure(f"an agent runs here already{who}", "end it with: px down") from None
        file.truncate(0)
        json.dump({"pid": os.getpid(), "start_ticks": start_ticks(os.getpid())}, file)
        file.flush()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def end(process: Process, timeout: float, *, force: bool) -> bool:
    """Asks a process to end and waits up to `timeout` seconds; with `force` it is then killed. True when it is gone."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return True
    try:
        # From here on the descriptor stands for this very process.
        if start_ticks(process.pid) != process.start_ticks:
            return True
        steps = [(signal.SIGTERM, timeout)] + ([(signal.SIGKILL, 10.0)] if force else [])
        for number, seconds in steps:
            try:
                signal.pidfd_send_signal(descriptor, number)
            except ProcessLookupError:
                return True
            except PermissionError:
                raise Failure(f"process {process.pid} belongs to another user") from None
            if select.select([descriptor], [], [], seconds)[0]:
                return True
    finally:
        os.close(descriptor)
    return False
