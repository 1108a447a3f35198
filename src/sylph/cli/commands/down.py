"""px down."""

from __future__ import annotations

import time

import click

from sylph.cli.failure import Failure, say
from sylph.cli.sizes import Duration
from sylph.cli.target import target_options
from sylph.client.target import Target


@click.command("down", short_help="End what `px up` started.")
@click.option("--timeout", type=Duration(), default="30s", show_default=True, help="How long to wait for its end.")
@click.option("--force", is_flag=True, help="Kill it when it has not ended by then; rows of the last seconds are lost.")
@target_options
@click.pass_context
def command(context: click.Context, timeout: float, force: bool) -> None:
    """End the agent that `px up` started on this host, and wait until it has stored its rows."""
    from sylph.cli import process

    socket = context.ensure_object(Target).path
    agent = process.running(socket)
    if agent is None:
        say(f"no agent runs here (socket {socket})")
        return
    began = time.monotonic()
    if not process.end(agent, timeout, force=force):
        raise Failure(f"the agent, pid {agent.pid}, has not ended after {timeout:g} s", "px down --force kills it")
    click.echo(f"the agent, pid {agent.pid}, ended after {time.monotonic() - began:.1f} s")
