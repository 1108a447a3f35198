"""Small tables and batches whose every row can be told apart."""

from __future__ import annotations

from collections import Counter
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


def numbers(snapshot: Snapshot) -> list[int]:
    """Numbers of all rows of a snapshot, hot and cold, after checking each row against its number."""
    found: Counter[int] = Counter()
    parts = [pa.Table.from_batches(snapshot.batches, snapshot.schema)] if snapshot.batches else []
    with duckdb.connect() as connection:
        sources = []
        if snapshot.segments:
            paths = ", ".join(f"'{segment.path}'" for segment in snapshot.segments)
            sources.append(f"SELECT * FROM read_parquet([{paths}])")
        if parts:
            connection.register("hot", parts[0])
            sources.append("SELECT * FROM hot")
        if not sources:
            return []
        query = " UNION ALL ".join(sources)
        for n, upid, ok, x, text in connection.sql(f"SELECT n, upid, ok, x, text FROM ({query})").fetchall():
            assert (upid.int, ok, x, int(text)) == (n, n % 2 == 0, n / 2, n)
            found[n] += 1
    assert all(times == 1 for times in found.values()), "a row was seen twice"
    return sorted(found)
