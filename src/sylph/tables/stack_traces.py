"""The table `stack_traces.beta`."""

from sylph.tables.declare import Column, Table
from sylph.tables.types import DataType, PatternType, SemanticType

TABLE = Table(
    name="stack_traces.beta",
    description="CPU stacks, sampled, with how often each was seen.",
    source="perf_profiler",
    columns=(
        Column(
            "time_", DataType.TIME64NS, SemanticType.ST_NONE, PatternType.METRIC_COUNTER, "End of the sampling window"
        ),
        Column(
            "upid",
            DataType.UINT128,
            SemanticType.ST_UPID,
            PatternType.GENERAL,
            "Cluster-unique process id (ASID+PID+start ticks, 128 bit)",
        ),
        Column(
            "stack_trace_id",
            DataType.INT64,
            SemanticType.ST_NONE,
            PatternType.GENERAL,
            "Agent-local id of the folded stack",
        ),
        Column(
            "stack_trace",
            DataType.STRING,
            SemanticType.ST_NONE,
            PatternType.GENERAL,
            'Folded frames, root first, ";" separated; kernel frames prefixed "[k] ", Java "[j] "',
        ),
        Column(
            "count",
            DataType.INT64,
            SemanticType.ST_NONE,
            PatternType.METRIC_GAUGE,
            "Samples with this stack in the window",
        ),
    ),
)
