"""Rows to Parquet bytes and back to what is known about them. Choices are measured: docs/design/store.md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sylph.store.batch import HotBatch
from sylph.store.segment import Segment

#: Key of the footer's metadata that makes a Parquet file a segment.
KEY = b"sylph.segment"
_SAMPLE = 256
_LEVEL = 1
_DICTIONARY_BYTES = 4 << 20
_ROW_GROUP = 128 << 10


def layout(schema: pa.Schema) -> dict[str, str]:
    """Column names and Arrow types, in order: what must be equal for a file to be read as it is."""
    return {field.name: str(field.type) for field in schema}


def encode(table: str, schema: pa.Schema, batches: Sequence[HotBatch]) -> pa.Buffer:
    """Parquet file of neighbouring batches. Raises pa.ArrowInvalid for values that the schema forbids."""
    segment = describe(Path(), batches, 0)
    rows = pa.Table.from_batches([batch.data for batch in batches], schema)
    return encode_rows(rows, facts_of(table, schema, segment))


def describe(path: Path, batches: Sequence[HotBatch], size: int) -> Segment:
    """The segment that holds neighbouring batches."""
    return Segment(
        path,
        rows=batches[-1].end - batches[0].first,
        min_time=min(batch.min_time for batch in batches),
        max_time=max(batch.max_time for batch in batches),
        first=batches[0].first,
        end=batches[-1].end,
        size=size,
    )


def facts_of(table: str, schema: pa.Schema, segment: Segment) -> dict[str, Any]:
    """What the footer of a segment says."""
    return {
        "table": table,
        "first": segment.first,
        "end": segment.end,
        "min_time": segment.min_time,
        "max_time": segment.max_time,
        "columns": layout(schema),
    }


def encode_rows(rows: pa.Table, facts: dict[str, Any]) -> pa.Buffer:
    """Parquet file of `rows` whose footer says `facts`."""
    import pyarrow.parquet as pq

    repeated = _repeating(rows)
    deltas = {
        field.name: "DELTA_BINARY_PACKED"
        for field in rows.schema
        if pa.types.is_int64(field.type) and field.name not in repeated
    }
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(
        sink,
        rows.schema.remove_metadata(),
        compression="zstd",
        compression_level=_LEVEL,
        use_dictionary=repeated,
        column_encoding=deltas or None,
        dictionary_pagesize_limit=_DICTIONARY_BYTES,
        write_statistics=["time_"] if "time_" in rows.schema.names else False,
        store_schema=False,
        write_page_checksum=True,
    ) as writer:
        writer.write_table(rows, row_group_size=_ROW_GROUP)
        writer.add_key_value_metadata({KEY: json.dumps(facts, separators=(",", ":")).encode()})
    return sink.getvalue()


def footer(path: str) -> tuple[dict[str, Any], int]:
    """What the footer of a segment says, and its number of rows.

    Raises OSError when the file cannot be read and ValueError (pa.ArrowInvalid is one) when it is no segment.
    """
    import pyarrow.parquet as pq

    with pa.OSFile(path) as file:
        found = pq.ParquetFile(file).metadata
    text = (found.metadata or {}).get(KEY)
    if text is None:
        raise ValueError("a Parquet file without a segment's footer")
    facts = json.loads(text)
    if not isinstance(facts, dict) or not {"table", "first", "end", "min_time", "max_time", "columns"} <= facts.keys():
        raise ValueError("a segment's footer that lacks its facts")
    return facts, found.num_rows


def convert(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Rows of an older layout under today's schema: unknown columns go, missing ones are zero values.

    Raises ValueError when a column has another type.
    """
    columns = []
    for field in schema:
        if field.name in rows.schema.names:
            column = rows.column(field.name)
            if column.type != field.type:
                raise ValueError(f"column {field.name!r} was {column.type} and is {field.type} now")
        else:
            column = pa.chunked_array([_zeros(field.type, rows.num_rows)])
        columns.append(column)
    return pa.Table.from_arrays(columns, schema=schema)


def convertible(columns: dict[str, str], schema: pa.Schema) -> bool:
    """Whether `convert` takes rows of layout `columns`."""
    return all(columns.get(field.name, str(field.type)) == str(field.type) for field in schema)


def _zeros(kind: pa.DataType, count: int) -> pa.Array:
    if isinstance(kind, pa.BaseExtensionType):
        return pa.ExtensionArray.from_storage(kind, _zeros(kind.storage_type, count))
    zero: object = "" if pa.types.is_string(kind) else False if pa.types.is_boolean(kind) else 0
    if pa.types.is_fixed_size_binary(kind):
        zero = bytes(kind.byte_width)
    return pa.repeat(pa.scalar(zero, kind), count)


def _repeating(rows: pa.Table) -> list[str]:
    """Columns whose values repeat enough in a sample for a dictionary to pay."""
    count = min(rows.num_rows, _SAMPLE)
    sample = rows.slice((rows.num_rows - count) // 2, count)
    found = []
    for field, column in zip(sample.schema, sample.columns, strict=True):
        if pa.types.is_boolean(field.type):
            continue
        if isinstance(field.type, pa.BaseExtensionType):
            column = pa.chunked_array([chunk.storage for chunk in column.chunks], field.type.storage_type)  # noqa: PLW2901
        if pc.count_distinct(column).as_py() * 2 <= count:
            found.append(field.name)
    return found
