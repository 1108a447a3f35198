"""Arrow IPC streams on standard output, one a table, each behind the other; the schema's metadata names the table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from sylph.client.arrow import batch_of, schema_of
from sylph.client.values import Column, Value

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
        self._schemas[name] = schema_of(name, columns)
        self._batches[name] = []

    def rows(self, name: str, columns: Sequence[Sequence[Value]]) -> None:
        """Keeps rows."""
        self._batches[name].append(batch_of(self._schemas[name], columns))

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
