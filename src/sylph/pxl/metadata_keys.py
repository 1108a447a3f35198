"""The keys of `df.ctx[key]`, and the columns that each is found from."""

from __future__ import annotations

from collections.abc import Container
from types import MappingProxyType

_POD = ("upid", "pod_id", "pod_name")

#: Each key with the columns it can be found from, in the order they are looked for.
SOURCES = MappingProxyType(
    {
        "container_id": ("upid",),
        "service_id": ("upid", "service_name", "pod_id", "pod_name"),
        "pod_id": ("upid", "pod_name"),
        "deployment_id": ("upid", "deployment_name", "pod_id", "pod_name", "replicaset_id", "replicaset_name"),
        "replicaset_id": (*_POD, "replicaset_name"),
        "service_name": ("upid", "service_id", "pod_id", "pod_name"),
        "pod_name": ("upid", "pod_id"),
        "deployment_name": ("upid", "deployment_id", "pod_id", "pod_name", "replicaset_id", "replicaset_name"),
        "namespace": (*_POD, "service_name"),
        "replicaset_name": (*_POD, "replicaset_id"),
        "node_name": ("upid", "pod_id"),
        "hostname": ("upid",),
        "container_name": ("upid",),
        "cmdline": ("upid",),
        "asid": ("upid",),
        "pid": ("upid",),
    }
)
ALIASES = MappingProxyType(
    {
        "replica_set_id": "replicaset_id",
        "service": "service_name",
        "pod": "pod_name",
        "deployment": "deployment_name",
        "replica_set": "replicaset_name",
        "replicaset": "replicaset_name",
        "node": "node_name",
        "host": "hostname",
        "container": "container_name",
        "cmd": "cmdline",
    }
)


def source_of(key: str, columns: Container[str]) -> str | None:
    """Which of `columns` the metadata `key` would be found from; None if it is no key, or none is there."""
    return next((source for source in SOURCES.get(ALIASES.get(key, key), ()) if source in columns), None)
