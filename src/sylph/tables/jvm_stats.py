"""The table `jvm_stats`."""

from sylph.tables.declare import Column, Table
from sylph.tables.types import DataType, PatternType, SemanticType

TABLE = Table(
    name="jvm_stats",
    description="Heap and garbage collection of every Java process, every second.",
    source="jvm_stats",
    columns=(
        Column(
            "time_",
            DataType.TIME64NS,
            SemanticType.ST_NONE,
            PatternType.METRIC_COUNTER,
            "Wall-clock ns since epoch of the sample/record (monotonic BPF time converted to real time)",
        ),
        Column(
            "upid",
            DataType.UINT128,
            SemanticType.ST_UPID,
            PatternType.GENERAL,
            "Cluster-unique process id (ASID+PID+start ticks, 128 bit)",
        ),
        Column(
            "young_gc_time",
            DataType.INT64,
            SemanticType.ST_DURATION_NS,
            PatternType.METRIC_COUNTER,
            "Cumulative young-generation GC time",
        ),
        Column(
            "full_gc_time",
            DataType.INT64,
            SemanticType.ST_DURATION_NS,
            PatternType.METRIC_COUNTER,
            "Cumulative full GC time",
        ),
        Column("used_heap_size", DataType.INT64, SemanticType.ST_NONE, PatternType.METRIC_GAUGE, "Bytes in use"),
        Column(
            "total_heap_size", DataType.INT64, SemanticType.ST_NONE, PatternType.METRIC_GAUGE, "Committed heap bytes"
        ),
        Column("max_heap_size", DataType.INT64, SemanticType.ST_NONE, PatternType.METRIC_GAUGE, "Heap capacity bytes"),
    ),
)
