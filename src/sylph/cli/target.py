"""The options that choose which agent `px` asks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from sylph.client.target import Target

_Command = TypeVar("_Command", bound=Callable[..., Any])


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
