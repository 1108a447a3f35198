"""What can go wrong for a client, as exceptions with a message to act on."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

#: What the paths of the package's own code begin with.
SYLPH = f"{Path(__file__).parents[1]}/"


def shown_file(path: str) -> str:
    """A source file's name as people know it: a notebook's cell by its number."""
    if "IPython" in sys.modules:
        shell = sys.modules["IPython"].get_ipython()
        names = getattr(getattr(shell, "compile", None), "format_code_name", None)
        if names is not None and (label := names(path)):
            return " ".join(label)
    return path


class SylphError(Exception):
    """Something that was asked for could not be done; `hint` says what to do, "" when nothing is known."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\nhelp: {self.hint}" if self.hint else self.message

    def _render_traceback_(self) -> list[str]:
        """What IPython shows for it: the callers' lines, and the message, without lines of Sylph's own."""
        lines = []
        for frame in traceback.extract_tb(self.__traceback__):
            if not frame.filename.startswith(SYLPH) and "IPython" not in Path(frame.filename).parts:
                lines += [f"{shown_file(frame.filename)}, line {frame.lineno}", f"    {frame.line}"]
        return [*lines, f"{type(self).__name__}: {self}"]


class AgentUnavailable(SylphError):  # noqa: N818  (says what is, as ConnectionRefused does)
    """No agent answers, or one does not let this user in."""


class QueryFailed(SylphError):  # noqa: N818
    """A query that ended with an error; `code` is gRPC's."""

    def __init__(self, code: int, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.code = code


@dataclass(frozen=True, slots=True)
class ErrorAt:
    """One error of a script; line and column count from 1 and are 0 where there is none."""

    line: int
    column: int
    message: str
    hint: str = ""


class ScriptErrors(Exception):  # noqa: N818  (it holds several)
    """A script that does not compile, as the agent tells it."""

    def __init__(self, errors: Sequence[ErrorAt]) -> None:
        super().__init__(errors[0].message)
        self.errors = errors


class AnswerWarning(UserWarning):
    """An answer that is not whole, and why."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One error of a script where people find it: `file` may be a notebook's cell, `text` is the whole line.

    Line and column count from 1; they are 0, and `text` is None, for an error that is in no line.
    """

    file: str
    line: int
    column: int
    message: str
    hint: str = ""
    text: str | None = None


class CompileError(SylphError):
    """A script that does not compile. `errors` holds everything found wrong, never empty."""

    def __init__(self, errors: Sequence[Problem], text: str) -> None:
        super().__init__(text)
        self.errors: tuple[Problem, ...] = tuple(errors)
