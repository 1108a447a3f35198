"""Names of the codes that protocols use on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

from sylph.functions.declare import Example, Overload, Scalar
from sylph.functions.signature import quote, sql
from sylph.tables.enums import PROTOCOL

_NUMBER = "CAST({0} AS VARCHAR)"


def _numbered(names: str, start: int = 0) -> dict[int, str]:
    return dict(enumerate(names.split(), start))


MYSQL_COMMAND = MappingProxyType(
    _numbered(
        "Sleep Quit InitDB Query FieldList CreateDB DropDB Refresh Shutdown Statistics ProcessInfo Connect ProcessKill"
        " Debug Ping Time DelayedInsert ChangeUser BinlogDump TableDump ConnectOut RegisterSlave StmtPrepare"
        " StmtExecute StmtSendLongData StmtClose StmtReset SetOption StmtFetch Daemon BinlogDumpGTID ResetConnection"
    )
)
CQL_OPCODE = MappingProxyType(
    {
        0: "Error",
        1: "Startup",
        2: "Ready",
        3: "Authenticate",
        5: "Options",
        6: "Supported",
        7: "Query",
        8: "Result",
        9: "Prepare",
        10: "Execute",
        11: "Register",
        12: "Event",
        13: "Batch",
        14: "AuthChallenge",
        15: "AuthResponse",
        16: "AuthSuccess",
    }
)
KAFKA_API_KEY = MappingProxyType(
    _numbered(
        "Produce Fetch ListOffsets Metadata LeaderAndIsr StopReplica UpdateMetadata ControlledShutdown OffsetCommit"
        " OffsetFetch FindCoordinator JoinGroup Heartbeat LeaveGroup SyncGroup DescribeGroups ListGroups SaslHandshake"
        " ApiVersions CreateTopics DeleteTopics DeleteRecords InitProducerId OffsetForLeaderEpoch AddPartitionsToTxn"
        " AddOffsetsToTxn EndTxn WriteTxnMarkers TxnOffsetCommit DescribeAcls CreateAcls DeleteAcls DescribeConfigs"
        " AlterConfigs AlterReplicaLogDirs DescribeLogDirs SaslAuthenticate CreatePartitions CreateDelegationToken"
        " RenewDelegationToken ExpireDelegationToken DescribeDelegationToken DeleteGroups ElectLeaders"
        " IncrementalAlterConfigs AlterPartitionReassignments ListPartitionReassignments OffsetDelete"
        " DescribeClientQuotas AlterClientQuotas DescribeUserScramCredentials AlterUserScramCredentials"
    )
    | {56: "AlterIsr", 57: "UpdateFeatures", 60: "DescribeCluster", 61: "DescribeProducers"}
)
MUX_FRAME = MappingProxyType(
    {
        1: "Treq",
        -1: "Rreq",
        2: "Tdispatch",
        -2: "Rdispatch",
        64: "Tdrain",
        -64: "Rdrain",
        65: "Tping",
        -65: "Rping",
        66: "Tdiscarded",
        -66: "Rdiscarded",
        67: "Tlease",
        68: "Tinit",
        -68: "Rinit",
        -128: "Rerr",
        -62: "TdiscardedOld",
        127: "RerrOld",
    }
)
AMQP_FRAME = MappingProxyType({1: "Frame method", 2: "Content Header", 3: "Content Body", 8: "Heartbeat"})
_AMQP_METHODS: Mapping[int, tuple[str, Mapping[int, str]]] = MappingProxyType(
    {
        10: ("Connection", {10: "Start", 20: "Secure", 30: "Tune", 40: "Open", 50: "Close"}),
        20: ("Channel", {10: "Open", 20: "Flow", 40: "Close"}),
        40: ("Exchange", {10: "Declare", 20: "Delete"}),
        50: ("Queue", {10: "Declare", 20: "Bind", 30: "Purge", 40: "Delete", 50: "Unbind"}),
        60: ("Basic", {10: "Qos", 20: "Consume", 30: "Cancel", 110: "Recover"}),
        90: ("Tx", {10: "Select", 20: "Commit", 30: "Rollback"}),
    }
)
#: Methods without an answer, and those whose answers are not called -ok. Keys are class * 65536 + method.
_AMQP_OTHER = {
    (60, 40): "BasicPublish",
    (60, 50): "BasicReturn",
    (60, 60): "BasicDeliver",
    (60, 70): "BasicGet",
    (60, 71): "BasicGet-ok",
    (60, 72): "BasicGet-empty",
    (60, 80): "BasicAck",
    (60, 90): "BasicReject",
    (60, 100): "BasicRecover-async",
}
DNS_RCODE = MappingProxyType(
    _numbered("NOERROR FORMERR SERVFAIL NXDOMAIN NOTIMP REFUSED YXDOMAIN YXRRSET NXRRSET NOTAUTH NOTZONE DSOTYPENI")
    | _numbered("BADVERS BADKEY BADTIME BADMODE BADNAME BADALG BADTRUNC BADCOOKIE", 16)
)
GRPC_STATUS = MappingProxyType(
    _numbered(
        "OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED"
        " RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS"
        " UNAUTHENTICATED"
    )
)
#: Reason phrases of the IANA registry as of RFC 9110.
HTTP_REASON = MappingProxyType(
    {status.value: status.phrase for status in HTTPStatus}
    | {413: "Content Too Large", 414: "URI Too Long", 416: "Range Not Satisfiable", 418: "I'm a Teapot"}
    | {422: "Unprocessable Content"}
)


def _amqp_methods() -> dict[tuple[int, int], str]:
    names = dict(_AMQP_OTHER)
    for class_id, (class_name, methods) in _AMQP_METHODS.items():
        for method, name in methods.items():
            names[class_id, method] = f"{class_name}{name}"
            names[class_id, method + 1] = f"{class_name}{name}-ok"
    return names


def _case(names: Mapping[int, str], otherwise: str) -> tuple[Overload, ...]:
    whens = " ".join(f"WHEN {code} THEN {quote(name)}" for code, name in names.items())
    return sql("(I)->S", f"CASE {{0}} {whens} ELSE {otherwise} END")


def _amqp_sql() -> str:
    # Codes outside 16 bits must not meet those inside.
    whens = " ".join(
        f"WHEN {(class_id << 16) + method} THEN {quote(name)}" for (class_id, method), name in _amqp_methods().items()
    )
    in_range = "{0} BETWEEN 0 AND 65535 AND {1} BETWEEN 0 AND 65535"
    return f"CASE CASE WHEN {in_range} THEN {{0}} * 65536 + {{1}} ELSE -1 END {whens} ELSE 'Unknown' END"


#: Codes that conn_stats may hold but `protocol_name` calls invalid, as Pixie's does.
_UNNAMED_PROTOCOLS = ("Mux", "TLS")

FUNCTIONS = (
    Scalar(
        "protocol_name",
        "Name of a protocol code of conn_stats; `Invalid (n)` for other numbers, and for Mux (11) and TLS (13).",
        _case(
            {code: name for code, name in PROTOCOL.items() if name not in _UNNAMED_PROTOCOLS},
            f"concat('Invalid (', {_NUMBER}, ')')",
        ),
        examples=(Example("px.protocol_name(1)", "HTTP"), Example("px.protocol_name(11)", "Invalid (11)")),
        parameters=("protocol",),
    ),
    Scalar(
        "http_resp_message",
        "Reason phrase of an HTTP status code, `Unassigned` for a code that has none.",
        _case(HTTP_REASON, "'Unassigned'"),
        examples=(
            Example("px.http_resp_message(404)", "Not Found"),
            Example("px.http_resp_message(999)", "Unassigned"),
        ),
        parameters=("status",),
    ),
    Scalar(
        "kafka_api_key_name",
        "Name of a Kafka API key, the number as text when it has none.",
        _case(KAFKA_API_KEY, _NUMBER),
        examples=(Example("px.kafka_api_key_name(0)", "Produce"), Example("px.kafka_api_key_name(99)", "99")),
        parameters=("api_key",),
    ),
    Scalar(
        "mysql_command_name",
        "Name of a MySQL command code, the number as text when it has none.",
        _case(MYSQL_COMMAND, _NUMBER),
        examples=(Example("px.mysql_command_name(3)", "Query"),),
        parameters=("command",),
    ),
    Scalar(
        "cql_opcode_name",
        "Name of a Cassandra (CQL) opcode, the number as text when it has none.",
        _case(CQL_OPCODE, _NUMBER),
        examples=(Example("px.cql_opcode_name(7)", "Query"),),
        parameters=("opcode",),
    ),
    Scalar(
        "amqp_frame_type_name",
        "Name of an AMQP frame type, the number as text when it has none.",
        _case(AMQP_FRAME, _NUMBER),
        examples=(Example("px.amqp_frame_type_name(1)", "Frame method"),),
        parameters=("frame_type",),
    ),
    Scalar(
        "amqp_method_name",
        "Name of an AMQP method from its class and method ids, `Unknown` when it has none.",
        sql("(I,I)->S", _amqp_sql()),
        examples=(
            Example("px.amqp_method_name(10, 11)", "ConnectionStart-ok"),
            Example("px.amqp_method_name(60, 40)", "BasicPublish"),
            Example("px.amqp_method_name(0, 655371)", "Unknown"),
        ),
        parameters=("class_id", "method_id"),
    ),
    Scalar(
        "mux_frame_type_name",
        "Name of a Finagle Mux message type, `Unknown (n)` when it has none.",
        _case(MUX_FRAME, f"concat('Unknown (', {_NUMBER}, ')')"),
        examples=(
            Example("px.mux_frame_type_name(-2)", "Rdispatch"),
            Example("px.mux_frame_type_name(5)", "Unknown (5)"),
        ),
        parameters=("frame_type",),
    ),
    Scalar(
        "dns_rcode_name",
        "Name of a DNS response code, the number as text when it has none.",
        _case(DNS_RCODE, _NUMBER),
        examples=(Example("px.dns_rcode_name(3)", "NXDOMAIN"), Example("px.dns_rcode_name(16)", "BADVERS")),
        parameters=("rcode",),
    ),
    Scalar(
        "grpc_status_code_to_str",
        "Name of a gRPC status code, `unknown code` when it has none.",
        _case(GRPC_STATUS, "'unknown code'"),
        examples=(
            Example("px.grpc_status_code_to_str(5)", "NOT_FOUND"),
            Example("px.grpc_status_code_to_str(17)", "unknown code"),
        ),
        parameters=("code",),
    ),
)
