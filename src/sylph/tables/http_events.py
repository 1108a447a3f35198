"""The table `http_events`."""

from sylph.tables.declare import Column, Table
from sylph.tables.enums import HTTP_CONTENT_TYPE, TRACE_ROLE
from sylph.tables.types import DataType, PatternType, SemanticType

TABLE = Table(
    name="http_events",
    description="HTTP/1.x, HTTP/2 and gRPC requests with their responses, one row a pair; time_ is the response's.",
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
        Column(
            "major_version",
            DataType.INT64,
            SemanticType.ST_NONE,
            PatternType.GENERAL_ENUM,
            "1 for HTTP/1.x, 2 for HTTP/2 and gRPC",
        ),
        Column(
            "minor_version",
            DataType.INT64,
            SemanticType.ST_NONE,
            PatternType.GENERAL_ENUM,
            "Minor HTTP/1 version; 0 for HTTP/2",
        ),
        Column(
            "content_type",
            DataType.INT64,
            SemanticType.ST_NONE,
            PatternType.GENERAL_ENUM,
            "Payload class: 0 unknown, 1 JSON, 2 gRPC",
            HTTP_CONTENT_TYPE,
        ),
        Column(
            "req_headers",
            DataType.STRING,
            SemanticType.ST_NONE,
            PatternType.STRUCTURED,
            "Request headers, JSON object text, cut at 8192 B",
        ),
        Column("req_method", DataType.STRING, SemanticType.ST_HTTP_REQ_METHOD, PatternType.GENERAL_ENUM, "Verb"),
        Column(
            "req_path",
            DataType.STRING,
            SemanticType.ST_NONE,
            PatternType.STRUCTURED,
            "Request target incl. query string",
        ),
        Column(
            "req_body",
            DataType.STRING,
            SemanticType.ST_NONE,
            PatternType.STRUCTURED,
            "Request body text, cut at max_body_bytes (512)",
        ),
        Column("req_body_size", DataType.INT64, SemanticType.ST_BYTES, PatternType.METRIC_GAUGE, "Original body size"),
        Column(
            "resp_headers",
            DataType.STRING,
            SemanticType.ST_NONE,
            PatternType.STRUCTURED,
            "Response headers JSON, cut at 8192 B",
        ),
        Column(
            "resp_status",
            DataType.INT64,
            SemanticType.ST_HTTP_RESP_STATUS,
            PatternType.GENERAL_ENUM,
            "Status code (-1 if unparsable for HTTP/2)",
        ),
        Column(
            "resp_message",
            DataType.STRING,
            SemanticType.ST_HTTP_RESP_MESSAGE,
            PatternType.STRUCTURED,
            "Reason phrase; constant OK for HTTP/2",
        ),
        Column(
            "resp_body", DataType.STRING, SemanticType.ST_NONE, PatternType.STRUCTURED, "Response body text, cut at 512"
        ),
        Column("resp_body_size", DataType.INT64, SemanticType.ST_BYTES, PatternType.METRIC_GAUGE, "Original body size"),
        Column(
            "latency",
            DataType.INT64,
            SemanticType.ST_DURATION_NS,
            PatternType.METRIC_GAUGE,
            "Response time minus request time, ns (0 when either side has no timestamp)",
        ),
    ),
    share=0.4,
)
