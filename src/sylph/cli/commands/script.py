"""px script."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from sylph.cli.commands.run import command as run_command
from sylph.cli.commands.run import complete_script
from sylph.cli.output import make_writer
from sylph.cli.values import Column
from sylph.tables.types import DataType

_BUNDLE = click.option(
    "-b",
    "--bundle",
    type=click.Path(path_type=Path),
    envvar="PX_BUNDLE",
    help="Of this bundle, not the library.",
)


def print_list(format_name: str, bundle: Path | None) -> None:
    """Writes the names of the library's scripts, or of a bundle's."""
    from sylph.cli.failure import Failure
    from sylph.library.bundle import read
    from sylph.library.loader import ScriptError, listing

    try:
        if bundle is None:
            scripts = listing()
        else:
            scripts = [(name, script.short) for name, script in sorted(read(bundle).items()) if not script.hidden]
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
@_BUNDLE
def list_command(format_name: str, bundle: Path | None) -> None:
    """List names and what they are for."""
    print_list(format_name, bundle)


@command.command("show")
@click.argument("name", shell_complete=complete_script)
@_BUNDLE
def show(name: str, bundle: Path | None) -> None:
    """Print a script's source."""
    from sylph.cli.query import find_script

    sys.stdout.write(find_script(name, None, bundle).text)


command.add_command(run_command, "run")
