"""px repl."""

from __future__ import annotations

import sys

import click

from sylph.cli.target import target_options
from sylph.client.target import Target


@click.command("repl", short_help="Ask at a prompt, with completion and history.")
@target_options
@click.pass_context
def command(context: click.Context) -> None:
    """A prompt for PxL: names stay, a DataFrame on the last line is shown.

    Tab completes, Ctrl-C cancels the running query, Ctrl-D ends; `.help` lists the prompt's own commands. What was
    typed is kept in the user's state folder, readable by that user only.
    """
    from sylph.cli.failure import Failure
    from sylph.client.rpc import Client

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Failure("px repl needs a terminal", "a script from standard input: px run -f -")
    with Client(context.ensure_object(Target)) as client:
        from sylph.cli.repl import prompt
        from sylph.cli.repl.session import Session

        if trouble := client.health():
            raise Failure(f"the agent runs, but: {trouble}", "see its log")
        name = client.cluster().cluster_name
        prompt.run(Session(client), f"PxL on {name}; .help lists commands, Ctrl-D ends")
