"""The part of a vis.json that running needs: a script's variables, and the functions to call with them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sylph.pxl.words import truth


class VisError(ValueError):
    """A vis.json that cannot be used, and why."""


@dataclass(frozen=True, slots=True)
class Variable:
    """An argument of a script. `default` None: it must be given; "": it may be left out."""

    name: str
    type: str
    default: str | None
    description: str
    valid_values: tuple[str, ...]

    def problem(self, value: str) -> str:
        """Why `value` cannot be taken; empty when it can."""
        if self.valid_values and value not in self.valid_values:
            return f"must be one of {', '.join(self.valid_values)}"
        if not value and self.default == "":
            return ""
        match self.type:
            case "PX_INT64":
                return "" if _is(int, value) else "must be a whole number"
            case "PX_FLOAT64":
                return "" if _is(float, value) else "must be a number"
            case "PX_BOOLEAN":
                return "must be true or false" if truth(value) is None else ""
        return ""


def _is(kind: type[int] | type[float], value: str) -> bool:
    try:
        kind(value)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Call:
    """A function to call for the table `output`; each argument is ("value", text) or ("variable", name)."""

    function: str
    output: str
    arguments: tuple[tuple[str, str, str], ...]

    def bind(self, values: Mapping[str, str]) -> dict[str, str]:
        """Arguments by name, variables replaced by their values. Raises VisError for an unknown variable."""
        bound = {}
        for name, kind, text in self.arguments:
            if kind == "variable":
                if text not in values:
                    raise VisError(f"function {self.function} uses the variable {text}, which is not declared")
                bound[name] = values[text]
            else:
                bound[name] = text
        return bound


@dataclass(frozen=True, slots=True)
class Vis:
    """What a script takes and which of its functions make its tables."""

    variables: tuple[Variable, ...]
    calls: tuple[Call, ...]


def parse(text: str) -> Vis:
    """Reads the JSON form of Pixie's Vis message; unknown fields are ignored. Raises VisError."""
    try:
        data = json.loads(text)
        variables = tuple(_variable(item) for item in data.get("variables", ()))
        calls = [_call(item["func"], item["outputName"]) for item in data.get("globalFuncs", ())]
        calls += [
            _call(widget["func"], widget.get("name") or "widget")
            for widget in data.get("widgets", ())
            if "func" in widget
        ]
    except ValueError as error:
        raise VisError(f"not JSON: {error}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise VisError(f"not a vis: {type(error).__name__}: {error}") from error
    return Vis(variables, _distinct(calls))


def _variable(item: Mapping[str, Any]) -> Variable:
    default = item.get("defaultValue")
    return Variable(
        name=item["name"],
        type=item.get("type", "PX_STRING"),
        default=None if default is None else str(default),
        description=item.get("description", ""),
        valid_values=tuple(map(str, item.get("validValues", ()))),
    )


def _call(func: Mapping[str, Any], output: str) -> Call:
    arguments = tuple(
        (arg["name"], "variable", arg["variable"]) if "variable" in arg else (arg["name"], "value", str(arg["value"]))
        for arg in func.get("args", ())
    )
    return Call(func["name"], output, arguments)


def _distinct(calls: list[Call]) -> tuple[Call, ...]:
    """Table names must differ; a repeated one gets a number."""
    taken: set[str] = set()
    out = []
    for call in calls:
        name, number = call.output, 1
        while name in taken:
            number += 1
            name = f"{call.output}_{number}"
        taken.add(name)
        out.append(Call(call.function, name, call.arguments))
    return tuple(out)
