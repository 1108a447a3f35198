"""What a query's leaves read: snapshots of tables, table functions, entities, rows from agents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

from sylph.plan.literals import quote, string_sql, value_sql
from sylph.plan.naming import Leaf
from sylph.plan.nodes import Node, Remote, Source, TableFunctionSource
from sylph.plan.sql import Statement
from sylph.query.answer import Code, QueryError
from sylph.query.dataset import Dataset, Snapshot
from sylph.query.ready import Ready
from sylph.query.table_functions import call
from sylph.query.times import within
from sylph.tables.entities import ENTITIES
from sylph.tables.types import DataType, arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Asked:
    """A statement to run, which reads `views` and may come again; None: it is for this once."""

    text: str
    views: frozenset[str] | None


class Scans:
    """One consistent view of a dataset for one query; use as a context manager, in one thread.

    A table is held once, over the whole time range that the query's sources ask of it. `checked` holds the entities
    known to be good, by name, from one query to the next.
    """

    def __init__(
        self, dataset: Dataset, nodes: Iterable[Node], remote: Mapping[str, pa.Table], checked: dict[str, pa.Table]
    ) -> None:
        self._dataset = dataset
        self._checked = checked
        self._remote = remote
        self._ranges: dict[str, tuple[int | None, int | None]] = {}
        for node in nodes:
            if isinstance(node, Source):
                start, end = self._ranges.get(node.table, (node.start, node.end))
                self._ranges[node.table] = (_hull(min, start, node.start), _hull(max, end, node.end))
        self._snapshots: dict[str, Snapshot] = {}
        self._held = ExitStack()
        self._entities: Mapping[str, pa.Table] | None = None
        #: Definitions of what is bound, by name; mostly there is none.
        self._bound: dict[str, str] = {}
        #: Names of tables that the query made.
        self._kept: set[str] = set()
        self.rows = 0
        self.bytes = 0

    def __enter__(self) -> Self:
        try:
            for table, (start, end) in self._ranges.items():
                if table not in self._dataset.tables:
                    raise QueryError(Code.NOT_FOUND, f"there is no table {table!r} here")
                self._snapshots[table] = self._held.enter_context(self._dataset.snapshot(table, start, end))
        except BaseException:
            self._held.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._snapshots.clear()
        self._held.close()

    def bind(self, ready: Ready, statement: Statement) -> Asked:
        """Put what the statement reads into views, and say what to run.

        All statements of a query have one `Naming` and run on one connection.
        """
        definitions: dict[str, str] = {}
        for name, leaf in statement.leaves.items():
            if name not in self._bound:
                self._bound[name] = self._put(ready, name, leaf, statement.names)
            definition = self._bound[name]
            if definition:
                definitions[name] = definition
        for name, (entity, columns) in statement.entities.items():
            if name not in self._bound:
                self._bound[name] = ""
                if self._entities is None:
                    self._entities = self._dataset.entities()
                # DuckDB binds every column that it is shown, which costs more than to read them.
                ready.put(name, self._entity(entity, self._entities.get(entity)).select(columns))
        text = statement.text(definitions)
        # Files come and go, and tables are this query's alone.
        again = statement.again and not definitions and self._kept.isdisjoint(statement.leaves)
        return Asked(text, frozenset({*statement.leaves, *statement.entities}) if again else None)

    def keep(self, ready: Ready, name: str, rows: pa.Table | None) -> None:
        """Under this name these rows are read; None: a table of the connection's."""
        self._bound[name] = ""
        if rows is None:
            self._kept.add(name)
        else:
            ready.put(name, rows)

    def _put(self, ready: Ready, name: str, leaf: Leaf, names: Mapping[str, str]) -> str:
        """The definition of a leaf whose rows are not all in a view of its name."""
        match leaf:
            case Source():
                return self._source(ready, name, leaf, names)
            case TableFunctionSource():
                rows = call(self._dataset, leaf)
            case Remote():
                if leaf.name not in self._remote:
                    raise QueryError(Code.INTERNAL, f"nobody sent {leaf.name!r}")
                rows = self._remote[leaf.name]
        ready.put(name, _renamed(rows, names))
        return ""

    def _entity(self, name: str, table: pa.Table | None) -> pa.Table:
        if table is None:
            return arrow_schema(ENTITIES[name]).empty_table()
        if self._checked.get(name) is not table:
            _check_key(name, table)
            self._checked[name] = table
        return table

    def _source(self, ready: Ready, name: str, source: Source, names: Mapping[str, str]) -> str:
        import pyarrow as pa

        snapshot = self._snapshots[source.table]
        columns = list(source.relation)
        self.rows += sum(batch.num_rows for batch in snapshot.batches)
        batches = [batch.select(columns) for batch in within(snapshot.batches, source.start, source.end)]
        if batches:
            hot = pa.Table.from_batches(batches)
        else:
            relation = self._dataset.tables[source.table].relation
            hot = arrow_schema({column: relation[column] for column in columns}).empty_table()
        hot = _renamed(hot, names)
        self.bytes += hot.nbytes
        segments = snapshot.segments
        if not segments:
            ready.put(name, hot)
            return ""
        self.rows += sum(segment.rows for segment in segments)
        self.bytes += sum(segment.size for segment in segments)
        chosen = ", ".join(f"{quote(column)} AS {quote(names.get(column, column))}" for column in columns)
        files = ", ".join(string_sql(str(segment.path)) for segment in segments)
        cold = f"SELECT {chosen} FROM read_parquet([{files}], hive_partitioning = false, union_by_name = true)"
        bounds = [
            f"time_ {order} {value_sql(time, DataType.TIME64NS)}"
            for order, time in ((">=", source.start), ("<=", source.end))
            if time is not None
        ]
        if bounds:
            cold += f" WHERE {' AND '.join(bounds)}"
        if not hot.num_rows:
            return cold
        ready.put(f"{name}_hot", hot)
        return f"{cold} UNION ALL FROM {quote(name + '_hot')}"


def _check_key(name: str, table: pa.Table) -> None:
    """Raises QueryError when a look-up by the entity's own key would find two rows."""
    import pyarrow.compute as pc

    if name == "address":
        return
    key = table.column(0)
    storage = pc.cast(key, key.type.storage_type) if hasattr(key.type, "storage_type") else key
    if pc.count_distinct(storage).as_py() != table.num_rows:
        raise QueryError(Code.INTERNAL, f"metadata has two rows for one {table.column_names[0]} of {name!r}")


def _hull(pick: Callable[[int, int], int], a: int | None, b: int | None) -> int | None:
    return None if a is None or b is None else pick(a, b)


def _renamed(table: pa.Table, names: Mapping[str, str]) -> pa.Table:
    """The table with its columns under the names that a statement reads."""
    wanted = [names.get(column, column) for column in table.column_names]
    return table if wanted == table.column_names else table.rename_columns(wanted)
