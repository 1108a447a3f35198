"""What a script is asked with: values of its arguments, and the functions of it to call."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from sylph.client.errors import SylphError
from sylph.library.loader import Script
from sylph.library.vis import Variable, VisError

_MUTATION = re.compile(r"^(import pxtrace|from pxtrace .*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the script to call; `output` names its table."""

    function: str
    output: str
    arguments: dict[str, str]


def is_mutation(source: str) -> bool:
    """Whether a script changes probes, which must be asked for."""
    return bool(_MUTATION.search(source))


#: Types of parameters as scripts write them, and as vis.json does.
_TYPES = {
    "bool": "PX_BOOLEAN",
    "int": "PX_INT64",
    "float": "PX_FLOAT64",
    "list": "PX_LIST",
    "BOOLEAN": "PX_BOOLEAN",
    "INT64": "PX_INT64",
    "FLOAT64": "PX_FLOAT64",
    "TIME64NS": "PX_INT64",
    "Time": "PX_INT64",
    "Bytes": "PX_INT64",
    "DurationNanos": "PX_INT64",
    "Percent": "PX_FLOAT64",
    "Service": "PX_SERVICE",
    "Pod": "PX_POD",
    "Node": "PX_NODE",
    "Namespace": "PX_NAMESPACE",
    "Container": "PX_CONTAINER",
}


def parameters(script: Script) -> list[Variable]:
    """What the script declares with px.param()."""
    if "param" not in script.text:
        return []
    from sylph.pxl.params import declared

    return [
        Variable(one.name, _TYPES.get(one.type.rpartition(".")[2], "PX_STRING"), one.default, one.description, ())
        for one in declared(script.text)
    ]


def variables_of(script: Script) -> dict[str, Variable]:
    """The script's arguments by name: those of its vis.json, then its own parameters."""
    variables = {variable.name: variable for variable in (script.vis.variables if script.vis else ())}
    for parameter in parameters(script):
        variables.setdefault(parameter.name, parameter)
    return variables


def with_parameters(script: Script, values: Mapping[str, str], text: str | None = None) -> str:
    """The script's text, or `text` in its place, with the values of its parameters where they are not the defaults."""
    source = script.text if text is None else text
    given = {
        one.name: values[one.name]
        for one in parameters(script)
        if one.name in values and values[one.name] != one.default
    }
    if not given:
        return source
    from sylph.pxl.params import with_values

    return with_values(source, given)


def fill(script: Script, given: Mapping[str, str], *, mark: str = "", tell: str = "") -> dict[str, str]:
    """A value for every variable of the script. `mark` stands before names in messages, `tell` says what tells more.

    Raises SylphError for what is wrong, missing or not of the script.
    """
    variables = variables_of(script)
    for name in given:
        if name not in variables:
            raise SylphError(f"{script.name} has no argument {mark}{name}", _known(name, variables, mark))
    values = {}
    for variable in variables.values():
        chosen = given.get(variable.name, variable.default)
        if chosen is None:
            raise SylphError(f"{script.name} needs {mark}{variable.name}", tell or variable.description)
        if problem := variable.problem(chosen):
            raise SylphError(f"{mark}{variable.name} {problem}, not {chosen!r}")
        values[variable.name] = chosen
    return values


def _known(name: str, variables: Mapping[str, Variable], mark: str) -> str:
    if not variables:
        return "it takes none"
    close = difflib.get_close_matches(name, variables, n=1)
    listed = "it takes " + ", ".join(f"{mark}{known}" for known in variables)
    return f"did you mean {mark}{close[0]}? {listed}" if close else listed


def calls_of(script: Script, values: Mapping[str, str]) -> list[Call]:
    """The functions of the script's vis with their arguments. Raises SylphError."""
    if script.vis is None:
        return []
    try:
        return [Call(call.function, call.output, call.bind(values)) for call in script.vis.calls]
    except VisError as error:
        raise SylphError(f"{script.name}: {error}") from None
