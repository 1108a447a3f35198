"""How an agent runs on this host, and where it keeps what it needs while it does."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

MIB = 2**20
GIB = 2**30


def default_socket() -> Path:
    """PX_SOCKET; otherwise /run/sylph/px.sock for root, and px.sock in the user's own runtime folder."""
    if given := os.environ.get("PX_SOCKET"):
        return Path(given)
    if os.geteuid() == 0:
        return Path("/run/sylph/px.sock")
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        return Path(runtime) / "sylph/px.sock"
    return Path(f"/tmp/sylph-{os.geteuid()}/px.sock")


def default_data_directory() -> Path:
    """/var/lib/sylph for root, otherwise the user's own state folder."""
    if os.geteuid() == 0:
        return Path("/var/lib/sylph")
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state"
    return Path(state) / "sylph"


@dataclass(frozen=True, slots=True)
class Listen:
    """A TCP address for clients elsewhere. Without a certificate a self-signed one is kept in the data folder."""

    host: str
    port: int
    #: One key a line; made with one key in it when it does not exist.
    keys_file: Path
    certificate: Path | None = None
    private_key: Path | None = None
    #: No TLS; for loopback addresses only.
    plaintext: bool = False


@dataclass(frozen=True, slots=True)
class Options:
    """All that `px up` lets the user decide. Sizes are bytes, times seconds."""

    data_directory: Path = field(default_factory=default_data_directory)
    socket: Path = field(default_factory=default_socket)
    memory: int = 512 * MIB
    #: 0 keeps rows in memory only.
    disk: int = 2 * GIB
    flush_interval: float = 10.0
    #: auto, tcp or syscall.
    method: str = "auto"
    #: Record the client side too when the server's process is traced as well.
    trace_clients: bool = False
    #: A longer body is cut in its column; its size column still says all.
    max_body_bytes: int = 512
    listen: Listen | None = None
