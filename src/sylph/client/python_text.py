"""PxL as a literal in a program or a notebook's cell: where its lines stand there."""

from __future__ import annotations

import linecache
import sys
from dataclasses import dataclass

from sylph.client.errors import SYLPH, ErrorAt, Problem, shown_file


@dataclass(frozen=True, slots=True)
class Literal:
    """A text that the program at `path` may have written as it is, between quotes."""

    text: str
    path: str

    def problem(self, error: ErrorAt) -> Problem | None:
        """An error of the text where it stands; None if that is not known, or not in one place only."""
        lines = linecache.getlines(self.path)
        source = "".join(lines)
        at = source.find(self.text)
        end = at + len(self.text)
        quoted = at > 0 and source[at - 1] in "'\"" and source[end : end + 1] in {"'", '"'}
        if not error.line or not quoted or source.find(self.text, at + 1) >= 0:
            return None
        before = source.count("\n", 0, at)
        line = before + error.line
        column = error.column + (at - source.rfind("\n", 0, at) - 1 if error.line == 1 else 0)
        text = lines[line - 1].rstrip("\n")
        return Problem(shown_file(self.path), line, column, error.message, error.hint, text)


def literal(text: str) -> Literal:
    """A text that was given to Sylph just now, by the program that called it."""
    frame = sys._getframe()
    while frame.f_back is not None and frame.f_code.co_filename.startswith(SYLPH):
        frame = frame.f_back
    return Literal(text, frame.f_code.co_filename)
