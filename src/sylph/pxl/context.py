"""`df.ctx[key]`: who a row belongs to, as calls of metadata functions."""

from __future__ import annotations

from types import MappingProxyType

from sylph.pxl.errors import Kind, listing, suggestion
from sylph.pxl.scalars import call
from sylph.pxl.values import Fault, Frame, Scalar

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
#: What scripts mostly ask for.
_USUAL = ("pod", "service", "namespace", "node", "container", "deployment", "cmdline", "pid", "hostname", "asid")


def metadata(frame: Frame, key: str) -> Scalar:
    """The expression that `frame.ctx[key]` stands for."""
    name = ALIASES.get(key, key)
    sources = SOURCES.get(name)
    if sources is None:
        hint = suggestion(key, (*SOURCES, *ALIASES)) or f"keys are {listing(_USUAL)}, and ids such as 'pod_id'"
        raise Fault(f"metadata property '{key}' not found", Kind.METADATA, hint)
    columns = frame.columns
    source = next((source for source in sources if source in columns), None)
    if source is None:
        needs = "column" if len(sources) == 1 else "one of the columns"
        hint = f"take ctx before agg, keep or drop removes them; columns are {listing(columns)}"
        for short, full in ALIASES.items():
            if short in columns and full in sources:
                hint = f"'{short}' is not looked at, '{full}' is: df.{full} = df.{short}"
                break
        raise Fault(f"cannot find '{key}': it needs {needs} {listing(sources)}", Kind.METADATA, hint)
    if name == "pod_name" and source == "upid" and "local_addr" in columns and "time_" in columns:
        function = "_upid_to_podname_local_addr_fallback"
        args = ["upid", "local_addr", "time_"]
    else:
        function = f"{source}_to_{name}"
        args = [source]
    return call(function, [Scalar(columns[arg], columns) for arg in args])
