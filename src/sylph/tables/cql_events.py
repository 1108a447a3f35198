"""The table `cql_events`."""

from sylph.tables.declare import Column, Table
from sylph.tables.enums import TRACE_ROLE
from sylph.tables.types import DataType, PatternType, SemanticType

TABLE = Table(
    name="cql_events",
    description="Cassandra requests with their responses.",
    source="socket_tracer",
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
            "remote_addr",
            DataType.STRING,
            SemanticType.ST_IP_ADDRESS,
            PatternType.GENERAL,
            "Peer IP as text (IPv4-mapped IPv6 printed as IPv4)",
        ),
        Column("remote_port", DataType.INT64, SemanticType.ST_PORT, PatternType.GENERAL, "Peer port"),
        Column("local_addr", DataType.STRING, SemanticType.ST_IP_ADDRESS, PatternType.GENERAL, "Own-side IP"),
        Column("local_port", DataType.INT64, SemanticType.ST_PORT, PatternType.GENERAL, "Own-side port"),
        Column(
            "trace_role",
            DataType.INT64,
            SemanticType.ST_NONE,
            PatternType.GENERAL_ENUM,
            "Which side the traced process plays (1 client, 2 server, 4 unknown)",
            TRACE_ROLE,
        ),
        Column(
            "encrypted",
            DataType.BOOLEAN,
            SemanticType.ST_NONE,
            PatternType.GENERAL_ENUM,
            "True when plaintext was taken from a TLS library probe",
        ),
        Column("req_op", DataType.INT64, SemanticType.ST_NONE, PatternType.GENERAL_ENUM, "Request opcode"),
        Column("req_body", DataType.STRING, SemanticType.ST_NONE, PatternType.GENERAL, "Decoded request"),
        Column("resp_op", DataType.INT64, SemanticType.ST_NONE, PatternType.GENERAL_ENUM, "Response opcode"),
        Column("resp_body", DataType.STRING, SemanticType.ST_NONE, PatternType.GENERAL, "Decoded response"),
        Column(
            "latency",
            DataType.INT64,
            SemanticType.ST_DURATION_NS,
            PatternType.METRIC_GAUGE,
            "Response time minus request time, ns (0 when either side has no timestamp)",
        ),
    ),
)
