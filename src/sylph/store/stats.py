"""Figures of a table in the store."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TableStats:
    """One table. Sizes in bytes; `*_added` and `*_expired` count since the start; times in ns, -1 when unknown.

    Expired rows are the oldest ones, gone because their share was full; what was lost otherwise is a `Loss`.
    `hot_bytes` and `cold_bytes` include what is gone but still held by a snapshot. `pending_rows` wait in memory
    for a segment; `journal_rows` of them are safe in the journal.
    """

    name: str
    id: int
    rows: int
    hot_rows: int
    cold_rows: int
    hot_bytes: int
    cold_bytes: int
    batches: int
    segments: int
    rows_added: int
    bytes_added: int
    batches_added: int
    rows_expired: int
    bytes_expired: int
    batches_expired: int
    compacted_batches: int
    rows_lost: int
    bytes_lost: int
    pending_rows: int
    journal_rows: int
    max_hot_bytes: int
    max_cold_bytes: int
    min_time: int
    max_time: int
