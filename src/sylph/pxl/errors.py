"""What is wrong with a script, where, and what to do about it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

#: No compilation reports more than this many errors.
MAX_REPORTED = 20
#: A source line longer than this is shown cut around the error.
_SHOWN_WIDTH = 160
#: A name of so many characters is also looked for within others.
_LONG_PART = 4


class Kind(StrEnum):
    """The area an error belongs to."""

    PARSER = "parser"
    MODULE = "module"
    IMPORT = "import"
    NAME = "name"
    CALL = "call"
    DEF = "def"
    ASSIGNMENT = "assignment"
    SUBSCRIPT = "subscript"
    OPERATOR = "operator"
    DATAFRAME = "dataframe"
    TYPE = "type"
    TIME = "time"
    METADATA = "metadata"
    EXEC_FUNCS = "exec_funcs"
    UPID = "upid"
    TRACING = "tracing"
    OTEL = "otel"
    PLAN = "plan"
    FLAG = "flag"
    LIMIT = "limit"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One error. `line` and `column` count from 1; both are 0 when the error is not in the script's text.

    `length` is how many characters of the line are meant. `calls` are the (function, line) calls that led there,
    outermost first.
    """

    line: int
    column: int
    message: str
    kind: Kind
    hint: str = ""
    length: int = 1
    calls: tuple[tuple[str, int], ...] = ()

    def render(self, lines: Sequence[str], name: str = "script") -> str:
        """The message with its source line and a caret; `lines` is the script's text by line."""
        out = [f"error: {self.message}"]
        if 1 <= self.line <= len(lines):
            gutter = " " * len(str(self.line))
            text, column = _window(lines[self.line - 1], self.column)
            length = max(1, min(self.length, len(text) - column + 1))
            out.append(f"{gutter}--> {name}:{self.line}:{self.column}")
            out.append(f"{gutter} |")
            out.append(f"{self.line} | {text}")
            out.append(f"{gutter} | {' ' * (column - 1)}{'^' * length}")
            out.extend(f"{gutter} = in {function}(), called at line {line}" for function, line in self.calls)
        else:
            gutter = ""
        if self.hint:
            out.append(f"{gutter} = help: {self.hint}" if gutter else f"help: {self.hint}")
        return "\n".join(out)


class CompileError(Exception):
    """A script that cannot be compiled. `errors` is never empty."""

    def __init__(self, errors: Sequence[Diagnostic], source: str = "") -> None:
        self.errors: tuple[Diagnostic, ...] = tuple(errors)
        self.source = source
        super().__init__(self.errors[0].message)

    def render(self, name: str = "script") -> str:
        """All errors as text for people; `name` is what the script is called."""
        lines = split_lines(self.source)
        return "\n\n".join(error.render(lines, name) for error in self.errors)

    def __str__(self) -> str:
        return self.render()


def split_lines(source: str) -> list[str]:
    r"""Lines as Python counts them (`str.splitlines` also breaks at \x0c and \u2028); no byte order mark."""
    return source.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")


def suggestion(name: str, known: Iterable[str]) -> str:
    """A hint that names what is closest to `name`; empty when nothing is close."""
    if len(name) > 100:
        return ""
    known = list(known)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if not close and len(name) >= _LONG_PART:
        # `status` for `resp_status`, `http` for `http_events`.
        close = sorted((each for each in known if name.lower() in each.lower()), key=len)[:3]
    return f"did you mean {_quoted(close)}?" if close else ""


def _quoted(names: Sequence[str]) -> str:
    return " or ".join(f"'{name}'" for name in names)


def listing(names: Iterable[str], limit: int = 12) -> str:
    """Names for a message, cut after `limit`."""
    names = list(names)
    shown = ", ".join(f"'{name}'" for name in names[:limit])
    return f"{shown} and {len(names) - limit} more" if len(names) > limit else shown


def _window(line: str, column: int) -> tuple[str, int]:
    column = max(1, min(column, len(line) + 1))
    text = line.replace("\t", " ")
    if len(text) <= _SHOWN_WIDTH:
        return text, column
    start = max(0, column - 1 - _SHOWN_WIDTH // 2)
    return text[start : start + _SHOWN_WIDTH], column - start
