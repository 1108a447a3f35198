"""The table `stirling_error`."""

from sylph.tables.declare import Column, Table
from sylph.tables.enums import STATUS
from sylph.tables.types import DataType, PatternType, SemanticType

TABLE = Table(
    name="stirling_error",
    description="What the sources of an agent report: started, stopped, failed.",
    source="stirling_error",
    columns=(
        Column(
            "time_",
            DataType.TIME64NS,
            SemanticType.ST_NONE,
            PatternType.METRIC_COUNTER,
            "Wall-clock ns since epoch of the sample/record (monotonic BPF time converted to real time)",
        ),
        Column("upid", DataType.UINT128, SemanticType.ST_UPID, PatternType.GENERAL, "Upid of the agent itself"),
        Column("source_connector", DataType.STRING, SemanticType.ST_NONE, PatternType.GENERAL, "Connector name"),
        Column("status", DataType.INT64, SemanticType.ST_NONE, PatternType.GENERAL_ENUM, "Status code enum", STATUS),
        Column("error", DataType.STRING, SemanticType.ST_NONE, PatternType.GENERAL, "Message"),
        Column("context", DataType.STRING, SemanticType.ST_NONE, PatternType.GENERAL, "Phase or extra context"),
    ),
    share=0.0008,
)
