"""PxL as a literal in a program or a notebook's cell: where its lines stand there."""

from __future__ import annotations

import linecache
import sys
from dataclasses import dataclass

from sylph.client.errors import SYLPH, ErrorAt, Problem, shown_file


@dataclass(frozen=True, slots=True)
class Literal:
    """A text that the program at `path` may have between quotes, as it is or with \\n for the ends of lines."""

    text: str
    path: str

    def problem(self, error: ErrorAt) -> Problem | None:
        """An error of the text where it stands; None if that is not known, or not in one place only."""
        source = "".join(linecache.getlines(self.path))
        lines = self.text.split("\n")
        for newline in ("\n", r"\n"):
            written = newline.join(lines)
            at = source.find(written)
            end = at + len(written)
            quoted = at > 0 and source[at - 1] in "'\"" and source[end : end + 1] in {"'", '"'}
            if not quoted or not 1 <= error.line <= len(lines) or source.find(written, at + 1) >= 0:
                continue
            at += sum(len(line) + len(newline) for line in lines[: error.line - 1]) + max(error.column - 1, 0)
            start = source.rfind("\n", 0, at) + 1
            text = source[start:].partition("\n")[0]
            line = source.count("\n", 0, at) + 1
            return Problem(shown_file(self.path), line, at - start + 1, error.message, error.hint, text)
        return None


def literal(text: str) -> Literal:
    """A text that was given to Sylph just now, by the program that called it."""
    frame = sys._getframe()
    while frame.f_back is not None and frame.f_code.co_filename.startswith(SYLPH):
        frame = frame.f_back
    return Literal(text, frame.f_code.co_filename)
