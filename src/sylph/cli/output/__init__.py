"""How answers are written to standard output: one file a format."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Protocol, TextIO

from sylph.client.values import Column, Value

#: Formats that `-o` takes.
FORMATS = ("table", "json", "csv", "arrow", "null")


class Writer(Protocol):
    """Receives an answer: every table, then rows, then an end of each table."""

    def table(self, name: str, columns: Sequence[Column]) -> None:
        """Announces a table."""
        ...

    def rows(self, name: str, columns: Sequence[Sequence[Value]]) -> None:
        """Takes some rows of a table, column by column."""
        ...

    def live(self, name: str) -> None:
        """Shows what came of a table that is a stream: the next rows may come at any time, or never."""
        ...

    def end(self, name: str) -> None:
        """Takes the end of a table."""
        ...


def make_writer(format_name: str, out: TextIO) -> Writer:
    """The writer of a format in FORMATS."""
    module = importlib.import_module(f"sylph.cli.output.{format_name}_writer")
    writer: Writer = module.make(out)
    return writer
