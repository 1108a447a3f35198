"""Which IP addresses a network namespace owns."""

from __future__ import annotations

import ipaddress
from pathlib import Path


def local_addresses(pid: int, proc: Path | str = "/proc") -> set[str]:
    """Addresses of the network namespace that process `pid` lives in, loopback left out; empty when it has gone."""
    return _ipv4(Path(proc, str(pid), "net/fib_trie")) | _ipv6(Path(proc, str(pid), "net/if_inet6"))


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("ascii", "replace").splitlines()
    except OSError:
        return []


def _ipv4(path: Path) -> set[str]:
    found = set()
    leaf = ""
    for line in _lines(path):
        text = line.strip()
        if text.startswith("|-- "):
            leaf = text[4:]
        elif text == "/32 host LOCAL" and not leaf.startswith("127."):
            found.add(leaf)
    return found


def _ipv6(path: Path) -> set[str]:
    found = set()
    for line in _lines(path):
        digits, *_ = line.split() or [""]
        if len(digits) == 32:
            address = ipaddress.IPv6Address(int(digits, 16))
            if not address.is_loopback and not address.is_link_local:
                found.add(str(address))
    return found
