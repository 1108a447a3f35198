"""The table `mysql_events`."""

from sylph.tables.declare import Column, Table
from sylph.tables.enums import TRACE_ROLE
from sylph.tables.types import DataType, PatternType, SemanticType

TABLE = Table(
    name="mysql_events",
    description="MySQL and MariaDB commands with their results; time_ is the response's.",
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
        Column("req_cmd", DataType.INT64, SemanticType.ST_NONE, PatternType.GENERAL_ENUM, "Command byte (enum below)"),
        Column(
            "req_body",
            DataType.STRING,
            SemanticType.ST_NONE,
            PatternType.GENERAL,
            "Statement text; execute requests carry the bound query text",
        ),
        Column(
            "resp_status", DataType.INT64, SemanticType.ST_NONE, PatternType.GENERAL_ENUM, "0 unknown,1 none,2 ok,3 err"
        ),
        Column(
            "resp_body",
            DataType.STRING,
            SemanticType.ST_NONE,
            PatternType.GENERAL,
            "Result summary (row count) or error text",
        ),
        Column(
            "latency",
            DataType.INT64,
            SemanticType.ST_DURATION_NS,
            PatternType.METRIC_GAUGE,
            "Response time minus request time, ns (0 when either side has no timestamp)",
        ),
    ),
)
