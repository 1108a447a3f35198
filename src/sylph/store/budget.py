"""How one byte budget is divided among tables."""

from __future__ import annotations

from collections.abc import Iterable

from sylph.tables.declare import Table


def snapshot_part(memory: int) -> int:
    """Bytes of the memory budget that tables leave, so that rows still come in while snapshots hold evicted ones."""
    return memory // 8


def divide(tables: Iterable[Table], total: int) -> dict[str, int]:
    """Bytes of `total` for each table: its own share, or an equal part of what the shares leave.

    Shares that add up to more than 1 are scaled down together; the parts never add up to more than `total`.
    """
    tables = list(tables)
    stated = sum(table.share for table in tables if table.share is not None)
    equal = sum(1 for table in tables if table.share is None)
    # A table without a share still gets something when the stated shares leave nothing.
    scale = 1.0 if stated <= 1.0 and not (equal and stated == 1.0) else (0.8 if equal else 1.0) / stated
    rest = (1.0 - stated * scale) / equal if equal else 0.0
    return {table.name: int(total * (rest if table.share is None else table.share * scale)) for table in tables}
