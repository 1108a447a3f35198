"""Rows of an answer as Arrow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sylph.client.values import Column, Value, is_time
from sylph.tables.types import ColumnType, DataType, SemanticType, type_metadata

if TYPE_CHECKING:
    import pyarrow as pa


def column_type(column: Column) -> ColumnType:
    """Data and semantic type of a column; a semantic type that this version does not know is ST_NONE."""
    known = column.semantic in set(SemanticType)
    return ColumnType(DataType(column.data), SemanticType(column.semantic) if known else SemanticType.ST_NONE)


def schema_of(name: str, columns: Sequence[Column]) -> pa.Schema:
    """The schema of a table: times are timestamp[ns, UTC], UINT128 is arrow.uuid; field metadata has both types."""
    import pyarrow as pa

    types = {
        DataType.BOOLEAN: pa.bool_(),
        DataType.INT64: pa.int64(),
        DataType.UINT128: pa.uuid(),
        DataType.FLOAT64: pa.float64(),
        DataType.STRING: pa.string(),
        DataType.TIME64NS: pa.timestamp("ns", "UTC"),
    }
    return pa.schema(
        [
            pa.field(
                column.name,
                types[DataType.TIME64NS if is_time(column) else DataType(column.data)],
                metadata=type_metadata(column_type(column)),
            )
            for column in columns
        ],
        metadata={b"table": name.encode()},
    )


def batch_of(schema: pa.Schema, columns: Sequence[Sequence[Value]]) -> pa.RecordBatch:
    """Rows as a batch of that schema; UINT128 values are texts of UUIDs."""
    import pyarrow as pa

    arrays = [
        _uuids(values).cast(field.type) if field.type == pa.uuid() else pa.array(values, field.type)
        for field, values in zip(schema, columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _uuids(texts: Sequence[Value]) -> pa.Array:
    import pyarrow as pa

    made = {text: bytes.fromhex(str(text).replace("-", "")) for text in set(texts)}
    return pa.array([made[text] for text in texts], pa.binary(16))


def with_uuid_texts(table: pa.Table) -> pa.Table:
    """The table with text in place of arrow.uuid, which not every library knows."""
    import pyarrow as pa

    for index, field in enumerate(table.schema):
        if field.type == pa.uuid():
            values = _bytes(table.column(index))
            made = {value: _text(value.hex()) for value in set(values)}
            texts = [made[value] for value in values]
            text = pa.field(field.name, pa.string(), metadata=field.metadata)
            table = table.set_column(index, text, pa.array(texts, pa.string()))
    return table


def _bytes(column: pa.ChunkedArray) -> list[bytes]:
    return [value for chunk in column.chunks for value in chunk.storage.to_pylist()]


def _text(digits: str) -> str:
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
