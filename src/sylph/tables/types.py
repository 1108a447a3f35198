"""PxL's data types and semantic types, and how each is held in Arrow and DuckDB.

A value's *data type* says what it is; its *semantic type* says what it means (bytes, a duration, a pod
name), which decides formatting, links and the result of some functions. Numbers are those of the public API.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


class DataType(IntEnum):
    """Storage type of a column."""

    DATA_TYPE_UNKNOWN = 0
    BOOLEAN = 1
    INT64 = 2
    UINT128 = 3
    FLOAT64 = 4
    STRING = 5
    TIME64NS = 6


class SemanticType(IntEnum):
    """Meaning of a column."""

    ST_UNSPECIFIED = 0
    ST_NONE = 1
    ST_TIME_NS = 2
    ST_AGENT_UID = 100
    ST_ASID = 101
    ST_UPID = 200
    ST_SERVICE_NAME = 300
    ST_POD_NAME = 400
    ST_POD_PHASE = 401
    ST_POD_STATUS = 402
    ST_NODE_NAME = 500
    ST_CONTAINER_NAME = 600
    ST_CONTAINER_STATE = 601
    ST_CONTAINER_STATUS = 602
    ST_NAMESPACE_NAME = 700
    ST_BYTES = 800
    ST_PERCENT = 900
    ST_DURATION_NS = 901
    ST_THROUGHPUT_PER_NS = 902
    ST_THROUGHPUT_BYTES_PER_NS = 903
    ST_QUANTILES = 1000
    ST_DURATION_NS_QUANTILES = 1001
    ST_IP_ADDRESS = 1100
    ST_PORT = 1200
    ST_HTTP_REQ_METHOD = 1300
    ST_HTTP_RESP_STATUS = 1400
    ST_HTTP_RESP_MESSAGE = 1500
    ST_SCRIPT_REFERENCE = 3000


class PatternType(IntEnum):
    """How a column's values behave over time; a hint for charts and compaction."""

    UNSPECIFIED = 0
    GENERAL = 100
    GENERAL_ENUM = 101
    STRUCTURED = 200
    METRIC_COUNTER = 300
    METRIC_GAUGE = 301


@dataclass(frozen=True, slots=True)
class ColumnType:
    """A column's data type together with its semantic type."""

    data: DataType
    semantic: SemanticType = SemanticType.ST_NONE


#: Column names to types, in output order.
Relation = Mapping[str, ColumnType]

DUCKDB_TYPES: Mapping[DataType, str] = {
    DataType.BOOLEAN: "BOOLEAN",
    DataType.INT64: "BIGINT",
    DataType.UINT128: "UUID",
    DataType.FLOAT64: "DOUBLE",
    DataType.STRING: "VARCHAR",
    DataType.TIME64NS: "BIGINT",
}

_DATA_KEY = b"sylph.data_type"
_SEMANTIC_KEY = b"sylph.semantic_type"


def arrow_type(data: DataType) -> pa.DataType:
    """Arrow type that holds `data`: TIME64NS is int64 ns since the epoch, UINT128 is a big-endian arrow.uuid."""
    import pyarrow as pa

    types: dict[DataType, pa.DataType] = {
        DataType.BOOLEAN: pa.bool_(),
        DataType.INT64: pa.int64(),
        DataType.UINT128: pa.uuid(),
        DataType.FLOAT64: pa.float64(),
        DataType.STRING: pa.string(),
        DataType.TIME64NS: pa.int64(),
    }
    return types[data]


def type_metadata(column: ColumnType) -> dict[bytes, bytes]:
    """Metadata of an Arrow field: both types by name."""
    return {_DATA_KEY: column.data.name.encode(), _SEMANTIC_KEY: column.semantic.name.encode()}


def arrow_schema(relation: Relation) -> pa.Schema:
    """Arrow schema of a relation; field metadata carries both types by name."""
    import pyarrow as pa

    return pa.schema(
        [
            pa.field(
                name,
                arrow_type(column.data),
                nullable=False,
                metadata=type_metadata(column),
            )
            for name, column in relation.items()
        ]
    )


def relation_of(schema: pa.Schema) -> dict[str, ColumnType]:
    """Inverse of `arrow_schema`. Raises ValueError for a field without Sylph's metadata."""
    relation = {}
    for field in schema:
        metadata = field.metadata or {}
        try:
            data = DataType[metadata[_DATA_KEY].decode()]
            semantic = SemanticType[metadata[_SEMANTIC_KEY].decode()]
        except KeyError:
            raise ValueError(f"field {field.name!r} carries no Sylph type") from None
        relation[field.name] = ColumnType(data, semantic)
    return relation
