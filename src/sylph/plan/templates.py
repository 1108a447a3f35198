"""SQL templates of functions: parsed once, filled in as text.

A template is a format string: `{0}` is the first argument, `{name}` a constant of the node that runs it
(see `CONSTANTS`), `{*}` all arguments joined by commas, `{{` and `}}` are braces.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from string import Formatter

from sylph.plan.errors import PlanError
from sylph.tables.types import DataType

#: What a node knows of itself, and templates may use.
CONSTANTS: Mapping[str, DataType] = {
    "asid": DataType.INT64,
    "hostname": DataType.STRING,
    "num_cpus": DataType.INT64,
    "vizier_id": DataType.STRING,
    "vizier_name": DataType.STRING,
    "vizier_namespace": DataType.STRING,
    "cidrs": DataType.STRING,
}


@lru_cache(maxsize=4096)
def parse(template: str) -> tuple[str | int, ...]:
    """Text pieces and fields in turn: an int is an argument's position, a str at an odd place a constant's name."""
    pieces: list[str | int] = []
    for text, name, _, _ in Formatter().parse(template):
        pieces.append(text)
        if name is not None:
            pieces.append(int(name) if name.isdigit() else name)
    return tuple(pieces)


def uses(template: str, count: int) -> list[int]:
    """How often the template repeats each of `count` arguments."""
    times = [0] * count
    for piece in parse(template)[1::2]:
        if piece == "*":
            times = [n + 1 for n in times]
        elif isinstance(piece, int) and piece < count:
            times[piece] += 1
    return times


def fill(template: str, args: Sequence[str], constants: Mapping[str, str]) -> str:
    """The template with arguments and constants (both SQL text) in place."""
    out: list[str] = []
    for place, piece in enumerate(parse(template)):
        if place % 2 == 0:
            out.append(str(piece))
        elif isinstance(piece, int):
            if piece >= len(args):
                raise PlanError(f"template {template!r} wants argument {piece} of {len(args)}")
            out.append(args[piece])
        elif piece == "*":
            out.append(", ".join(args))
        elif piece in constants:
            out.append(constants[piece])
        else:
            raise PlanError(f"template {template!r} wants the unknown constant {piece!r}")
    return "".join(out)
