"""Rows of Python values as Arrow, for tables that are small and rare enough to be made in Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sylph.tables.types import DataType, Relation, arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa

Row = Mapping[str, object]

_ZEROS: Mapping[DataType, object] = {DataType.STRING: "", DataType.BOOLEAN: False, DataType.FLOAT64: 0.0}


def record_batch(relation: Relation, rows: Sequence[Row]) -> pa.RecordBatch:
    """Rows as a record batch of `relation`.

    A column that a row lacks gets its type's zero value; UINT128 is given as int. Raises KeyError for a name that
    the relation does not have.
    """
    import pyarrow as pa

    if unknown := {name for row in rows for name in row} - set(relation):
        raise KeyError(f"no such column: {', '.join(sorted(unknown))}")
    schema = arrow_schema(relation)
    columns: list[pa.Array] = []
    for field, (name, column) in zip(schema, relation.items(), strict=True):
        zero = _ZEROS.get(column.data, 0)
        values = [row.get(name, zero) for row in rows]
        if column.data is DataType.UINT128:
            raw = [value.to_bytes(16, "big") for value in values if isinstance(value, int)]
            columns.append(pa.ExtensionArray.from_storage(pa.uuid(), pa.array(raw, pa.binary(16))))
        else:
            columns.append(pa.array(values, field.type))
    return pa.RecordBatch.from_arrays(columns, schema=schema)
