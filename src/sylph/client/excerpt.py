"""Errors of a script with the line they mean and a caret under it."""

from __future__ import annotations

from collections.abc import Sequence

from sylph.client.errors import ErrorAt, Problem
from sylph.client.terminal import paint
from sylph.client.text import escape, width


def render(errors: Sequence[ErrorAt], source: str, name: str, *, colour: bool) -> str:
    """All errors of the script `name`, one below the other."""
    lines = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    texts = []
    for error in errors:
        message, _, hint = error.message.partition("\nhelp: ")
        text = lines[error.line - 1] if 1 <= error.line <= len(lines) else None
        texts.append(render_one(Problem(name, error.line, error.column, message, hint, text), colour=colour))
    return "\n\n".join(texts)


def render_one(problem: Problem, *, colour: bool = False) -> str:
    """One error."""
    out = [f"{paint('error:', 'red', on=colour)} {_block(problem.message)}"]
    if problem.text is not None:
        text = problem.text.rstrip()
        number = str(problem.line)
        margin = " " * len(number)
        before = text[: max(0, problem.column - 1)]
        out.append(f"{margin}--> {escape(problem.file)} L{number} : C{problem.column}")
        out.append(f"{margin} |")
        out.append(f"{number} | {escape(text.replace(chr(9), ' '))}")
        caret = " " * width(escape(before.replace("\t", " "))) + "^"
        out.append(f"{margin} | {paint(caret, 'red', on=colour)}")
    if problem.hint:
        out.append(f"{paint('help:', 'cyan', on=colour)} {_block(problem.hint)}")
    return "\n".join(out)


def _block(text: str) -> str:
    return "\n".join(escape(line) for line in text.split("\n"))
