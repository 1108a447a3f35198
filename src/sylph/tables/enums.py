"""Names of the integer codes that table columns hold."""

from __future__ import annotations

from types import MappingProxyType

TRACE_ROLE = MappingProxyType({1: "client", 2: "server", 4: "unknown"})

ADDR_FAMILY = MappingProxyType({0: "unspecified", 1: "IPv4", 2: "IPv6", 3: "unix", 4: "other"})

PROTOCOL = MappingProxyType(
    dict(
        enumerate(
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
                "Mux",
                "AMQP",
                "TLS",
            )
        )
    )
)

HTTP_CONTENT_TYPE = MappingProxyType({0: "unknown", 1: "JSON", 2: "gRPC"})

STATUS = MappingProxyType(
    dict(
        enumerate(
            (
                "OK",
                "CANCELLED",
                "UNKNOWN",
                "INVALID_ARGUMENT",
                "DEADLINE_EXCEEDED",
                "NOT_FOUND",
                "ALREADY_EXISTS",
                "PERMISSION_DENIED",
                "UNAUTHENTICATED",
                "INTERNAL",
                "UNIMPLEMENTED",
                "RESOURCE_UNAVAILABLE",
                "SYSTEM",
                "FAILED_PRECONDITION",
            )
        )
    )
)

#: Why something is missing from a table; the `cause` column of `capture_loss`.
LOSS_CAUSE = (
    "ring_full",
    "gap",
    "budget",
    "parse_error",
    "capped",
    "no_response",
    "no_request",
    "fault",
    "torn_segment",
)
