"""The table `conn_stats`."""

from sylph.tables.declare import Column, Table
from sylph.tables.enums import ADDR_FAMILY, PROTOCOL, TRACE_ROLE
from sylph.tables.types import DataType, PatternType, SemanticType

TABLE = Table(
    name="conn_stats",
    description="Connections and bytes between a process and each of its peers; cumulative counters, every 10 s.",
    source="socket_tracer",
    columns=(
        Column(
            "time_", DataType.TIME64NS, SemanticType.ST_NONE, PatternType.METRIC_COUNTER, "Time of the aggregation pass"
        ),
        Column(
            "upid",
            DataType.UINT128,
            SemanticType.ST_UPID,
            PatternType.GENERAL,
            "Cluster-unique process id (ASID+PID+start ticks, 128 bit)",
        ),
        Column(
            "remote_addr",
            DataType.STRING,
            SemanticType.ST_IP_ADDRESS,
            PatternType.GENERAL,
            "Peer IP as text (IPv4-mapped IPv6 printed as IPv4)",
        ),
        Column(
            "remote_port",
            DataType.INT64,
            SemanticType.ST_PORT,
            PatternType.GENERAL,
            "Peer port; forced to 0 when the traced process is the server",
        ),
        Column(
            "trace_role",
            DataType.INT64,
            SemanticType.ST_NONE,
            PatternType.GENERAL_ENUM,
            "Which side the traced process plays (1 client, 2 server, 4 unknown)",
            TRACE_ROLE,
        ),
        Column(
            "addr_family",
            DataType.INT64,
            SemanticType.ST_NONE,
            PatternType.GENERAL_ENUM,
            "Socket family enum",
            ADDR_FAMILY,
        ),
        Column(
            "protocol",
            DataType.INT64,
            SemanticType.ST_NONE,
            PatternType.GENERAL_ENUM,
            "Inferred protocol enum",
            PROTOCOL,
        ),
        Column("ssl", DataType.BOOLEAN, SemanticType.ST_NONE, PatternType.GENERAL_ENUM, "TLS seen on the connection"),
        Column(
            "conn_open",
            DataType.INT64,
            SemanticType.ST_NONE,
            PatternType.METRIC_COUNTER,
            "Cumulative opens for the (upid, remote addr, port) key",
        ),
        Column("conn_close", DataType.INT64, SemanticType.ST_NONE, PatternType.METRIC_COUNTER, "Cumulative closes"),
        Column("conn_active", DataType.INT64, SemanticType.ST_NONE, PatternType.METRIC_GAUGE, "Opens minus closes"),
        Column(
            "bytes_sent", DataType.INT64, SemanticType.ST_BYTES, PatternType.METRIC_COUNTER, "Cumulative bytes written"
        ),
        Column(
            "bytes_recv", DataType.INT64, SemanticType.ST_BYTES, PatternType.METRIC_COUNTER, "Cumulative bytes read"
        ),
    ),
)
