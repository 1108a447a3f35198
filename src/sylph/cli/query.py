"""Runs a script and writes its answer; shared by the commands that ask."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from sylph.cli.failure import Failure, Reported, say
from sylph.cli.output import Writer
from sylph.client.errors import ScriptErrors
from sylph.client.excerpt import in_source, render
from sylph.client.rpc import Client, Done, Event, Rows, Table
from sylph.client.scripts import calls_of, is_mutation, with_parameters
from sylph.client.target import Target
from sylph.client.terminal import paint, uses_colour
from sylph.client.text import escape
from sylph.library.loader import Script, ScriptError, load, load_path


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


def ask(
    target: Target, script: Script, values: dict[str, str], *, text: str | None = None, timeout: float | None = None
) -> Iterator[Event]:
    """The events of the script's answer. Errors of the script are shown with their lines, then Reported is raised."""
    calls = calls_of(script, values)
    source = with_parameters(script, values, text)
    with Client(target) as client:
        try:
            yield from client.execute(source, calls, mutation=is_mutation(source), name=script.name, timeout=timeout)
        except ScriptErrors as error:
            problems = [in_source(one, script.text, script.name) for one in error.errors]
            say(render(problems, colour=uses_colour(sys.stderr)))
            if hint := _folder_hint(script, error):
                say(f"{paint('help:', 'cyan', on=uses_colour(sys.stderr))} {hint}")
            raise Reported("") from None


def _folder_hint(script: Script, error: ScriptErrors) -> str:
    """What to do when a script shows nothing because only the vis.json beside it calls its functions; else ""."""
    folder = Path(script.name).parent
    if script.vis is not None or not script.name.endswith(".pxl") or not (folder / "vis.json").is_file():
        return ""
    if not any(one.message.startswith("query does not output a result") for one in error.errors):
        return ""
    return f"the vis.json beside it calls its functions: px run -f {escape(str(folder))}"


def require_cluster(target: Target, wanted: str) -> None:
    """Raises Failure unless `wanted` is the id or name of the host that answers: Pixie's --cluster, on one host."""
    with Client(target) as client:
        info = client.cluster()
    if wanted not in {info.cluster_uid, info.cluster_name}:
        raise Failure(f"no cluster {wanted!r}: this is {info.cluster_name} ({info.cluster_uid})")


def write(events: Iterator[Event], writer: Writer, *, nothing: str = "") -> Done | None:
    """Writes the answer; warnings go to standard error, and `nothing` if it has no row at all."""
    done, rows, waiting = None, False, False
    for event in events:
        match event:
            case Table():
                writer.table(event.name, event.columns)
            case Rows():
                if event.columns and event.columns[0]:
                    rows = True
                    writer.rows(event.table, event.columns)
                if event.last:
                    writer.end(event.table)
                elif event.live:
                    writer.live(event.table)
                    if not waiting:
                        waiting = True
                        _tell_to_wait()
                _warn(event.warnings)
            case Done():
                done = event
                _warn(event.warnings)
    if nothing and not rows:
        say(nothing)
    return done


def _warn(warnings: Sequence[str]) -> None:
    for warning in warnings:
        say(f"{paint('warning:', 'yellow', on=uses_colour(sys.stderr))} {escape(warning)}")


def _tell_to_wait() -> None:
    if sys.stderr.isatty():
        say(paint("rows are shown as they come; Ctrl-C ends", "dim", on=uses_colour(sys.stderr)))
