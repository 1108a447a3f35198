"""Arrow IPC streams on standard output, one a table, each behind the other; the schema's metadata names the table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from sylph.cli.failure import Failure
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
        self._live: tuple[str, pa.RecordBatchStreamWriter] | None = None

    def table(self, name: str, columns: Sequence[Column]) -> None:
        """Begins a table: times are timestamp[ns, UTC], UINT128 is arrow.uuid."""
        self._schemas[name] = schema_of(name, columns)
        self._batches[name] = []

    def rows(self, name: str, columns: Sequence[Sequence[Value]]) -> None:
        """Keeps rows."""
        self._batches[name].append(batch_of(self._schemas[name], columns))

    def live(self, name: str) -> None:
        """Writes the rows that came. Raises Failure for a second table of this kind: their streams would mix."""
        import pyarrow as pa

        if self._live is None:
            self._live = (name, pa.ipc.new_stream(self._out, self._schemas[name]))
        if self._live[0] != name:
            raise Failure(
                f"{self._live[0]!r} and {name!r} are both streams, and arrow is one table after the other",
                "take one of them out of the script, or use -o json",
            )
        for batch in self._batches[name]:
            self._live[1].write_batch(batch)
        self._batches[name].clear()
        self._out.flush()

    def end(self, name: str) -> None:
        """Writes the table's stream."""
        import pyarrow as pa

        if self._live is not None and self._live[0] == name:
            self.live(name)
            self._live[1].close()
            self._live = None
            self._out.flush()
            return
        with pa.ipc.new_stream(self._out, self._schemas.pop(name)) as stream:
            for batch in self._batches.pop(name):
                stream.write_batch(batch)
        self._out.flush()


def make(out: TextIO) -> ArrowWriter:
    """A writer of Arrow IPC streams."""
    return ArrowWriter(out)
