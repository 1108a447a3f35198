"""What the store could not keep, by table and cause."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """Why rows are missing, or what went wrong on disk."""

    BUDGET = "budget"
    """Dropped from memory before they could be written, or never fitted."""
    TORN_SEGMENT = "torn_segment"
    """A file of ours that is torn, corrupt, vanished or of an unknown layout."""
    DISK_ERROR = "disk_error"
    """Dropped from memory while the disk could not be written (0 rows: an error without loss so far)."""
    FOREIGN_FILE = "foreign_file"
    """A file in the directory that is not ours; left alone."""
    INVALID = "invalid"
    """Rows that their own schema forbids, found when they were encoded."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Rows and bytes lost since the last call of `Store.take_losses`; `table` is empty when no table can be named.

    `rows` is 0 where nothing was lost or the number is not known; `detail` is the last message for this cause.
    """

    table: str
    cause: Cause
    rows: int
    bytes: int
    detail: str


class LossLog:
    """Thread-safe sums of losses; as large as tables times causes, never larger."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sums: dict[tuple[str, Cause], Loss] = {}

    def add(self, table: str, cause: Cause, rows: int = 0, size: int = 0, detail: str = "") -> None:
        """Count a loss of `rows` rows and `size` bytes."""
        with self._lock:
            old = self._sums.get((table, cause))
            if old is not None:
                rows, size, detail = old.rows + rows, old.bytes + size, detail or old.detail
            self._sums[table, cause] = Loss(table, cause, rows, size, detail)

    def take(self) -> list[Loss]:
        """Everything counted since the last call."""
        with self._lock:
            taken = list(self._sums.values())
            self._sums.clear()
        return taken
