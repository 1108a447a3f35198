"""The table `proc_exit_events`."""

from sylph.tables.declare import Column, Table
from sylph.tables.types import DataType, PatternType, SemanticType

TABLE = Table(
    name="proc_exit_events",
    description="Every process that ended, with its exit code or signal.",
    source="proc_exit_tracer",
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
        Column("exit_code", DataType.INT64, SemanticType.ST_NONE, PatternType.GENERAL, "Exit status (high byte)"),
        Column("signal", DataType.INT64, SemanticType.ST_NONE, PatternType.GENERAL, "Terminating signal (low 7 bits)"),
        Column("comm", DataType.STRING, SemanticType.ST_NONE, PatternType.GENERAL, "Short process name"),
    ),
    share=0.008,
)
