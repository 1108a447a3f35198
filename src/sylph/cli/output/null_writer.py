"""Reads an answer and drops it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from sylph.client.values import Column, Value


class NullWriter:
    """Writes nothing."""

    def table(self, name: str, columns: Sequence[Column]) -> None:
        """Drops it."""

    def rows(self, name: str, columns: Sequence[Sequence[Value]]) -> None:
        """Drops them."""

    def live(self, name: str) -> None:
        """Drops it."""

    def end(self, name: str) -> None:
        """Drops it."""


def make(_out: TextIO) -> NullWriter:
    """A writer that writes nothing."""
    return NullWriter()
