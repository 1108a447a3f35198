"""The table `process_stats`."""

from sylph.tables.declare import Column, Table
from sylph.tables.types import DataType, PatternType, SemanticType

TABLE = Table(
    name="process_stats",
    description="CPU, memory and I/O of every process, every second (threads of the kernel: every ten).",
    source="process_stats",
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
            "major_faults", DataType.INT64, SemanticType.ST_NONE, PatternType.METRIC_COUNTER, "Cumulative major faults"
        ),
        Column(
            "minor_faults", DataType.INT64, SemanticType.ST_NONE, PatternType.METRIC_COUNTER, "Cumulative minor faults"
        ),
        Column(
            "cpu_utime_ns",
            DataType.INT64,
            SemanticType.ST_DURATION_NS,
            PatternType.METRIC_COUNTER,
            "Cumulative user CPU",
        ),
        Column(
            "cpu_ktime_ns",
            DataType.INT64,
            SemanticType.ST_DURATION_NS,
            PatternType.METRIC_COUNTER,
            "Cumulative kernel CPU",
        ),
        Column("num_threads", DataType.INT64, SemanticType.ST_NONE, PatternType.METRIC_GAUGE, "Thread count now"),
        Column("vsize_bytes", DataType.INT64, SemanticType.ST_BYTES, PatternType.METRIC_GAUGE, "Virtual size now"),
        Column("rss_bytes", DataType.INT64, SemanticType.ST_BYTES, PatternType.METRIC_GAUGE, "Resident size now"),
        Column(
            "rchar_bytes",
            DataType.INT64,
            SemanticType.ST_BYTES,
            PatternType.METRIC_COUNTER,
            "Cumulative bytes through read syscalls",
        ),
        Column(
            "wchar_bytes",
            DataType.INT64,
            SemanticType.ST_BYTES,
            PatternType.METRIC_COUNTER,
            "Cumulative bytes through write syscalls",
        ),
        Column(
            "read_bytes",
            DataType.INT64,
            SemanticType.ST_BYTES,
            PatternType.METRIC_COUNTER,
            "Cumulative bytes fetched from storage",
        ),
        Column(
            "write_bytes",
            DataType.INT64,
            SemanticType.ST_BYTES,
            PatternType.METRIC_COUNTER,
            "Cumulative bytes sent to storage",
        ),
    ),
)
