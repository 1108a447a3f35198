"""Which agent is asked: the one on this host's socket, or one reached directly over TCP."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(slots=True)
class Target:
    """Where the agent is. `address` empty: on the unix socket."""

    socket: Path | None = None
    address: str = ""
    key: str = ""
    ca: Path | None = None

    @property
    def path(self) -> Path:
        """The unix socket."""
        from sylph.agent.options import default_socket

        return self.socket or default_socket()

    @property
    def insecure(self) -> bool:
        """Whether the user asked for a connection without TLS."""
        return os.environ.get("PX_DISABLE_TLS") == "1" or os.environ.get("PX_DISABLE_SSL") == "1"
