"""How `px` ends when it cannot do what was asked."""

from __future__ import annotations

import sys
from typing import IO, Any, TextIO, cast

import click

from sylph.client.terminal import paint, uses_colour
from sylph.client.text import escape


def _lines(text: str) -> str:
    """Text from scripts, files or the agent, made safe; line breaks are meant."""
    return "\n".join(escape(line) for line in text.split("\n"))


class Failure(click.ClickException):
    """Ends `px` with exit code 1 and a message; `hint` says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def show(self, file: IO[Any] | None = None) -> None:
        """Writes the message to standard error."""
        stream = cast("TextIO", file or sys.stderr)
        colour = uses_colour(stream)
        stream.write(f"{paint('error:', 'red', on=colour)} {_lines(self.message)}\n")
        if self.hint:
            stream.write(f"{paint('help:', 'cyan', on=colour)} {_lines(self.hint)}\n")


class Reported(click.ClickException):
    """Ends `px` with exit code 1; all has been said already."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Says nothing."""


def say(text: str) -> None:
    """Writes a line to standard error, where all but the answer goes."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
