"""Every table that an agent can fill: one file each, found by name."""

from collections.abc import Mapping
from types import MappingProxyType

from sylph.tables import (
    agent_stats,
    amqp_events,
    capture_loss,
    conn_stats,
    cql_events,
    dns_events,
    http_events,
    jvm_stats,
    kafka_events,
    mongodb_events,
    mux_events,
    mysql_events,
    nats_events,
    network_stats,
    pgsql_events,
    probe_status,
    proc_exit_events,
    process_stats,
    redis_events,
    stack_traces,
    stirling_error,
    tls_events,
)
from sylph.tables.declare import Column, Table

#: All tables by name.
TABLES: Mapping[str, Table] = MappingProxyType(
    {
        module.TABLE.name: module.TABLE
        for module in (
            agent_stats,
            amqp_events,
            capture_loss,
            conn_stats,
            cql_events,
            dns_events,
            http_events,
            jvm_stats,
            kafka_events,
            mongodb_events,
            mux_events,
            mysql_events,
            nats_events,
            network_stats,
            pgsql_events,
            probe_status,
            proc_exit_events,
            process_stats,
            redis_events,
            stack_traces,
            stirling_error,
            tls_events,
        )
    }
)

__all__ = ["TABLES", "Column", "Table"]
