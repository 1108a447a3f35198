"""px run."""

from __future__ import annotations

import sys

import click

from sylph.cli.output import FORMATS, make_writer
from sylph.cli.target import target_options
from sylph.client.target import Target

BUNDLE = click.option(
    "-b",
    "--bundle",
    metavar="FILE|URL",
    envvar="PX_BUNDLE",
    help="Take scripts from this bundle (JSON) rather than the library.",
)


class WithScriptArguments(click.Command):
    """Leaves all after `--` to the script."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Takes `--` and what follows off before click sees it."""
        if "--" in args:
            at = args.index("--")
            ctx.meta["sylph.script_arguments"] = args[at + 1 :]
            args = args[:at]
        return super().parse_args(ctx, args)


def script_arguments(context: click.Context) -> list[str]:
    """What the command line holds after `--`."""
    arguments: list[str] = context.meta.get("sylph.script_arguments", [])
    return arguments


def complete_script(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Ids of the library that begin so."""
    from sylph.library.loader import ids

    return [name for name in ids() if name.startswith(incomplete)]


@click.command("run", cls=WithScriptArguments, short_help="Run a script and print its tables.")
@click.argument("script", required=False, shell_complete=complete_script)
@click.option("-l", "--list", "list_scripts", is_flag=True, envvar="PX_LIST", help="List the library's scripts.")
@click.option(
    "-f",
    "--file",
    metavar="FILE|DIR|-",
    envvar="PX_FILE",
    type=click.Path(allow_dash=True),
    help="Run this script: a file, a folder with a .pxl and a vis.json, or standard input.",
)
@click.option(
    "-o",
    "--output",
    "format_name",
    type=click.Choice(FORMATS),
    default="table",
    envvar="PX_OUTPUT",
    show_default=True,
    help="How to write the answer.",
)
@BUNDLE
@click.option("-c", "--cluster", envvar="PX_CLUSTER", help="Ask only if this is the id or name of the host.")
# Pixie's, for those who have them in scripts: on one host there is nothing to choose.
@click.option("-d", "--all-clusters", is_flag=True, hidden=True, expose_value=False)
@click.option("-e", "--e2e_encryption", type=bool, hidden=True, expose_value=False)
@target_options
@click.pass_context
def command(
    context: click.Context,
    *,
    script: str | None,
    list_scripts: bool,
    file: str | None,
    format_name: str,
    bundle: str | None,
    cluster: str | None,
) -> None:
    """Run a script and print its tables.

    SCRIPT is an id of the library such as px/http_data. The script's own arguments come after `--`:

        px run px/http_data -- --start_time=-1m --max_num_records 10

    A script that displays df.stream() goes on, with rows as they come, until Ctrl-C.

    `px run SCRIPT -- --help` tells what it takes.
    """
    if list_scripts:
        from sylph.cli.commands.script import print_list

        print_list("table" if format_name == "null" else format_name, bundle)
        return
    from sylph.cli import query, script_args
    from sylph.cli.failure import Failure

    found = query.find_script(script, file, bundle)
    try:
        values = script_args.parse(found, script_arguments(context))
    except script_args.HelpAsked:
        click.echo(script_args.describe(found))
        return
    if cluster:
        query.require_cluster(context.ensure_object(Target), cluster)
    if format_name == "arrow" and sys.stdout.isatty():
        raise Failure("arrow is not text", "send it to a file or a program: px run ... -o arrow > answer.arrow")
    nothing = script_args.without_rows(found, values) if format_name == "table" else ""
    events = query.ask(context.ensure_object(Target), found, values)
    query.write(events, make_writer(format_name, sys.stdout), nothing=nothing)
