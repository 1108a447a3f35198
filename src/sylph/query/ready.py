"""Statements that stay ready to run, over relations whose rows change from one query to the next.

To parse, bind and optimise a statement costs DuckDB several milliseconds, mostly more than a small query's rows. What
refreshes, streams and many clients ask is the same text each time: a connection keeps the last ones prepared. They read
views over sources of ours, and a query only puts its rows into these.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

#: Statements that a connection keeps, and views; one more view than that and all are made anew.
STATEMENTS = 32
VIEWS = 256
#: Longest text that is kept, in characters.
LONGEST = 65_536
#: What is left of a query is looked at when it took so long, s: to look takes a tenth of what a short one does.
_LONG = 0.02
#: Bytes that may be left of queries in the plans of their statements: hash tables that a limit did not read to the end.
RETAINED = 8 << 20
_USED = "SELECT coalesce(sum(memory_usage_bytes), 0)::BIGINT FROM duckdb_memory()"
#: A plan is made for a number of rows. It is kept for numbers that differ by less than this power of two.
_STEP = 3


#: A text, and the views that it reads with the sizes that its plan was made for.
_Key = tuple[str, tuple[tuple[str, int], ...]]


class Ready:
    """The views and prepared statements of one connection. For one thread at a time. Raises duckdb.Error.

    A statement may run any number of times, over what its views hold then.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        #: By the name of the view: the source under it.
        self._sources: dict[str, Any] = {}
        #: Hashes of statements whose rows were many; for who runs them to note.
        self.long: set[int] = set()
        self._full: set[str] = set()
        #: Names of prepared statements, by text and the sizes of what they read; the last used is last.
        self._statements: OrderedDict[_Key, str] = OrderedDict()
        #: Of these the ones that ran since `empty`.
        self._ran: set[_Key] = set()
        #: When the first of these began (time.monotonic).
        self._began = 0.0
        self._made = 0

    def put(self, name: str, rows: pa.Table) -> None:
        """Let statements read these rows under this name, until `empty`."""
        source = self._sources.get(name)
        if source is not None and source.empty.schema.equals(rows.schema):
            source.obj = rows
        else:
            self._view(name, rows)
        self._full.add(name)

    def drop(self, name: str) -> None:
        """Make room for a table of this name."""
        if self._sources.pop(name, None) is not None:
            self._full.discard(name)
            self._forget(lambda key: any(name == view for view, _ in key[1]))
            self._connection.unregister(name)

    def empty(self) -> None:
        """Let go of all rows, and of plans that keep much of what they did."""
        if self._ran and time.monotonic() - self._began > _LONG:
            ((used,),) = self._connection.execute(_USED).fetchall()
            if used > RETAINED:
                self._forget(self._ran.__contains__)
        self._ran.clear()
        for name in self._full:
            source = self._sources[name]
            source.obj = source.empty
        self._full.clear()

    def submit(self, text: str, names: frozenset[str], form: str, batch_rows: int) -> duckdb._seam.Result:
        """Run a statement that reads views `names` and nothing else, to a result in `form` ("arrow" or "stream")."""
        from duckdb import _seam

        if len(text) > LONGEST:
            return _seam.submit(self._connection, text, None, form, batch_rows)
        key = text, tuple(sorted((name, _size(self._sources[name].obj)) for name in names))
        statement = self._statements.get(key)
        if statement is None:
            statement = self._prepare(key)
        else:
            self._statements.move_to_end(key)
        if not self._ran:
            self._began = time.monotonic()
        self._ran.add(key)
        return _seam.submit(self._connection, f"EXECUTE {statement}", None, form, batch_rows)

    def _prepare(self, key: _Key) -> str:
        while len(self._statements) >= STATEMENTS:
            self._connection.execute(f"DEALLOCATE {self._statements.popitem(last=False)[1]}")
        self._made += 1
        statement = f"q{self._made}"
        self._connection.execute(f"PREPARE {statement} AS {key[0]}")
        self._statements[key] = statement
        return statement

    def _view(self, name: str, rows: pa.Table) -> None:
        # Statements were made for the columns that it had.
        self.drop(name)
        if len(self._sources) >= VIEWS:
            self._forget(lambda _key: True)
            for other in self._sources.keys() - self._full:
                self._connection.unregister(other)
                del self._sources[other]
        source = _source_class()(rows)
        # The only way to a view over a source whose rows can be exchanged; see docs/design/query.md.
        self._connection._register_arrow_source(name, source)
        self._sources[name] = source

    def _forget(self, which: Callable[[_Key], bool]) -> None:
        for key in [key for key in self._statements if which(key)]:
            self._connection.execute(f"DEALLOCATE {self._statements.pop(key)}")


def _size(rows: pa.Table) -> int:
    """The same for numbers of rows for which one plan is good."""
    count: int = rows.num_rows
    return -(-count.bit_length() // _STEP)


@cache
def _source_class() -> Any:
    """The class of sources. DuckDB is loaded with the first query."""
    from duckdb._sources.pyarrow import PyArrowTableSource

    class Rows(PyArrowTableSource):
        """A table that is exchanged. A plan may rely on the most rows that `_size` lets it see."""

        def __init__(self, rows: pa.Table) -> None:
            # What it is made with, it keeps.
            self.empty = rows.schema.empty_table()
            super().__init__(self.empty)
            self.obj = rows

        def rows(self) -> int:
            return 1 << _size(self.obj) * _STEP

    return Rows
