"""Errors of a script with the line they mean and a caret under it."""

from __future__ import annotations

from collections.abc import Iterable

from sylph.client.errors import ErrorAt, Problem
from sylph.client.terminal import paint
from sylph.client.text import escape, width


def in_source(error: ErrorAt, source: str, name: str) -> Problem:
    """An error of the script `name` with its line."""
    # Here, so that `px` does not wait for the compiler when it starts.
    from sylph.pxl.errors import split_lines

    lines = split_lines(source)
    text = lines[error.line - 1] if 1 <= error.line <= len(lines) else None
    return Problem(name, error.line, error.column, error.message, error.hint, text)


def render(problems: Iterable[Problem], *, colour: bool = False) -> str:
    """All errors, one below the other."""
    return "\n\n".join(render_one(problem, colour=colour) for problem in problems)


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
