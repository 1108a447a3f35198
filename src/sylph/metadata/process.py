"""What `/proc` says of one process."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

#: Clock ticks a second of the times in /proc/<pid>/stat (USER_HZ; the same on every Linux that Sylph runs on).
TICKS_PER_SECOND = 100
#: Command lines longer than this are cut; a cut one ends in an ellipsis.
CMDLINE_BYTES = 4096


@dataclass(slots=True)
class Process:
    """A process, alive or ended. Times are wall-clock ns; `stop_time` is 0 while it lives."""

    pid: int
    start_ticks: int
    parent: int
    comm: str
    start_time: int
    argv: tuple[str, ...] = ()
    exe: str = ""
    cgroups: tuple[str, ...] = ()
    netns: int = 0
    stop_time: int = 0
    exit_code: int = field(default=0)

    @property
    def cmdline(self) -> str:
        """The command line, arguments joined by spaces; the program's name when /proc gives none."""
        return " ".join(self.argv) if self.argv else self.comm


def boot_time_ns() -> int:
    """Wall-clock time of boot in ns, from the present offset between the two clocks."""
    import time

    return time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _read(path: str, limit: int = 1 << 16) -> bytes:
    """Content of a small /proc file; empty when the process has gone or may not be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(descriptor, limit)
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def parse_stat(stat: bytes) -> tuple[str, int, int, int] | None:
    """(comm, parent, start ticks, flags) of /proc/<pid>/stat; None when it is not one.

    comm may hold spaces and parentheses, so the fields are counted from the last ")".
    """
    left, right = stat.find(b"("), stat.rfind(b")")
    if left < 0 or right < left:
        return None
    fields = stat[right + 2 :].split()
    if len(fields) < 20:
        return None
    try:
        return _text(stat[left + 1 : right]), int(fields[1]), int(fields[19]), int(fields[6])
    except ValueError:
        return None


def has_ended(stat: bytes) -> bool:
    """Whether /proc/<pid>/stat is that of a process that waits for its parent, or of none."""
    return stat[stat.rfind(b")") + 2 :][:1] in (b"Z", b"X", b"")


def parse_cgroups(text: bytes) -> tuple[str, ...]:
    """Distinct cgroup paths of /proc/<pid>/cgroup other than the root, unified hierarchy first."""
    paths: dict[str, None] = {}
    for line in sorted(text.splitlines()):
        _, _, rest = line.partition(b":")
        _, _, path = rest.partition(b":")
        if path and path != b"/":
            paths[_text(path)] = None
    return tuple(paths)


_PF_KTHREAD = 0x00200000


def read_process(pid: int, boot_ns: int, proc: Path | str = "/proc") -> Process | None:
    """The live process `pid`; None when it has ended or is a kernel thread."""
    base = f"{proc}/{pid}"
    parsed = parse_stat(_read(f"{base}/stat", 4096))
    if parsed is None or parsed[3] & _PF_KTHREAD:
        return None
    comm, parent, start_ticks, _ = parsed
    raw = _read(f"{base}/cmdline", CMDLINE_BYTES)
    if not raw and has_ended(_read(f"{base}/stat", 4096)):
        # Nothing but its short name is left of a zombie: the kernel's events say more.
        return None
    argv = tuple(_text(raw).rstrip("\0").split("\0")) if raw else ()
    if len(raw) == CMDLINE_BYTES:
        argv = (*argv[:-1], argv[-1] + "…")
    try:
        exe = os.readlink(f"{base}/exe").removesuffix(" (deleted)")  # noqa: PTH115  (Path takes thrice as long)
    except OSError:
        exe = ""
    try:
        netns = os.stat(f"{base}/ns/net").st_ino  # noqa: PTH116
    except OSError:
        netns = 0
    return Process(
        pid=pid,
        start_ticks=start_ticks,
        parent=parent,
        comm=comm,
        start_time=boot_ns + start_ticks * (1_000_000_000 // TICKS_PER_SECOND),
        argv=argv,
        exe=exe,
        cgroups=parse_cgroups(_read(f"{base}/cgroup")),
        netns=netns,
    )


def list_pids(proc: Path | str = "/proc") -> list[int]:
    """Ids of all processes now."""
    return [int(entry.name) for entry in os.scandir(proc) if entry.name.isdigit()]
