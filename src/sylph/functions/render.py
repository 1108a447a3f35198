"""Which template of an overload fits the arguments of a call."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sylph.functions.declare import Overload

#: A column, perhaps qualified, or a literal: repeating one costs nothing.
_SIMPLE = re.compile(
    r"""(?:[A-Za-z_][A-Za-z0-9_]*\.)? (?: "(?:[^"]|"")*" | [A-Za-z_][A-Za-z0-9_]* )"""
    r"""| \(?-?[0-9][0-9.eE+-]*\)?(?:::[A-Z]+)? | '(?:[^']|'')*' """,
    re.VERBOSE,
)


def template(overload: Overload, arguments: Sequence[str]) -> str:
    """The template to fill for a call with these arguments (SQL text, init arguments first).

    A kernel is called as a SQL function. Raises ValueError for a look-up, which is a join and no expression.
    """
    if overload.kernel is not None:
        return f"{overload.kernel}({', '.join(f'{{{place}}}' for place in range(len(arguments)))})"
    if overload.sql is None:
        raise ValueError("a look-up is a join, not an expression")
    if overload.fast is not None and all(_SIMPLE.fullmatch(argument) for argument in arguments):
        return overload.fast
    return overload.sql
