"""Addresses, processes, names of protocol codes, membership: what each overload gives.

The names stand here as Pixie's users know them: taken from `sylph.tables.enums` they would prove nothing.
"""

from tests.contract.overloads import Overloads

CASES = Overloads()
give = CASES.give
MAX, MIN = (1 << 63) - 1, -(1 << 63)
UPID = 7 << 96 | 42 << 64 | 99

for name in ("has_service_id", "has_service_name", "has_value"):
    give(
        name,
        "SS",
        "B",
        (("a", "a"), True),
        (('["a","b"]', "b"), True),
        (("ab", "a"), False),
        (('["ab"]', "a"), False),
        (('["a\\"b","\\u0063"]', 'a"b'), True),
        (('["a\\"b","\\u0063"]', "c"), True),
        (("", ""), True),
        (("", "a"), False),
        (("[", "["), True),
        (("[broken", "broken"), False),
    )
give("asid", "", "I", ((), 1))
give("upid", "III", "U", ((7, 42, 99), UPID), ((0, 0, 0), 0), ((0xFFFFFFFF, 0xFFFFFFFF, -1), (1 << 128) - 1))
give("upid", "II", "U", ((42, 99), 1 << 96 | 42 << 64 | 99))
give("upid_to_asid", "U", "I", ((UPID,), 7), (((1 << 128) - 1,), 0xFFFFFFFF), ((0,), 0))
give("upid_to_pid", "U", "I", ((UPID,), 42), (((1 << 128) - 1,), 0xFFFFFFFF), ((0,), 0))
give("upid_to_start_ts", "U", "T", ((UPID,), 99), ((0,), 0), (((1 << 64) - 1,), -1))
give(
    "upid_to_string",
    "U",
    "S",
    ((UPID,), "7:42:99"),
    ((0,), "0:0:0"),
    (((1 << 128) - 1,), "4294967295:4294967295:18446744073709551615"),
)
give("_exec_hostname", "", "S", ((), "node-1"))
give("_exec_host_num_cpus", "", "I", ((), 4))
give("vizier_id", "", "S", ((), ""))
give("vizier_name", "", "S", ((), ""))
give("vizier_namespace", "", "S", ((), ""))
give("get_cidrs", "", "S", ((), '["10.1.0.0/16"]'))
give(
    "pod_name_to_namespace",
    "S",
    "S",
    (("ns/pod",), "ns"),
    (("",), ""),
    (("pod",), ""),
    (("a/b/c",), "a"),
    (("é/x",), "é"),
)
give(
    "service_name_to_namespace",
    "S",
    "S",
    (("ns/svc",), "ns"),
    (("",), ""),
    (("svc",), ""),
    (('["ns/a","other/b"]',), "ns"),
)
give("nslookup", "S", "S", (("not an address",), "not an address"), (("",), ""))
give(
    "cidrs_contain_ip",
    "SS",
    "B",
    (('["10.0.0.0/8"]', "10.1.2.3"), True),
    (('["10.0.0.0/8"]', "11.1.2.3"), False),
    (("nonsense", "10.1.2.3"), False),
    (('["10.0.0.0/8"]', "x"), False),
    (('["x", "10.0.0.0/8"]', "10.0.0.1"), False, "any"),
    (('["fd00::/8"]', "fd00::1"), True),
    (("[]", "10.1.2.3"), False),
    (('["0.0.0.0/0"]', "1.2.3.4"), True),
    (("", ""), False),
)
give("shared_libraries", "U", "S", ((0,), "[]"), (((1 << 128) - 1,), "[]"))

give(
    "protocol_name",
    "I",
    "S",
    *(
        ((code,), name)
        for code, name in enumerate(
            (
                "Unknown",
                "HTTP",
                "HTTP2",
                "MySQL",
                "CQL",
                "PGSQL",
                "DNS",
                "Redis",
                "NATS",
                "Mongo",
                "Kafka",
                "Invalid (11)",
                "AMQP",
                "Invalid (13)",
            )
        )
    ),
    ((MIN,), f"Invalid ({MIN})"),
)
give(
    "http_resp_message",
    "I",
    "S",
    ((200,), "OK"),
    ((404,), "Not Found"),
    ((500,), "Internal Server Error"),
    ((599,), "Unassigned"),
    ((-1,), "Unassigned"),
    ((MAX,), "Unassigned"),
)
give("kafka_api_key_name", "I", "S", ((0,), "Produce"), ((1,), "Fetch"), ((-5,), "-5"), ((9999,), "9999"))
give("mysql_command_name", "I", "S", ((3,), "Query"), ((9999,), "9999"), ((MIN,), str(MIN)))
give("cql_opcode_name", "I", "S", ((7,), "Query"), ((9999,), "9999"))
give(
    "amqp_frame_type_name",
    "I",
    "S",
    ((1,), "Frame method"),
    ((2,), "Content Header"),
    ((3,), "Content Body"),
    ((8,), "Heartbeat"),
    ((9,), "9"),
)
give(
    "amqp_method_name",
    "II",
    "S",
    ((10, 11), "ConnectionStart-ok"),
    ((60, 40), "BasicPublish"),
    ((0, 0), "Unknown"),
    ((MIN, MAX), "Unknown"),
)
give(
    "mux_frame_type_name",
    "I",
    "S",
    ((1,), "Treq"),
    ((-1,), "Rreq"),
    ((2,), "Tdispatch"),
    ((99,), "Unknown (99)", "any"),
)
give(
    "dns_rcode_name",
    "I",
    "S",
    *(
        ((code,), name)
        for code, name in {
            0: "NOERROR",
            1: "FORMERR",
            2: "SERVFAIL",
            3: "NXDOMAIN",
            4: "NOTIMP",
            5: "REFUSED",
            6: "YXDOMAIN",
            7: "YXRRSET",
            8: "NXRRSET",
            9: "NOTAUTH",
            10: "NOTZONE",
            11: "DSOTYPENI",
            16: "BADVERS",
            17: "BADKEY",
            18: "BADTIME",
            19: "BADMODE",
            20: "BADNAME",
            21: "BADALG",
            22: "BADTRUNC",
            23: "BADCOOKIE",
            24: "24",
            -1: "-1",
        }.items()
    ),
)
CODES = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
]
give(
    "grpc_status_code_to_str",
    "I",
    "S",
    *(((code,), name) for code, name in enumerate(CODES)),
    ((17,), "unknown code"),
    ((-1,), "unknown code"),
)
