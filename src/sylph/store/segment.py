"""A segment: finished rows of one table in one Parquet file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_NAME = re.compile(r"(?P<table>[A-Za-z_][A-Za-z0-9_.]*?)\.(?P<first>\d{20})-(?P<end>\d{20})\.parquet")

#: Files take whole blocks of the disk.
BLOCK = 4096


@dataclass(slots=True, eq=False)
class Segment:
    """Rows `first` to `end` (exclusive; ids as in `HotBatch`) of a table. Its columns are the table's, in order.

    `min_time` and `max_time` are inclusive, ns; `size` is the bytes it takes on disk. An `outdated` one has the columns
    of an older declaration: it is rewritten before anybody sees it.
    """

    path: Path
    rows: int
    min_time: int
    max_time: int
    first: int
    end: int
    size: int
    pins: int = 0
    retired: bool = False
    outdated: bool = False


def on_disk(size: int) -> int:
    """Bytes that a file of `size` bytes takes."""
    return -(-size // BLOCK) * BLOCK


def file_name(table: str, first: int, end: int) -> str:
    """Name of the segment that holds rows `first` to `end` of `table`."""
    return f"{table}.{first:020d}-{end:020d}.parquet"


def parse_name(name: str) -> tuple[str, int, int] | None:
    """Table and row ids from a file name; None if it is not a segment's."""
    match = _NAME.fullmatch(name)
    if match is None or int(match["first"]) >= int(match["end"]):
        return None
    return match["table"], int(match["first"]), int(match["end"])
