"""One query on one connection: its statements run in turn, their rows come out in batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Self

from sylph.plan.literals import quote
from sylph.plan.nodes import Limit, Sink
from sylph.plan.share import Share
from sylph.query.answer import Rows
from sylph.query.arrow import Shape
from sylph.query.scan import Scans
from sylph.query.steps import Steps, most_rows
from sylph.query.watch import Watched

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

#: Rows of a result batch.
BATCH_ROWS = 16_384


class Run:
    """Runs the steps of a query on a cursor of its instance. Raises QueryError and duckdb.Error."""

    def __init__(
        self,
        instance: duckdb.DuckDBPyConnection,
        cursor: duckdb.DuckDBPyConnection,
        scans: Scans,
        steps: Steps,
        watched: Watched,
    ) -> None:
        self._instance = instance
        self._cursor = cursor
        self._scans = scans
        self._steps = steps
        self._watched = watched

    def keep(self, share: Share) -> None:
        """Keep the rows of a share as a table, unless they are too many: then each reader computes them."""
        import duckdb

        most = most_rows(share, self._watched.limits.memory)
        name = quote(share.name)
        text = f"CREATE TEMP TABLE {name} AS FROM ({self._text(share)}) LIMIT {most + 1}"
        try:
            made = self._cursor.execute(text).fetchone()
        except duckdb.OutOfMemoryException:
            self._steps.give_up(share)
            return
        if made is None or made[0] > most:
            self._cursor.execute(f"DROP TABLE {name}")
            self._steps.give_up(share)
        else:
            self._scans.keep(share.name)

    def rows(self, sink: Sink) -> Iterator[Rows]:
        """The sink's rows in batches of some thousands. At least one batch, of which the last says so."""
        self._watched.check()
        self._watched.table = sink.name
        text = self._text(sink)
        shape = Shape(sink.input.relation)
        held: list[pa.RecordBatch] = []
        rows = 0
        few = isinstance(sink.input, Limit) and sink.input.rows <= BATCH_ROWS
        with _Answer(self._cursor, text, few=few) as found:
            for batch in found.batches:
                if rows + batch.num_rows > BATCH_ROWS:
                    yield Rows(sink.name, shape.join(held, found.schema))
                    self._watched.check()
                    held, rows = [], 0
                held.append(shape.batch(batch))
                rows += batch.num_rows
        yield Rows(sink.name, shape.join(held, found.schema), last=True)

    def _text(self, step: Share | Sink) -> str:
        query = self._steps.of(step)
        text = query.text(self._scans.bind(self._cursor, query))
        if "px_" in text:
            # Kernels need numpy, which nothing else here does. DuckDB forgets, but still calls, what a
            # connection gave it that is closed: they belong to the instance.
            import_module("sylph.functions.kernels").install(self._instance, text)
        return text


class _Answer:
    """A statement's rows as Arrow. Few are taken at once: to hand them over one by one costs more than they do.

    DuckDB's own relations bind every statement twice, once for its columns' types and once to run it, which is most of
    what a small query costs. The layer under them binds once.
    """

    def __init__(self, cursor: duckdb.DuckDBPyConnection, text: str, *, few: bool) -> None:
        from duckdb import _seam

        result = _seam.submit(cursor, text, None, "arrow" if few else "stream", BATCH_ROWS)
        self._reader: pa.RecordBatchReader | None = None
        self.batches: Iterable[pa.RecordBatch]
        if few:
            table: pa.Table = result.arrow_table()
            self.schema: pa.Schema = table.schema
            self.batches = table.to_batches()
        else:
            self._reader = result.arrow_reader()
            self.schema = self._reader.schema
            self.batches = self._reader

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._reader is not None:
            self._reader.close()
