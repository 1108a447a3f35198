"""Every table that an agent fills: one file each, found by name."""

from collections.abc import Mapping
from types import MappingProxyType

from sylph.tables import (
    agent_stats,
    capture_loss,
    conn_stats,
    http_events,
    network_stats,
    probe_status,
    proc_exit_events,
    process_stats,
    stirling_error,
)
from sylph.tables.declare import Column, Table

#: All tables by name.
TABLES: Mapping[str, Table] = MappingProxyType(
    {
        module.TABLE.name: module.TABLE
        for module in (
            agent_stats,
            capture_loss,
            conn_stats,
            http_events,
            network_stats,
            probe_status,
            proc_exit_events,
            process_stats,
            stirling_error,
        )
    }
)

__all__ = ["TABLES", "Column", "Table"]
