"""Datasets without an agent: held in memory, optionally with their older rows in Parquet files; over a real store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from sylph.query.dataset import Follower, Snapshot
from sylph.tables import TABLES
from sylph.tables.declare import Table
from sylph.tables.entities import ENTITIES
from sylph.tables.rows import Row
from sylph.tables.types import arrow_schema

if TYPE_CHECKING:
    from sylph.store import Store

_EMPTY = {name: arrow_schema(relation).empty_table() for name, relation in ENTITIES.items()}


@dataclass(frozen=True, slots=True)
class FileSegment:
    """A Parquet file of rows."""

    path: Path
    rows: int
    size: int


@dataclass(slots=True)
class Rows:
    """Rows of one table: segments first, then batches."""

    batches: list[pa.RecordBatch] = field(default_factory=list)
    segments: list[FileSegment] = field(default_factory=list)


@dataclass(slots=True)
class MemoryDataset:
    """Rows given by the test. `open_snapshots` counts those that nobody has closed."""

    rows: dict[str, Rows] = field(default_factory=dict)
    metadata: dict[str, pa.Table] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=lambda: TABLES)
    directories: Sequence[Path] = ()
    constants: Mapping[str, str | int] = field(default_factory=lambda: {"asid": 1, "hostname": "node-1", "num_cpus": 2})
    open_snapshots: int = 0

    def add(self, table: str, batch: pa.RecordBatch) -> None:
        """Append rows to the hot part of a table; columns it lacks are not allowed."""
        self.rows.setdefault(table, Rows()).batches.append(batch.cast(arrow_schema(self.tables[table].relation)))

    def freeze(self, table: str, directory: Path) -> None:
        """Move a table's hot rows into one Parquet file under `directory`, one of `directories`."""
        rows = self.rows[table]
        if not rows.batches:
            return
        data = pa.Table.from_batches(rows.batches)
        path = directory / f"{table}-{len(rows.segments)}.parquet"
        pq.write_table(data, path, compression="zstd")
        rows.segments.append(FileSegment(path, data.num_rows, path.stat().st_size))
        rows.batches.clear()

    @contextmanager
    def snapshot(self, table: str, start: int | None, end: int | None) -> Iterator[Snapshot]:
        """Everything there is: the time bounds only allow to leave rows out."""
        del start, end
        rows = self.rows.get(table, Rows())
        self.open_snapshots += 1
        try:
            yield Rows(list(rows.batches), list(rows.segments))
        finally:
            self.open_snapshots -= 1

    def entities(self) -> Mapping[str, pa.Table]:
        """The given entities; the others are empty."""
        return {**_EMPTY, **self.metadata}

    def table_info(self) -> Sequence[Row]:
        """Name and sizes of the tables that have rows."""
        return [
            {
                "name": name,
                "num_batches": len(rows.batches),
                "size": sum(batch.nbytes for batch in rows.batches),
                "cold_size": sum(segment.size for segment in rows.segments),
            }
            for name, rows in self.rows.items()
        ]


class StoreDataset(MemoryDataset):
    """Rows of a store, with given metadata: what an agent offers, without capture."""

    def __init__(self, store: Store, **given: Any) -> None:
        super().__init__(**given)
        self.store = store

    @contextmanager
    def snapshot(self, table: str, start: int | None, end: int | None) -> Iterator[Snapshot]:
        """As the store's."""
        with self.store.snapshot(table, start, end) as rows:
            yield rows

    def follow(self, table: str, start: int | None, end: int | None, wake: Callable[[], object]) -> Follower:
        """As the store's."""
        return self.store.follow(table, start, end, wake=wake)
