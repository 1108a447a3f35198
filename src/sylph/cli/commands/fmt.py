"""px fmt."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sylph.pxl.errors import CompileError

#: As formatters do: 1 means that something is not formatted, so an error needs another code.
_UNFORMATTED, _ERROR = 1, 2


class _Formatter(click.Command):
    """Ends with 2 when used wrongly, since 1 has a meaning of its own."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Reads the arguments."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            error.show()
            raise click.exceptions.Exit(_ERROR) from None


@click.command("fmt", cls=_Formatter, short_help="Give scripts one layout.")
@click.argument("paths", metavar="FILE|DIR|-...", nargs=-1, required=True, type=click.Path(allow_dash=True))
@click.option("--check", is_flag=True, help="Write nothing; name the files that would change.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
@click.option(
    "--line-length",
    type=click.IntRange(40, 320),
    default=100,
    show_default=True,
    help="Columns that a line may take.",
)
@click.option("-q", "--quiet", is_flag=True, help="Only tell errors.")
def command(paths: tuple[str, ...], check: bool, diff: bool, line_length: int, quiet: bool) -> None:
    """Give scripts one layout, as Python's formatters do.

    Files are written in place; of a folder, all its *.pxl files. `-` reads standard input and writes the result.
    What a script means never changes. A comma left out between arguments is put in.

    Ends with 0; with 1 if --check or --diff found a file to change; with 2 after an error, such as a script that
    cannot be parsed. All other files are formatted even so.
    """
    from sylph.cli.failure import Failure, say
    from sylph.editor.files import script_files
    from sylph.library.loader import ScriptError, load_path

    sources: dict[str, str] = {}
    failed = False
    try:
        if "-" in paths and len(paths) > 1:
            raise ScriptError("'-' is standard input, and cannot be given together with files")
        names = ["-"] if "-" in paths else [str(path) for path in script_files(paths)]
    except ScriptError as error:
        Failure(str(error), error.hint).show()
        raise click.exceptions.Exit(_ERROR) from None
    for name in names:
        try:
            sources[name] = load_path(name).text
        except ScriptError as error:
            Failure(str(error), error.hint).show()
            failed = True
    changed, errors = _format(sources, check=check, diff=diff, line_length=line_length, quiet=quiet)
    if not quiet and names != ["-"]:
        say(_summary(changed, len(sources) - changed - errors, errors + len(names) - len(sources), check or diff))
    if failed or errors:
        raise click.exceptions.Exit(_ERROR)
    if changed and (check or diff):
        raise click.exceptions.Exit(_UNFORMATTED)


def _format(sources: dict[str, str], *, check: bool, diff: bool, line_length: int, quiet: bool) -> tuple[int, int]:
    """Formats and writes; numbers of changed scripts and of errors."""
    from pathlib import Path

    from sylph.cli.failure import Failure, say
    from sylph.client.text import escape
    from sylph.editor.files import write_whole
    from sylph.editor.formatting import FormatError, format_sources
    from sylph.library.loader import ScriptError
    from sylph.pxl.errors import CompileError

    changed = errors = 0
    for name, result in format_sources(sources, line_length=line_length).items():
        shown = "<stdin>" if name == "-" else escape(name)
        if isinstance(result, CompileError):
            say(_rendered(result, shown))
            errors += 1
        elif isinstance(result, FormatError):
            Failure(f"{shown}: {result}").show()
            errors += 1
        else:
            if result != sources[name]:
                changed += 1
                if diff:
                    sys.stdout.write(_difference(sources[name], result, shown))
                if check and not quiet:
                    say(f"would reformat {shown}")
            if check or diff:
                continue
            if name == "-":
                sys.stdout.write(result)
            elif result != sources[name]:
                try:
                    write_whole(Path(name), result.encode())
                except ScriptError as error:
                    Failure(str(error)).show()
                    changed -= 1
                    errors += 1
    return changed, errors


def _rendered(error: CompileError, name: str) -> str:
    from sylph.client.text import escape

    return "\n".join(escape(line) for line in error.render(name).split("\n"))


def _difference(before: str, after: str, name: str) -> str:
    import difflib

    lines = difflib.unified_diff(_lines(before), _lines(after), name, f"{name} (formatted)")
    return "".join(lines)


def _lines(text: str) -> list[str]:
    lines = [f"{line}\n" for line in text.split("\n")]
    last = lines.pop()
    return lines if last == "\n" else [*lines, f"{last}\\ No newline at end of file\n"]


def _summary(changed: int, unchanged: int, errors: int, only_asked: bool) -> str:
    parts = []
    if changed:
        parts.append(f"{_files(changed)} {'would be ' if only_asked else ''}reformatted")
    if unchanged:
        parts.append(f"{_files(unchanged)} {'already formatted' if only_asked else 'left unchanged'}")
    if errors:
        parts.append(f"{_files(errors)} with errors")
    return ", ".join(parts)


def _files(count: int) -> str:
    return f"{count} file" if count == 1 else f"{count} files"
