"""The table `capture_loss`."""

from sylph.tables.declare import Column, Table
from sylph.tables.types import DataType, PatternType, SemanticType

TABLE = Table(
    name="capture_loss",
    description="What was seen but is in no table: how much, of which process, and why.",
    source="agent",
    columns=(
        Column("time_", DataType.TIME64NS, SemanticType.ST_NONE, PatternType.METRIC_COUNTER, "Time of the count"),
        Column(
            "upid",
            DataType.UINT128,
            SemanticType.ST_UPID,
            PatternType.GENERAL,
            "Process whose data is missing; all zero when no process can be named",
        ),
        Column("table_name", DataType.STRING, SemanticType.ST_NONE, PatternType.GENERAL, "Table that lacks the rows"),
        Column(
            "cause",
            DataType.STRING,
            SemanticType.ST_NONE,
            PatternType.GENERAL_ENUM,
            "Why: ring_full, gap, budget, parse_error, capped, no_response, no_request, fault, torn_segment",
        ),
        Column(
            "events",
            DataType.INT64,
            SemanticType.ST_NONE,
            PatternType.METRIC_GAUGE,
            "Messages (or rows) lost since the previous count",
        ),
        Column(
            "bytes",
            DataType.INT64,
            SemanticType.ST_BYTES,
            PatternType.METRIC_GAUGE,
            "Bytes lost since the previous count, where known",
        ),
    ),
    share=0.008,
)
