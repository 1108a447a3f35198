"""A script's own arguments, given after `--`: `--name value`, `--name=value`, `-name value`."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from sylph.cli.failure import Failure
from sylph.library.loader import Script
from sylph.library.vis import Variable

_HELP = {"-h", "--h", "-help", "--help"}


class HelpAsked(Exception):  # noqa: N818  (no error)
    """The user asked what the script takes."""


def parse(script: Script, arguments: Sequence[str]) -> dict[str, str]:
    """A value for every variable of the script. Raises HelpAsked, and Failure for what is wrong or missing."""
    variables = {variable.name: variable for variable in (script.vis.variables if script.vis else ())}
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
        if name not in variables:
            raise Failure(f"{script.name} has no argument --{name}", _known(name, variables))
        if not equals:
            if not rest:
                raise Failure(f"--{name} needs a value")
            value = rest.pop(0)
        given[name] = value
    values = {}
    for variable in variables.values():
        chosen = given.get(variable.name, variable.default)
        if chosen is None:
            raise Failure(f"{script.name} needs --{variable.name}", f"px run {script.name} -- --help tells what it is")
        if problem := variable.problem(chosen):
            raise Failure(f"--{variable.name} {problem}, not {chosen!r}")
        values[variable.name] = chosen
    return values


def _known(name: str, variables: dict[str, Variable]) -> str:
    if not variables:
        return "it takes none"
    close = difflib.get_close_matches(name, variables, n=1)
    listed = "it takes " + ", ".join(f"--{known}" for known in variables)
    return f"did you mean --{close[0]}? {listed}" if close else listed


def describe(script: Script) -> str:
    """What `px run SCRIPT -- --help` prints."""
    lines = [f"Usage: px run {script.name} -- [ARGUMENTS]"]
    if script.short:
        lines += ["", f"  {script.short}"]
    if script.long and script.long != script.short:
        lines += ["", f"  {script.long}"]
    if script.vis is None or not script.vis.variables:
        return "\n".join([*lines, "", "It takes no arguments."])
    lines += ["", "Arguments:"]
    for variable in script.vis.variables:
        kind = variable.type.removeprefix("PX_").lower()
        state = "required" if variable.default is None else f'default "{variable.default}"'
        if variable.valid_values:
            state += f"; one of {', '.join(variable.valid_values)}"
        lines.append(f"  --{variable.name} {kind}  ({state})")
        if variable.description:
            lines.append(f"      {variable.description}")
    return "\n".join(lines)
