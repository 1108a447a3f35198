"""One query on one connection: its statements run in turn, their rows come out in batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Self

from sylph.functions.digest import NAME
from sylph.plan.literals import quote
from sylph.plan.nodes import Limit, Sink
from sylph.plan.share import Share
from sylph.query.answer import Rows
from sylph.query.arrow import Shape
from sylph.query.duck import Instance
from sylph.query.scan import Asked, Scans
from sylph.query.states import digest_columns, lightened
from sylph.query.steps import Steps, most_rows
from sylph.query.watch import Watched

if TYPE_CHECKING:
    import pyarrow as pa

#: Rows of a result batch.
BATCH_ROWS = 16_384
#: Statements of which it is noted that their rows are many.
_MOST_NOTED = 1_000


class Run:
    """Runs the steps of a query on its instance. Raises QueryError and duckdb.Error."""

    def __init__(
        self,
        instance: Instance,
        scans: Scans,
        steps: Steps,
        watched: Watched,
    ) -> None:
        self._instance = instance
        self._scans = scans
        self._steps = steps
        self._watched = watched

    def keep(self, share: Share) -> None:
        """Keep the rows of a share, unless they are too many: then each reader computes them."""
        import duckdb

        asked = self._asked(share)
        ready, key = self._instance.ready, hash(asked.text)
        try:
            kept = key not in ready.long and self._keep_few(share, asked)
            if not kept:
                if len(ready.long) >= _MOST_NOTED:
                    ready.long.clear()
                ready.long.add(key)
                kept = self._keep_many(share, asked.text)
        except duckdb.OutOfMemoryException:
            kept = False
        if not kept:
            self._steps.give_up(share)

    def _keep_few(self, share: Share, asked: Asked) -> bool:
        """Keep them as a view. A table would be another one with each query: what reads it could not stay prepared."""
        import pyarrow as pa

        first = replace(asked, text=f"FROM ({asked.text}) LIMIT {BATCH_ROWS + 1}")
        with _Answer(self._instance, first, few=True) as found:
            rows = pa.Table.from_batches(found.batches, found.schema)
        if rows.num_rows > BATCH_ROWS:
            return False
        self._scans.keep(self._instance.ready, share.name, rows)
        return True

    def _keep_many(self, share: Share, text: str) -> bool:
        """Keep them as a table, whose bytes count in the query's memory."""
        most = most_rows(share, self._watched.limits.memory)
        connection, name = self._instance.connection, quote(share.name)
        self._instance.ready.drop(share.name)
        self._instance.tables.append(share.name)
        ((made,),) = connection.execute(f"CREATE TEMP TABLE {name} AS FROM ({text}) LIMIT {most + 1}").fetchall()
        if made > most:
            connection.execute(f"DROP TABLE {name}")
            return False
        self._scans.keep(self._instance.ready, share.name, None)
        return True

    def rows(self, sink: Sink) -> Iterator[Rows]:
        """The sink's rows in batches of some thousands. At least one batch, of which the last says so."""
        self._watched.check()
        self._watched.table = sink.name
        asked = self._asked(sink)
        shape, digests = Shape(sink.input.relation), digest_columns(sink.input)
        held: list[pa.RecordBatch] = []
        rows = 0
        few = isinstance(sink.input, Limit) and sink.input.rows <= BATCH_ROWS
        with _Answer(self._instance, asked, few=few) as found:
            for batch in found.batches:
                if rows + batch.num_rows > BATCH_ROWS:
                    yield Rows(sink.name, lightened(shape.join(held, found.schema), digests))
                    self._watched.check()
                    held, rows = [], 0
                held.append(shape.batch(batch))
                rows += batch.num_rows
        yield Rows(sink.name, lightened(shape.join(held, found.schema), digests), last=True)

    def _asked(self, step: Share | Sink) -> Asked:
        query = self._steps.of(step)
        asked = self._scans.bind(self._instance.ready, query)
        if "px_" in asked.text:
            # Kernels need numpy, which nothing else here does.
            import_module("sylph.functions.kernels").install(self._instance.connection, asked.text)
        self._instance.digests |= NAME in asked.text
        return asked


class _Answer:
    """A statement's rows as Arrow. Few are taken at once: to hand them over one by one costs more than they do.

    DuckDB's own relations bind every statement twice, once for its columns' types and once to run it, which is most of
    what a small query costs. The layer under them binds once, and what is prepared not at all.
    """

    def __init__(self, instance: Instance, asked: Asked, *, few: bool) -> None:
        from duckdb import _seam

        form = "arrow" if few else "stream"
        if asked.views is None:
            result = _seam.submit(instance.connection, asked.text, None, form, BATCH_ROWS)
        else:
            result = instance.ready.submit(asked.text, asked.views, form, BATCH_ROWS)
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
