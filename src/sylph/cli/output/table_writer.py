"""Aligned tables. On a terminal they fit its width and have colours; in a pipe they are whole and plain."""

from __future__ import annotations

import shutil
from typing import TextIO

from sylph.client.table_text import TableWriter
from sylph.client.terminal import uses_colour


def make(out: TextIO, whole: str = "-o json has all") -> TableWriter:
    """A writer of tables for `out`; `whole` says where columns are for which a terminal is too narrow."""
    columns = max(shutil.get_terminal_size().columns, 20) if out.isatty() else None
    return TableWriter(out, columns, colour=uses_colour(out), whole=whole)
