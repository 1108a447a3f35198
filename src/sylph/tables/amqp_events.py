"""The table `amqp_events`."""

from sylph.tables.declare import Column, Table
from sylph.tables.enums import TRACE_ROLE
from sylph.tables.types import DataType, PatternType, SemanticType

TABLE = Table(
    name="amqp_events",
    description="AMQP 0-9-1 frames; asynchronous ones have an empty opposite side.",
    source="socket_tracer",
    columns=(
        Column(
            "time_",
            DataType.TIME64NS,
            SemanticType.ST_NONE,
            PatternType.METRIC_COUNTER,
            "Later of request/response times",
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
        Column(
            "frame_type",
            DataType.INT64,
            SemanticType.ST_NONE,
            PatternType.GENERAL,
            "1 method 2 header 3 body 8 heartbeat",
        ),
        Column("channel", DataType.INT64, SemanticType.ST_NONE, PatternType.GENERAL, "AMQP channel number"),
        Column("req_class_id", DataType.INT64, SemanticType.ST_NONE, PatternType.GENERAL, "Class of request method"),
        Column("req_method_id", DataType.INT64, SemanticType.ST_NONE, PatternType.GENERAL, "Method id of request"),
        Column("resp_class_id", DataType.INT64, SemanticType.ST_NONE, PatternType.GENERAL, "Class of response"),
        Column("resp_method_id", DataType.INT64, SemanticType.ST_NONE, PatternType.GENERAL, "Method id of response"),
        Column("req_msg", DataType.STRING, SemanticType.ST_NONE, PatternType.GENERAL, "Decoded request arguments"),
        Column("resp_msg", DataType.STRING, SemanticType.ST_NONE, PatternType.GENERAL, "Decoded response arguments"),
        Column(
            "latency",
            DataType.INT64,
            SemanticType.ST_DURATION_NS,
            PatternType.METRIC_GAUGE,
            "Absolute time difference; 0 unless both sides are synchronous methods",
        ),
    ),
)
