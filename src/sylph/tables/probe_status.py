"""The table `probe_status`."""

from sylph.tables.declare import Column, Table
from sylph.tables.enums import STATUS
from sylph.tables.types import DataType, PatternType, SemanticType

TABLE = Table(
    name="probe_status",
    description="Status of every probe and tracepoint that an agent deployed.",
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
        Column("tracepoint", DataType.STRING, SemanticType.ST_NONE, PatternType.GENERAL, "Probe or tracepoint name"),
        Column("status", DataType.INT64, SemanticType.ST_NONE, PatternType.GENERAL_ENUM, "Status code enum", STATUS),
        Column("error", DataType.STRING, SemanticType.ST_NONE, PatternType.GENERAL, "Message"),
        Column("info", DataType.STRING, SemanticType.ST_NONE, PatternType.GENERAL, "JSON extras"),
    ),
    share=0.0008,
)
