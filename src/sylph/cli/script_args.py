"""A script's own arguments, given after `--`: `--name value`, `--name=value`, `-name value`."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from sylph.cli.failure import Failure
from sylph.client.scripts import fill, variables_of
from sylph.client.text import escape
from sylph.library.loader import Script

_HELP = {"-h", "--h", "-help", "--help"}


class HelpAsked(Exception):  # noqa: N818  (no error)
    """The user asked what the script takes."""


def parse(script: Script, arguments: Sequence[str]) -> dict[str, str]:
    """A value for every variable of the script.

    Raises HelpAsked, and Failure or SylphError for what is wrong or missing.
    """
    given: dict[str, str] = {}
    rest = list(arguments)
    for word in rest:
        if any("\ud800" <= character <= "\udfff" for character in word):
            raise Failure(f"{word!r} is not UTF-8 text")
    while rest:
        word = rest.pop(0)
        if word in _HELP:
            raise HelpAsked
        if not word.startswith("-") or word.strip("-") == "":
            raise Failure(f"{word!r} is no argument of a script", "write it as --name value")
        name, equals, value = word.removeprefix("-").removeprefix("-").partition("=")
        if not equals:
            if not rest:
                raise Failure(f"--{name} needs a value")
            value = rest.pop(0)
        given[name] = value
    return fill(script, given, mark="--", tell=f"{_command(script)} --help tells what it is")


def _command(script: Script) -> str:
    """What runs the script, up to its arguments."""
    if not script.is_file:
        return f"px run {script.name} --"
    return f"px run -f {'-' if script.name == '<stdin>' else shlex.quote(escape(script.name))} --"


def without_rows(script: Script, values: dict[str, str]) -> str:
    """What to say when nothing was found: a script whose defaults fit another place looks broken otherwise."""
    if not values:
        return "no rows"
    asked = " ".join(f"--{name} {shlex.quote(escape(value))}" for name, value in values.items() if value)
    return f"no rows for: {script.name} -- {asked}"


def describe(script: Script) -> str:
    """What `px run SCRIPT -- --help` prints."""
    lines = [f"Usage: {_command(script)} [ARGUMENTS]"]
    if script.short:
        lines += ["", f"  {script.short}"]
    if script.long and script.long != script.short:
        lines += ["", f"  {script.long}"]
    variables = variables_of(script)
    if not variables:
        return "\n".join([*lines, "", "It takes no arguments."])
    lines += ["", "Arguments:"]
    for variable in variables.values():
        kind = variable.type.removeprefix("PX_").lower()
        state = "required" if variable.default is None else f'default "{variable.default}"'
        if variable.valid_values:
            state += f"; one of {', '.join(variable.valid_values)}"
        lines.append(f"  --{variable.name} {kind}  ({state})")
        if variable.description:
            lines.append(f"      {variable.description}")
    return "\n".join(lines)
