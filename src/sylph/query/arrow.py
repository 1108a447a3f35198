"""DuckDB's Arrow results as batches of exactly a relation's schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sylph.query.answer import Code, QueryError
from sylph.tables.types import DataType, Relation, arrow_schema, arrow_type

if TYPE_CHECKING:
    import pyarrow as pa

_ZEROS = {DataType.STRING: "", DataType.BOOLEAN: False, DataType.FLOAT64: 0.0, DataType.UINT128: bytes(16)}


def empty(relation: Relation) -> pa.RecordBatch:
    """No rows of a relation."""
    import pyarrow as pa

    schema = arrow_schema(relation)
    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)


class Shape:
    """Turns result batches into batches of `relation`; a state column (DATA_TYPE_UNKNOWN) passes as it is."""

    def __init__(self, relation: Relation) -> None:
        self._relation = relation
        known = DataType.DATA_TYPE_UNKNOWN not in {column.data for column in relation.values()}
        self._schema = arrow_schema(relation) if known else None

    def batch(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """One batch, zero-copy where types agree. Raises QueryError for a column of another type."""
        import pyarrow as pa

        columns = [
            _column(name, column.data, array)
            for (name, column), array in zip(self._relation.items(), batch.columns, strict=True)
        ]
        if self._schema is not None:
            return pa.RecordBatch.from_arrays(columns, schema=self._schema)
        return pa.RecordBatch.from_arrays(columns, names=list(self._relation))

    def join(self, batches: list[pa.RecordBatch], schema: pa.Schema) -> pa.RecordBatch:
        """Several batches of this shape as one; of none, an empty one, from the schema that DuckDB gave."""
        import pyarrow as pa

        if len(batches) == 1:
            return batches[0]
        if batches:
            return pa.concat_batches(batches)
        return self.batch(pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema))


def _column(name: str, data: DataType, array: pa.Array) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    if data is DataType.DATA_TYPE_UNKNOWN:
        return array
    want = arrow_type(data)
    if data is DataType.UINT128:
        if array.null_count and array.type == want:
            array = pa.ExtensionArray.from_storage(want, pc.fill_null(array.storage, _ZEROS[data]))
    else:
        if isinstance(array.type, pa.BaseExtensionType):
            array = array.storage if data is DataType.BOOLEAN else array
        if array.type != want:
            try:
                array = array.cast(want)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
                raise QueryError(Code.INTERNAL, f"column {name!r} is {array.type}, not {want}: {error}") from None
        if array.null_count:
            array = pc.fill_null(array, _ZEROS.get(data, 0))
    if array.type != want:
        raise QueryError(Code.INTERNAL, f"column {name!r} is {array.type}, not {want}")
    return array
