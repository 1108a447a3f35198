"""Rows of a time range among batches in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


def within(batches: Iterable[pa.RecordBatch], start: int | None, end: int | None) -> Iterator[pa.RecordBatch]:
    """The rows with `start` <= time_ <= `end` (ns), in their order. Only what a bound cuts out of a batch is copied.

    A statement could say it, but it would be another statement for every range.
    """
    if start is None and end is None:
        yield from batches
        return
    import pyarrow.compute as pc

    for batch in batches:
        times = batch.column("time_")
        low, high = pc.min_max(times).values()
        low, high = low.as_py(), high.as_py()
        if low is None or (start is not None and high < start) or (end is not None and low > end):
            continue
        early, late = start is not None and low < start, end is not None and high > end
        if not early and not late:
            yield batch
            continue
        inside = pc.greater_equal(times, start) if early else None
        if late:
            before = pc.less_equal(times, end)
            inside = before if inside is None else pc.and_(inside, before)
        yield batch.filter(inside)
