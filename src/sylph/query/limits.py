"""What one query may use."""

from __future__ import annotations

from dataclasses import dataclass

#: Streams that one engine runs at once.
STREAMS = 16
#: Rows of a result table that no script can go beyond.
MAX_ROWS = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one query; what they stop ends with an error that says so.

    `memory` bounds what the query itself needs (hash tables, sorts); the tables' own bytes are the store's.
    """

    #: Seconds from the moment it is asked, waiting included.
    timeout: float = 60.0
    #: Bytes.
    memory: int = 512 * 2**20
    #: Rows of each result table; the script's own cap holds too, if it is lower.
    max_rows: int = MAX_ROWS
