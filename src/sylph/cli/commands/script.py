"""px script."""

from __future__ import annotations

import sys

import click

from sylph.cli.commands.run import command as run_command
from sylph.cli.commands.run import complete_script
from sylph.cli.output import make_writer
from sylph.cli.values import Column
from sylph.tables.types import DataType


def print_list(format_name: str) -> None:
    """Writes the library's scripts."""
    from sylph.cli.failure import Failure
    from sylph.library.loader import ScriptError, listing

    try:
        scripts = listing()
    except ScriptError as error:
        raise Failure(str(error), error.hint) from None
    writer = make_writer(format_name, sys.stdout)
    writer.table("scripts", (Column("Name", DataType.STRING), Column("Description", DataType.STRING)))
    writer.rows("scripts", ([name for name, _ in scripts], [short for _, short in scripts]))
    writer.end("scripts")


@click.group("script", short_help="List and show scripts of the library.")
def command() -> None:
    """List and show scripts of the library."""


@command.command("list")
@click.option("-o", "--output", "format_name", type=click.Choice(("table", "json", "csv")), default="table")
def list_command(format_name: str) -> None:
    """List names and what they are for."""
    print_list(format_name)


@command.command("show")
@click.argument("name", shell_complete=complete_script)
def show(name: str) -> None:
    """Print a script's source."""
    from sylph.cli.query import find_script

    sys.stdout.write(find_script(name, None).text)


command.add_command(run_command, "run")
