"""px script."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sylph.cli.commands.run import BUNDLE, complete_script
from sylph.cli.commands.run import command as run_command
from sylph.cli.output import make_writer
from sylph.client.values import Column
from sylph.tables.types import DataType

if TYPE_CHECKING:
    from sylph.editor.findings import Finding


def print_list(format_name: str, bundle: str | None) -> None:
    """Writes the names of the library's scripts, or of a bundle's."""
    from sylph.cli.failure import Failure
    from sylph.library.bundle import read
    from sylph.library.loader import ScriptError, listing

    try:
        scripts = listing() if bundle is None else read(bundle).listing()
    except ScriptError as error:
        raise Failure(str(error), error.hint) from None
    writer = make_writer(format_name, sys.stdout)
    writer.table("scripts", (Column("Name", DataType.STRING), Column("Description", DataType.STRING)))
    writer.rows("scripts", ([name for name, _ in scripts], [short for _, short in scripts]))
    writer.end("scripts")


@click.group("script", short_help="List, show, write and check scripts.")
def command() -> None:
    """List, show, write and check scripts."""


@command.command("list")
@click.option("-o", "--output", "format_name", type=click.Choice(("table", "json", "csv")), default="table")
@BUNDLE
def list_command(format_name: str, bundle: str | None) -> None:
    """List names and what they are for."""
    print_list(format_name, bundle)


@command.command("show")
@click.argument("name", shell_complete=complete_script)
@BUNDLE
def show(name: str, bundle: str | None) -> None:
    """Print a script's source."""
    from sylph.cli.query import find_script

    sys.stdout.write(find_script(name, None, bundle).text)


@command.command("new")
@click.argument("name")
@click.option(
    "--dir",
    "parent",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Make the folder in this one.  [default: here]",
)
def new(name: str, parent: Path) -> None:
    """Make a folder with a script that runs: NAME.pxl, vis.json and manifest.yaml."""
    from sylph.cli.failure import Failure
    from sylph.client.text import escape
    from sylph.editor.scaffold import new_script
    from sylph.library.loader import ScriptError

    try:
        folder = new_script(name, parent)
    except ScriptError as error:
        raise Failure(str(error), error.hint) from None
    shown = escape(str(folder))
    click.echo(f"{shown}\n\n  px run -f {shown}\n  px run -f {shown} -- --help\n  px script check {shown}")


@command.command("check")
@click.argument("paths", metavar="FILE|DIR...", nargs=-1, required=True, type=click.Path())
@click.option(
    "-o",
    "--output",
    "--format",
    "format_name",
    type=click.Choice(("text", "json", "github")),
    default="text",
    show_default=True,
    help="How to write what is found; github: as annotations of a change.",
)
@click.option("--deny-warnings", is_flag=True, help="End with 1 for warnings too.")
def check(paths: tuple[str, ...], format_name: str, deny_warnings: bool) -> None:
    """Find out whether scripts compile, without an agent.

    Of a folder, all its *.pxl files. A vis.json beside a script is read too: its functions are compiled with its
    arguments, and the columns that its widgets show must be in their results.

    Ends with 1 if there are errors, else with 0.
    """
    from sylph.cli.failure import Failure, say
    from sylph.client.text import escape
    from sylph.editor import findings
    from sylph.editor.project import check_paths
    from sylph.library.loader import ScriptError

    try:
        checked = check_paths(paths)
    except ScriptError as error:
        raise Failure(str(error), error.hint) from None
    found = findings.counts(checked.findings)
    if format_name == "json":
        click.echo(findings.as_json(checked.findings, checked.scripts))
    else:
        for finding in checked.findings:
            if format_name == "github":
                click.echo(findings.as_github(finding))
            else:
                click.echo(_painted(finding, checked.sources.get(finding.path, "")) + "\n")
        parts = [f"{count} {what if count != 1 else what[:-1]}" for what, count in found.items() if count]
        scripts = "1 script" if checked.scripts == 1 else f"{checked.scripts} scripts"
        say(f"{escape(' and '.join(parts) or 'nothing wrong')} in {scripts}")
    if found["errors"] or (deny_warnings and found["warnings"]):
        raise click.exceptions.Exit(1)


def _painted(finding: Finding, source: str) -> str:
    from sylph.client.terminal import paint, uses_colour
    from sylph.client.text import escape
    from sylph.editor.findings import Severity, as_text

    first, _, rest = "\n".join(escape(line) for line in as_text(finding, source).split("\n")).partition("\n")
    severity, _, message = first.partition(":")
    style = "red" if finding.severity is Severity.ERROR else "yellow"
    first = f"{paint(f'{severity}:', style, on=uses_colour(sys.stdout))}{message}"
    return f"{first}\n{rest}" if rest else first


@command.command("bundle")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", metavar="FILE|-", required=True, type=click.Path(allow_dash=True), help="The file to write."
)
def bundle_command(folder: Path, output: str) -> None:
    """Write all scripts of a folder into one bundle (JSON), for --bundle and for Pixie's tools.

    Scripts are the folders that hold a .pxl file and a manifest.yaml; their names are their paths inside DIR.
    """
    import json

    from sylph.cli.failure import Failure, say
    from sylph.client.text import escape
    from sylph.editor.files import write_whole
    from sylph.library.bundle import from_folder, without_manifest
    from sylph.library.loader import ScriptError

    try:
        made = from_folder(folder)
        text = json.dumps(made, indent=1, sort_keys=True) + "\n"
        if output == "-":
            sys.stdout.write(text)
        else:
            write_whole(Path(output), text.encode())
    except ScriptError as error:
        raise Failure(str(error), error.hint) from None
    count = len(made["scripts"])
    for left_out in without_manifest(folder):
        say(f"{escape(str(left_out))} is left out: it has no manifest.yaml")
    say(f"{count} script{'s' if count != 1 else ''} written")


command.add_command(run_command, "run")
