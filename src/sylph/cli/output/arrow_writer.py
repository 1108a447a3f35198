"""Arrow IPC streams on standard output, one a table, each behind the other; the schema's metadata names the table."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from sylph.client.values import Column, Value, is_time
from sylph.tables.types import DataType

if TYPE_CHECKING:
    import pyarrow as pa


class ArrowWriter:
    """Keeps a table's batches until its end, since streams must not interleave."""

    def __init__(self, out: TextIO) -> None:
        self._out = out.buffer
        self._schemas: dict[str, pa.Schema] = {}
        self._batches: dict[str, list[pa.RecordBatch]] = {}

    def table(self, name: str, columns: Sequence[Column]) -> None:
        """Begins a table: times are timestamp[ns, UTC], UINT128 is arrow.uuid."""
        import pyarrow as pa

        types = {
            DataType.BOOLEAN: pa.bool_(),
            DataType.INT64: pa.int64(),
            DataType.UINT128: pa.uuid(),
            DataType.FLOAT64: pa.float64(),
            DataType.STRING: pa.string(),
            DataType.TIME64NS: pa.timestamp("ns", "UTC"),
        }
        fields = [
            pa.field(column.name, types[DataType.TIME64NS if is_time(column) else DataType(column.data)])
            for column in columns
        ]
        self._schemas[name] = pa.schema(fields, metadata={b"table": name.encode()})
        self._batches[name] = []

    def rows(self, name: str, columns: Sequence[Sequence[Value]]) -> None:
        """Keeps rows."""
        import pyarrow as pa

        schema = self._schemas[name]
        arrays = [
            pa.array([uuid.UUID(str(value)).bytes for value in values], pa.binary(16)).cast(field.type)
            if field.type == pa.uuid()
            else pa.array(values, field.type)
            for field, values in zip(schema, columns, strict=True)
        ]
        self._batches[name].append(pa.RecordBatch.from_arrays(arrays, schema=schema))

    def end(self, name: str) -> None:
        """Writes the table's stream."""
        import pyarrow as pa

        with pa.ipc.new_stream(self._out, self._schemas.pop(name)) as stream:
            for batch in self._batches.pop(name):
                stream.write_batch(batch)
        self._out.flush()


def make(out: TextIO) -> ArrowWriter:
    """A writer of Arrow IPC streams."""
    return ArrowWriter(out)
