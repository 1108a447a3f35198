"""What comment lines of a script set: flags, `#px:set name=value`; parameters, `#px:param name="value"`."""

from __future__ import annotations

from dataclasses import dataclass, field

from sylph.pxl import params
from sylph.pxl.errors import Diagnostic, Kind, split_lines, suggestion
from sylph.pxl.words import truth

_PREFIX = "#px:set"
_NAMES = ("explain", "analyze", "max_output_rows_per_table")


@dataclass(slots=True)
class Flags:
    """Flags of one query, and the values of the script's parameters."""

    explain: bool = False
    analyze: bool = False
    max_output_rows: int = 10_000
    params: dict[str, str] = field(default_factory=dict)


def parse_flags(source: str) -> tuple[Flags, list[Diagnostic]]:
    """Flags set in `source`, and what is wrong with the lines that set them."""
    flags = Flags()
    errors: list[Diagnostic] = []
    if "#px:" not in source:
        return flags, errors
    for number, line in enumerate(split_lines(source), 1):
        if line.startswith(_PREFIX):
            problem = _apply(flags, line[len(_PREFIX) :].rstrip())
            if problem:
                message, hint = problem
                errors.append(Diagnostic(number, 1, message, Kind.FLAG, hint, len(line)))
        elif line.startswith(params.PREFIX):
            value = params.parse_line(line)
            if value is None:
                hint = "write it as '#px:param name=\"value\"', with a JSON string"
                errors.append(Diagnostic(number, 1, "malformed parameter", Kind.FLAG, hint, len(line)))
            else:
                # What a client adds at the end is what counts.
                flags.params[value[0]] = value[1]
    return flags, errors


def _apply(flags: Flags, setting: str) -> tuple[str, str] | None:
    name, equals, value = setting[1:].partition("=")
    if not setting.startswith(" ") or not equals or not name.isidentifier() or not value:
        return "malformed query flag", "write it as '#px:set name=value', with one space after 'set'"
    if name == "max_output_rows_per_table":
        # Longer digits would not fit 64 bits.
        if not value.isascii() or not value.isdigit() or len(value) > 18:
            return f"flag '{name}' needs a whole number, not '{value[:40]}'", ""
        flags.max_output_rows = int(value)
    elif name in {"explain", "analyze"}:
        chosen = truth(value)
        if chosen is None:
            return f"flag '{name}' needs true or false, not '{value[:40]}'", ""
        setattr(flags, name, chosen)
    else:
        return f"unknown query flag '{name[:60]}'", suggestion(name, _NAMES) or f"flags are {', '.join(_NAMES)}"
    return None
