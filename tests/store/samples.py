"""Small tables and batches whose every row can be told apart."""

from __future__ import annotations

import contextlib
from pathlib import Path
from uuid import UUID

import duckdb
import pyarrow as pa

from sylph.store import Snapshot
from sylph.tables.declare import Column, Table
from sylph.tables.types import DataType, PatternType, SemanticType, arrow_schema


def table(name: str = "events", share: float | None = None, *, extra: tuple[Column, ...] = ()) -> Table:
    """A table of every data type."""
    columns = (
        ("time_", DataType.TIME64NS),
        ("upid", DataType.UINT128),
        ("n", DataType.INT64),
        ("ok", DataType.BOOLEAN),
        ("x", DataType.FLOAT64),
        ("text", DataType.STRING),
    )
    return Table(
        name=name,
        description=name,
        source="test",
        columns=(
            *(Column(c, data, SemanticType.ST_NONE, PatternType.GENERAL, c) for c, data in columns),
            *extra,
        ),
        share=share,
    )


SCHEMA = arrow_schema(table().relation)


def rows(first: int, count: int, *, text: int = 20, time: int | None = None) -> pa.RecordBatch:
    """Rows numbered from `first`; row n has time_ n (or `time`) and a text of `text` bytes."""
    numbers = range(first, first + count)
    return pa.record_batch(
        [
            pa.array([n if time is None else time for n in numbers], pa.int64()),
            pa.array([UUID(int=n).bytes for n in numbers], pa.uuid()),
            pa.array(numbers, pa.int64()),
            pa.array([n % 2 == 0 for n in numbers]),
            pa.array([n / 2 for n in numbers], pa.float64()),
            pa.array([f"{n:0{text}d}" for n in numbers], pa.string()),
        ],
        schema=SCHEMA,
    )


def usage(directory: Path) -> int:
    """Bytes that the files of a directory take."""
    total = 0
    for path in directory.iterdir() if directory.exists() else ():
        with contextlib.suppress(FileNotFoundError):  # the writer works meanwhile
            total += path.lstat().st_blocks * 512
    return total


_WRONG = """
    time_ <> n OR ok <> (n % 2 = 0) OR x <> n / 2 OR text::BIGINT <> n OR
    right(upid::VARCHAR, 12) <> format('{:012x}', n)
"""


def numbers(snapshot: Snapshot) -> list[int]:
    """Numbers of all rows of a snapshot, hot and cold, after checking each row against its number."""
    sources = []
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        if snapshot.segments:
            paths = [str(segment.path) for segment in snapshot.segments]
            sources.append(f"SELECT * FROM read_parquet({paths})")
        if snapshot.batches:
            connection.register("hot", pa.Table.from_batches(snapshot.batches, snapshot.schema))
            sources.append("SELECT * FROM hot")
        if not sources:
            return []
        everything = " UNION ALL BY NAME ".join(sources)
        wrong = connection.sql(f"SELECT n FROM ({everything}) WHERE {_WRONG} LIMIT 5").fetchall()
        assert not wrong, wrong
        found = connection.sql(f"SELECT n FROM ({everything}) ORDER BY n").fetchall()
    numbers = [n for (n,) in found]
    assert len(set(numbers)) == len(numbers), "a row was seen twice"
    return numbers
