"""Record batches on their way into memory: checked, measured, compacted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

#: What Arrow and Python hold per column of a batch beside its buffers (measured: 430 bytes).
COLUMN_OVERHEAD = 512

#: Time ranges of a table without time_: it overlaps every question.
ALWAYS = (-(1 << 63), (1 << 63) - 1)


@dataclass(slots=True, eq=False)
class HotBatch:
    """A batch in memory. `first` is the id of its first row: ids count the rows of a table, in order of arrival."""

    data: pa.RecordBatch
    size: int
    min_time: int
    max_time: int
    first: int = 0
    pins: int = 0
    evicted: bool = False

    @property
    def rows(self) -> int:
        """Number of rows."""
        return int(self.data.num_rows)

    @property
    def end(self) -> int:
        """One past the id of its last row."""
        return self.first + int(self.data.num_rows)


def admit(batch: pa.RecordBatch, schema: pa.Schema, table: str) -> HotBatch:
    """Check a batch against its table's schema and measure it. Nothing is copied, unless it is a slice of more.

    Raises ValueError naming the column that differs.
    """
    if not batch.schema.equals(schema):
        batch = _conform(batch, schema, table)
    if _is_slice(batch):
        batch = copied(batch)
    return measured(batch)


def measured(batch: pa.RecordBatch) -> HotBatch:
    """A batch with its size in bytes and time range; buffers shared within the batch are counted once."""
    size = batch.get_total_buffer_size() + COLUMN_OVERHEAD * batch.num_columns
    low, high = ALWAYS
    if batch.num_rows and (column := batch.schema.get_field_index("time_")) >= 0:
        extremes = pc.min_max(batch.column(column))
        low, high = extremes["min"].as_py(), extremes["max"].as_py()
    return HotBatch(batch, size, low, high)


def copied(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The same rows in buffers of their own, so that what they were cut from can be freed."""
    return pa.ipc.read_record_batch(batch.serialize(), batch.schema)


def compacted(batches: Sequence[HotBatch]) -> HotBatch:
    """One batch of the rows of several neighbours."""
    joined = measured(pa.concat_batches([batch.data for batch in batches]))
    joined.first = batches[0].first
    joined.min_time = min(batch.min_time for batch in batches)
    joined.max_time = max(batch.max_time for batch in batches)
    return joined


def _is_slice(batch: pa.RecordBatch) -> bool:
    """Whether buffers hold more than the batch shows, judged by its first fixed-width column."""
    for index, field in enumerate(batch.schema):
        try:
            width = field.type.bit_width
        except ValueError:
            continue
        values = batch.column(index).buffers()[-1]
        needed = math.ceil(width * batch.num_rows / 8)
        return values is not None and values.size > 2 * needed + 64
    return bool(batch.get_total_buffer_size() > 2 * batch.nbytes + 64 * batch.num_columns)


def _conform(batch: pa.RecordBatch, schema: pa.Schema, table: str) -> pa.RecordBatch:
    """The batch under the declared schema if only nullability flags differ and nothing is null."""
    if batch.schema.names != schema.names:
        missing = [name for name in schema.names if name not in batch.schema.names]
        extra = [name for name in batch.schema.names if name not in schema.names]
        what = f"missing {missing}, unknown {extra}" if missing or extra else "in another order"
        raise ValueError(f"batch for table {table!r}: columns differ from the declaration: {what}")
    for field, given, column in zip(schema, batch.schema, batch.columns, strict=True):
        if given.type != field.type:
            raise ValueError(
                f"batch for table {table!r}: column {field.name!r} is {given.type}, the declaration says {field.type}"
            )
        if column.null_count:
            raise ValueError(f"batch for table {table!r}: column {field.name!r} holds {column.null_count} nulls")
    return pa.RecordBatch.from_arrays(batch.columns, schema=schema)
