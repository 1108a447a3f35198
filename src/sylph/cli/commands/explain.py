"""px explain."""

from __future__ import annotations

import sys

import click

from sylph.cli.commands.run import WithScriptArguments, complete_script, script_arguments
from sylph.cli.target import target_options
from sylph.client.target import Target

#: The table in which a plan comes.
PLAN_TABLE = "__query_plan__"


@click.command("explain", cls=WithScriptArguments, short_help="Show how a script would be executed.")
@click.argument("script", required=False, shell_complete=complete_script)
@click.option("-f", "--file", metavar="FILE|DIR|-", type=click.Path(allow_dash=True), help="Explain this script.")
@click.option("--analyze", is_flag=True, help="Run it, and show what each part took.")
@target_options
@click.pass_context
def command(context: click.Context, script: str | None, file: str | None, analyze: bool) -> None:
    """Show a script's plan: before and after rules, agent and broker parts, SQL.

    The script's own arguments come after `--`, as with px run.
    """
    from sylph.cli import query, script_args
    from sylph.cli.failure import Failure
    from sylph.client.rpc import Rows, Table
    from sylph.client.text import escape

    found = query.find_script(script, file)
    try:
        values = script_args.parse(found, script_arguments(context))
    except script_args.HelpAsked:
        click.echo(script_args.describe(found))
        return
    # At the end, so that lines in errors stay those of the user's script.
    text = f"{found.text}\n#px:set {'analyze' if analyze else 'explain'}=true\n"
    seen = False
    for event in query.ask(context.ensure_object(Target), found, values, text=text):
        match event:
            case Table() if event.name == PLAN_TABLE:
                seen = True
            case Rows() if event.table == PLAN_TABLE:
                for column in event.columns:
                    for value in column:
                        shown = _for_people(str(value))
                        sys.stdout.write("\n".join(escape(line) for line in shown.split("\n")).rstrip() + "\n")
                if event.last:
                    # A stream would go on.
                    break
    if not seen:
        raise Failure("the agent sent no plan")


def _for_people(plan: str) -> str:
    """The comment behind the graph; the graph of an agent that writes none."""
    graph, comment, text = plan.partition("\n/*\n")
    return text.removesuffix("*/\n") if comment and graph.startswith("digraph") else plan
