"""Runs a script and writes its answer; shared by the commands that ask."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence

from sylph.cli.client import Call, Client, Done, ErrorAt, Event, Rows, ScriptErrors, Table
from sylph.cli.failure import Failure, Reported, say
from sylph.cli.output import Writer
from sylph.cli.target import Target
from sylph.cli.terminal import paint, uses_colour
from sylph.cli.text import escape, width
from sylph.library.loader import Script, ScriptError, load, load_path
from sylph.library.vis import VisError

_MUTATION = re.compile(r"^(import pxtrace|from pxtrace .*)$", re.MULTILINE)


def find_script(script_id: str | None, file: str | None, bundle: str | None = None) -> Script:
    """The script that a command was given; by id from the library, or from a bundle. Raises Failure."""
    if (script_id is None) == (file is None):
        raise Failure("give a script's id or a file", "such as px run px/http_data, or px run -f my.pxl")
    try:
        if file is not None:
            return load_path(file)
        if bundle is not None:
            from sylph.library.bundle import read

            return read(bundle).script(script_id or "")
        return load(script_id or "")
    except ScriptError as error:
        raise Failure(str(error), error.hint) from None


def calls_of(script: Script, values: dict[str, str]) -> list[Call]:
    """The functions of the script's vis with their arguments. Raises Failure."""
    if script.vis is None:
        return []
    try:
        return [Call(call.function, call.output, call.bind(values)) for call in script.vis.calls]
    except VisError as error:
        raise Failure(f"{script.name}: {error}") from None


def ask(
    target: Target, script: Script, values: dict[str, str], *, text: str | None = None, timeout: float | None = None
) -> Iterator[Event]:
    """The events of the script's answer. Errors of the script are shown with their lines, then Reported is raised."""
    calls = calls_of(script, values)
    source = script.text if text is None else text
    with Client(target) as client:
        try:
            yield from client.execute(
                source, calls, mutation=bool(_MUTATION.search(source)), name=script.name, timeout=timeout
            )
        except ScriptErrors as error:
            say(render(error.errors, script))
            raise Reported("") from None


def require_cluster(target: Target, wanted: str) -> None:
    """Raises Failure unless `wanted` is the id or name of the host that answers: Pixie's --cluster, on one host."""
    with Client(target) as client:
        info = client.cluster()
    if wanted not in {info.cluster_uid, info.cluster_name}:
        raise Failure(f"no cluster {wanted!r}: this is {info.cluster_name} ({info.cluster_uid})")


def write(events: Iterator[Event], writer: Writer) -> Done | None:
    """Writes the answer; warnings go to standard error."""
    done = None
    for event in events:
        match event:
            case Table():
                writer.table(event.name, event.columns)
            case Rows():
                if event.columns and event.columns[0]:
                    writer.rows(event.table, event.columns)
                if event.last:
                    writer.end(event.table)
            case Done():
                done = event
                for warning in event.warnings:
                    say(f"{paint('warning:', 'yellow', on=uses_colour(sys.stderr))} {escape(warning)}")
    return done


def render(errors: Sequence[ErrorAt], script: Script) -> str:
    """Errors with their source lines and carets."""
    lines = script.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n\n".join(_render(error, lines, script.name) for error in errors)


def _render(error: ErrorAt, lines: Sequence[str], name: str) -> str:
    colour = uses_colour(sys.stderr)
    message, _, hint = error.message.partition("\nhelp: ")
    out = [f"{paint('error:', 'red', on=colour)} {_block(message)}"]
    if 1 <= error.line <= len(lines):
        number = str(error.line)
        margin = " " * len(number)
        line = lines[error.line - 1].rstrip()
        before = line[: max(0, error.column - 1)]
        out.append(f"{margin}--> {escape(name)} L{error.line} : C{error.column}")
        out.append(f"{margin} |")
        out.append(f"{number} | {escape(line.replace(chr(9), ' '))}")
        caret = " " * width(escape(before.replace("\t", " "))) + "^"
        out.append(f"{margin} | {paint(caret, 'red', on=colour)}")
    if hint:
        out.append(f"{paint('help:', 'cyan', on=colour)} {_block(hint)}")
    return "\n".join(out)


def _block(text: str) -> str:
    return "\n".join(escape(line) for line in text.split("\n"))
