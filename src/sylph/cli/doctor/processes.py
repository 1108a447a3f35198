"""Which processes talk over the network, and how, from /proc alone."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

#: Shared libraries that encrypt, by the beginning of their file name.
_TLS_LIBRARIES = (
    "libssl.so",
    "libgnutls.so",
    "libnss3.so",
    "libssl3.so",
    "libboringssl",
    "libmbedtls.so",
    "libwolfssl",
)
_SOCKET = re.compile(r"socket:\[(\d+)\]")
_KINDS = ("tcp", "tcp6", "udp", "udp6", "unix")


@dataclass(slots=True)
class Talker:
    """A process with sockets. `sockets` counts them by kind: tcp, udp, unix."""

    pid: int
    name: str
    sockets: Counter[str] = field(default_factory=Counter)
    #: File name of the library that encrypts, or what else is known; empty when there is none.
    tls: str = ""


def talkers(proc: Path = Path("/proc")) -> Iterator[Talker]:
    """Every process that has a socket and may be looked into; processes that end meanwhile are left out."""
    kinds: dict[int, dict[int, str]] = {}
    for entry in sorted(int(path.name) for path in proc.iterdir() if path.name.isdecimal()):
        folder = proc / str(entry)
        try:
            inodes = set(_socket_inodes(folder))
            if not inodes:
                continue
            namespace = (folder / "ns/net").stat().st_ino
            if namespace not in kinds:
                kinds[namespace] = dict(_sockets(folder))
            name = (folder / "comm").read_text(encoding="utf-8", errors="replace").strip()
            talker = Talker(entry, name, tls=_tls(folder))
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        known = kinds[namespace]
        talker.sockets.update(known[inode] for inode in inodes if inode in known)
        if talker.sockets:
            yield talker


def _socket_inodes(folder: Path) -> Iterator[int]:
    for descriptor in (folder / "fd").iterdir():
        with contextlib.suppress(OSError):
            if match := _SOCKET.fullmatch(str(descriptor.readlink())):
                yield int(match[1])


def _sockets(folder: Path) -> Iterator[tuple[int, str]]:
    """Inode and kind of every socket of a process's network namespace."""
    for kind in _KINDS:
        with (
            contextlib.suppress(FileNotFoundError),
            (folder / "net" / kind).open(encoding="ascii", errors="replace") as file,
        ):
            next(file, None)
            position = 6 if kind == "unix" else 9
            for line in file:
                fields = line.split()
                if len(fields) > position and fields[position].isdecimal():
                    yield int(fields[position]), kind.removesuffix("6")


def _tls(folder: Path) -> str:
    with (folder / "maps").open(encoding="utf-8", errors="replace") as maps:
        for line in maps:
            name = line.rstrip().rpartition("/")[2]
            if name.startswith(_TLS_LIBRARIES):
                return name
            if name == "libjvm.so":
                return "Java"
    return ""
