"""The table `network_stats`."""

from sylph.tables.declare import Column, Table
from sylph.tables.types import DataType, PatternType, SemanticType

TABLE = Table(
    name="network_stats",
    description="Network traffic of every pod (on a plain host: of every network namespace), every second.",
    source="network_stats",
    columns=(
        Column(
            "time_",
            DataType.TIME64NS,
            SemanticType.ST_NONE,
            PatternType.METRIC_COUNTER,
            "Wall-clock ns since epoch of the sample/record (monotonic BPF time converted to real time)",
        ),
        Column(
            "pod_id",
            DataType.STRING,
            SemanticType.ST_NONE,
            PatternType.GENERAL,
            "Id of the pod; on a host, of the container or network namespace (this table has no upid)",
        ),
        Column(
            "rx_bytes", DataType.INT64, SemanticType.ST_BYTES, PatternType.METRIC_COUNTER, "Cumulative received bytes"
        ),
        Column(
            "rx_packets",
            DataType.INT64,
            SemanticType.ST_NONE,
            PatternType.METRIC_COUNTER,
            "Cumulative received packets",
        ),
        Column(
            "rx_errors", DataType.INT64, SemanticType.ST_NONE, PatternType.METRIC_COUNTER, "Cumulative receive errors"
        ),
        Column(
            "rx_drops", DataType.INT64, SemanticType.ST_NONE, PatternType.METRIC_COUNTER, "Cumulative receive drops"
        ),
        Column("tx_bytes", DataType.INT64, SemanticType.ST_BYTES, PatternType.METRIC_COUNTER, "Cumulative sent bytes"),
        Column(
            "tx_packets", DataType.INT64, SemanticType.ST_NONE, PatternType.METRIC_COUNTER, "Cumulative sent packets"
        ),
        Column("tx_errors", DataType.INT64, SemanticType.ST_NONE, PatternType.METRIC_COUNTER, "Cumulative send errors"),
        Column("tx_drops", DataType.INT64, SemanticType.ST_NONE, PatternType.METRIC_COUNTER, "Cumulative send drops"),
    ),
)
