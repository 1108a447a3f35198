"""The table `nats_events.beta`."""

from sylph.tables.declare import Column, Table
from sylph.tables.enums import TRACE_ROLE
from sylph.tables.types import DataType, PatternType, SemanticType

TABLE = Table(
    name="nats_events.beta",
    description="NATS messages, one row each.",
    source="socket_tracer",
    columns=(
        Column("time_", DataType.TIME64NS, SemanticType.ST_NONE, PatternType.METRIC_COUNTER, "Request timestamp"),
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
        Column("cmd", DataType.STRING, SemanticType.ST_NONE, PatternType.GENERAL, "INFO CONNECT PUB SUB UNSUB MSG ..."),
        Column(
            "body",
            DataType.STRING,
            SemanticType.ST_NONE,
            PatternType.STRUCTURED,
            "JSON object of options (subject, sid, reply-to, queue group, max_msgs, payload); INFO and CONNECT as sent",
        ),
        Column("resp", DataType.STRING, SemanticType.ST_NONE, PatternType.GENERAL, "+OK / -ERR or empty"),
    ),
)
