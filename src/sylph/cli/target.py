"""Which agent `px` asks: the one on this host's socket, or one reached directly over TCP."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])


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


def _remember(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def callback(context: click.Context, _parameter: click.Parameter, value: Any) -> None:
        if value is not None:
            setattr(context.ensure_object(Target), name, value)

    return callback


def target_options(command: _Command) -> _Command:
    """Adds the options that choose the agent; they may stand before or after the command's name."""
    path = click.Path(path_type=Path)
    for option in (
        click.option(
            "--direct_vizier_ca",
            metavar="FILE",
            type=path,
            envvar="PX_DIRECT_VIZIER_CA",
            expose_value=False,
            callback=_remember("ca"),
            help="Certificate to trust, such as an agent's self-signed one.",
        ),
        click.option(
            "--direct_vizier_key",
            metavar="KEY",
            envvar="PX_DIRECT_VIZIER_KEY",
            expose_value=False,
            callback=_remember("key"),
            help="Key of that agent.",
        ),
        click.option(
            "--direct_vizier_addr",
            metavar="HOST:PORT",
            envvar="PX_DIRECT_VIZIER_ADDR",
            expose_value=False,
            callback=_remember("address"),
            help="Ask an agent over TCP rather than the one on this host.",
        ),
        click.option(
            "--socket",
            metavar="PATH",
            type=path,
            envvar="PX_SOCKET",
            expose_value=False,
            callback=_remember("socket"),
            help="Unix socket of the agent on this host.",
        ),
    ):
        command = option(command)
    return command
