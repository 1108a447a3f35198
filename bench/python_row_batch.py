"""RowBatchData by way of protobuf's Python messages: the baseline of the native encoder, and its oracle in tests."""

from __future__ import annotations

import pyarrow as pa

from sylph.api.pb import vizierapi_pb2 as pb
from sylph.tables.types import DataType, relation_of


def row_batch(batch: pa.RecordBatch, table_id: str, eow: bool, eos: bool) -> bytes:
    message = pb.RowBatchData(table_id=table_id, num_rows=batch.num_rows, eow=eow, eos=eos)
    for column, column_type in zip(batch.columns, relation_of(batch.schema).values(), strict=True):
        out = message.cols.add()
        match column_type.data:
            case DataType.BOOLEAN:
                out.boolean_data.data.extend(column.to_pylist())
            case DataType.INT64:
                out.int64_data.data.extend(column.to_pylist())
            case DataType.TIME64NS:
                out.time64ns_data.data.extend(column.to_pylist())
            case DataType.FLOAT64:
                out.float64_data.data.extend(column.to_pylist())
            case DataType.STRING:
                out.string_data.data.extend(column.cast(pa.binary()).to_pylist())
            case DataType.UINT128:
                for value in column.storage.to_pylist():
                    number = int.from_bytes(value, "big")
                    out.uint128_data.data.add(low=number & (2**64 - 1), high=number >> 64)
        getattr(out, f"{column_type.data.name.lower()}_data").SetInParent()  # an empty column still says its type
    return message.SerializeToString()
