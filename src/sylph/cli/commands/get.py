"""px get."""

from __future__ import annotations

import sys

import click

from sylph.cli.output import FORMATS, make_writer
from sylph.cli.target import target_options
from sylph.client.target import Target

_LIMIT_S = 2.0


@click.group("get", short_help="Show agents.")
def command() -> None:
    """Show agents."""


@command.command("agents")
@click.option("-o", "--output", "format_name", type=click.Choice(FORMATS), default="table", envvar="PX_OUTPUT")
@target_options
@click.pass_context
def agents(context: click.Context, format_name: str) -> None:
    """Show the state of all agents: the script px/agent_status, which must answer within 2 s."""
    from sylph.cli import query

    script = query.find_script("px/agent_status", None)
    events = query.ask(context.ensure_object(Target), script, {}, timeout=_LIMIT_S)
    query.write(events, make_writer(format_name, sys.stdout))


for _alias in ("pems", "pem", "agent"):
    command.add_command(click.Command(_alias, params=agents.params, callback=agents.callback, hidden=True), _alias)
