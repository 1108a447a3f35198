"""An answer's tables, and how they become frames of other libraries."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sylph.client import show
from sylph.client.arrow import column_type, schema_of, with_uuid_texts
from sylph.client.errors import SylphError
from sylph.client.values import Column
from sylph.tables.types import ColumnType

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import polars as pl
    import pyarrow as pa


class Table:
    """Rows of an answer under a name. `schema` gives each column's data type and semantic type, in order."""

    def __init__(self, name: str, columns: Sequence[Column], batches: Sequence[pa.RecordBatch]) -> None:
        self.name = name
        self.columns = tuple(columns)
        self.schema: Mapping[str, ColumnType] = {column.name: column_type(column) for column in columns}
        self._batches = tuple(batches)

    def __len__(self) -> int:
        return sum(batch.num_rows for batch in self._batches)

    def __repr__(self) -> str:
        return show.text([self])

    def _repr_html_(self) -> str:
        return show.html([self])

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows as they came, a batch at a time, all of one schema."""
        yield from self._batches

    def arrow(self) -> pa.Table:
        """An Arrow table: times are timestamp[ns, UTC], UINT128 is arrow.uuid; field metadata has the PxL types."""
        import pyarrow as pa

        return pa.Table.from_batches(self._batches, schema_of(self.name, self.columns))

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The rows for any library that reads Arrow, such as `polars.DataFrame(table)`."""
        return with_uuid_texts(self.arrow()).__arrow_c_stream__(requested_schema)

    def pandas(self) -> pd.DataFrame:
        """A pandas DataFrame: times are datetime64[ns, UTC], UINT128 is text. Raises SylphError without pandas."""
        _need("pandas")
        return with_uuid_texts(self.arrow()).to_pandas()

    def polars(self) -> pl.DataFrame:
        """A polars DataFrame: times are Datetime(ns, UTC), UINT128 is text. Raises SylphError without polars."""
        return _need("polars").from_arrow(with_uuid_texts(self.arrow()))  # type: ignore[no-any-return]

    def duckdb(self, connection: duckdb.DuckDBPyConnection | None = None) -> duckdb.DuckDBPyRelation:
        """A DuckDB relation over the rows, of `connection` or DuckDB's own; UINT128 is UUID."""
        import duckdb

        return (connection or duckdb.default_connection()).from_arrow(self.arrow())


@dataclass(frozen=True, slots=True)
class Stats:
    """What an answer cost: ns in the engine and in the compiler, bytes and records that were read."""

    execution_ns: int
    compile_ns: int
    bytes: int
    records: int


class Answer(Mapping[str, Table]):
    """Tables by name, in the script's order. With a single table, its methods can be called on the answer."""

    def __init__(self, tables: Sequence[Table], warnings: Sequence[str], stats: Stats | None) -> None:
        self._tables = {table.name: table for table in tables}
        #: What is missing from the answer, in words; empty when it is whole.
        self.warnings = tuple(warnings)
        self.stats = stats

    def __getitem__(self, name: str) -> Table:
        if name not in self._tables:
            raise KeyError(f"{name!r}: the tables are {', '.join(map(repr, self._tables))}")
        return self._tables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def __repr__(self) -> str:
        return show.text(list(self.values()), self.warnings)

    def _repr_html_(self) -> str:
        return show.html(list(self.values()), self.warnings)

    @property
    def table(self) -> Table:
        """The only table. Raises SylphError when there are several."""
        if len(self._tables) != 1:
            names = ", ".join(map(repr, self._tables)) or "none"
            raise SylphError(f"the answer has {len(self._tables)} tables: {names}", "take one: answer['NAME']")
        return next(iter(self._tables.values()))

    def arrow(self) -> pa.Table:
        """As `Table.arrow`, of the only table."""
        return self.table.arrow()

    def pandas(self) -> pd.DataFrame:
        """As `Table.pandas`, of the only table."""
        return self.table.pandas()

    def polars(self) -> pl.DataFrame:
        """As `Table.polars`, of the only table."""
        return self.table.polars()

    def duckdb(self, connection: duckdb.DuckDBPyConnection | None = None) -> duckdb.DuckDBPyRelation:
        """As `Table.duckdb`, of the only table."""
        return self.table.duckdb(connection)


def _need(package: str) -> Any:
    try:
        return importlib.import_module(package)
    except ImportError:
        raise SylphError(
            f"{package} is not installed", f"pip install {package}, or Sylph with the extra [{package}]"
        ) from None
