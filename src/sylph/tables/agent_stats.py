"""The table `agent_stats`."""

from sylph.tables.declare import Column, Table
from sylph.tables.types import DataType, PatternType, SemanticType

TABLE = Table(
    name="agent_stats",
    description="What the agent itself uses: CPU, memory, queues, rows and bytes of each table.",
    source="agent",
    columns=(
        Column("time_", DataType.TIME64NS, SemanticType.ST_NONE, PatternType.METRIC_COUNTER, "Time of the sample"),
        Column("upid", DataType.UINT128, SemanticType.ST_UPID, PatternType.GENERAL, "Process of the agent"),
        Column(
            "metric",
            DataType.STRING,
            SemanticType.ST_NONE,
            PatternType.GENERAL_ENUM,
            "What is measured, as a dotted name such as cpu.user_ns, memory.rss_bytes, ring.used_bytes, table.rows",
        ),
        Column(
            "label",
            DataType.STRING,
            SemanticType.ST_NONE,
            PatternType.GENERAL,
            "What it is measured of, such as the table or queue; empty when there is one only",
        ),
        Column(
            "value",
            DataType.INT64,
            SemanticType.ST_NONE,
            PatternType.METRIC_GAUGE,
            "Value; the unit ends the metric name",
        ),
    ),
    share=0.008,
)
