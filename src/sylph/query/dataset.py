"""What queries run over: the contract between the engine and whoever holds the rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from sylph.tables.declare import Table
from sylph.tables.rows import Row

if TYPE_CHECKING:
    import pyarrow as pa


class Segment(Protocol):
    """A Parquet file of rows."""

    @property
    def path(self) -> Path:
        """Where it is."""
        ...

    @property
    def rows(self) -> int:
        """How many rows it holds."""
        ...

    @property
    def size(self) -> int:
        """Its size in bytes."""
        ...


class Snapshot(Protocol):
    """Rows of a table at one moment, each once: in `segments` (older) or in `batches`, both in time order."""

    @property
    def batches(self) -> Sequence[pa.RecordBatch]:
        """Rows in memory, all of one schema."""
        ...

    @property
    def segments(self) -> Sequence[Segment]:
        """Rows on disk."""
        ...


class Part(Protocol):
    """Rows that a follower took: `snapshot` holds them until its context ends, first segments, then batches."""

    @property
    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """The rows."""
        ...

    @property
    def missed(self) -> int:
        """How many rows before these were gone."""
        ...

    @property
    def newest(self) -> int | None:
        """The greatest time_ that was passed; None without rows."""
        ...

    @property
    def more(self) -> bool:
        """Whether more wait."""
        ...


class Follower(Protocol):
    """A place in a growing table: rows are read from the oldest on, each once, in order of arrival."""

    @property
    def ended(self) -> bool:
        """Whether no more rows will ever come."""
        ...

    def read(self, size: int | None = None) -> Part:
        """The next rows, about `size` bytes or one segment; None: all there are. OSError for an unreadable file."""
        ...

    def close(self) -> None:
        """Follow no more."""
        ...


class Dataset(Protocol):
    """Tables, metadata and facts of one node."""

    @property
    def tables(self) -> Mapping[str, Table]:
        """Every table that may be read, by name, whether or not it has rows."""
        ...

    @property
    def directories(self) -> Sequence[Path]:
        """Where segments are: the only files that a query can open."""
        ...

    @property
    def constants(self) -> Mapping[str, str | int]:
        """This node's values of the constants that templates may use: `sylph.plan.templates.CONSTANTS`."""
        ...

    def snapshot(self, table: str, start: int | None, end: int | None) -> AbstractContextManager[Snapshot]:
        """Rows of `table`, at least those with `start` <= time_ <= `end` (ns); held until the context ends."""
        ...

    def entities(self) -> Mapping[str, pa.Table]:
        """The metadata snapshot: one table for each of `sylph.tables.entities.ENTITIES`."""
        ...

    def table_info(self) -> Sequence[Row]:
        """What each table's store holds, as columns of `_DebugTableInfo`; those that do not apply are left out."""
        ...


@runtime_checkable
class LiveDataset(Dataset, Protocol):
    """A dataset whose tables grow."""

    def follow(self, table: str, start: int | None, end: int | None, wake: Callable[[], object]) -> Follower:
        """A follower of rows, at least those with `start` <= time_ <= `end`; `wake` is called when rows came."""
        ...
