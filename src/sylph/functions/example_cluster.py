"""The made-up cluster that examples of metadata functions ask: one pod with all that belongs to it.

`shop/cart-1` is a pod of the Deployment `shop/cart` on `node-1`; its process has PID 17 there.
"""

from __future__ import annotations

from collections.abc import Mapping

from sylph.functions.declare import Example

ASID, PID, START_TICKS = 1, 17, 5000
_IP, _CLUSTER_IP = "10.1.0.7", "10.96.0.10"
_STARTED, _STOPPED = 1_700_000_000_000_000_000, 0

_NAMES = {
    "pod_id": "pod-1",
    "pod_name": "shop/cart-1",
    "namespace": "shop",
    "service_id": "service-1",
    "service_name": "shop/cart",
    "replicaset_id": "rs-1",
    "replicaset_name": "shop/cart-7d9c",
    "deployment_id": "deployment-1",
    "deployment_name": "shop/cart",
    "node_name": "node-1",
    "hostname": "cart-1",
}
_CONTAINER = {"container_id": "c0ffee", "container_name": "cart"}
_TIMES = {"start_time": _STARTED, "stop_time": _STOPPED}
_POD_STATUS = '{"phase":"Running","message":"","reason":"","ready":true}'
_REPLICAS = '{"replicas":1,"ready_replicas":1,"observed_generation":1,"conditions":[]}'


def _some(*names: str) -> dict[str, str]:
    return {name: _NAMES[name] for name in names}


#: One row for each entity, by column.
ENTITY_ROWS: Mapping[str, Mapping[str, int | str]] = {
    "process": {
        **_NAMES,
        **_CONTAINER,
        **_TIMES,
        "upid": ASID << 96 | PID << 64 | START_TICKS,
        "asid": ASID,
        "pid": PID,
        "start_ticks": START_TICKS,
        "cmdline": "java -jar cart.jar",
        "pod_qos": "kBurstable",
        "pod_status": _POD_STATUS,
    },
    "pod": {
        **_NAMES,
        **_TIMES,
        "pod_ip": _IP,
        "labels": '{"app":"cart"}',
        "status": _POD_STATUS,
        "owner_references": '["{\\"uid\\":\\"rs-1\\",\\"kind\\":\\"ReplicaSet\\",\\"name\\":\\"cart-7d9c\\"}"]',
    },
    "container": {
        **_CONTAINER,
        **_TIMES,
        "pod_id": _NAMES["pod_id"],
        "status": '{"state":"Running","message":"","reason":""}',
    },
    "service": {
        **_some("service_id", "service_name", "namespace"),
        "cluster_ip": _CLUSTER_IP,
        "external_ips": '["203.0.113.5"]',
    },
    "replicaset": {
        **_some("replicaset_id", "replicaset_name", "namespace", "deployment_id", "deployment_name"),
        **_TIMES,
        "status": _REPLICAS,
        "owner_references": '["{\\"uid\\":\\"deployment-1\\",\\"kind\\":\\"Deployment\\",\\"name\\":\\"cart\\"}"]',
    },
    "deployment": {
        **_some("deployment_id", "deployment_name", "namespace"),
        **_TIMES,
        "status": _REPLICAS,
    },
    "namespace": {"namespace_id": "namespace-1", "namespace": _NAMES["namespace"]},
    "address": {**_some("pod_id", "service_id"), **_TIMES, "ip": _IP},
}

#: What the agent of the node knows of itself.
CONSTANTS: Mapping[str, int | str] = {
    "asid": ASID,
    "hostname": "node-1",
    "num_cpus": 4,
    "vizier_id": "3f2b8c1a-5a0d-4d8e-9d43-0c2f6f1b7e55",
    "vizier_name": "shop",
    "vizier_namespace": "pl",
    "cidrs": '["10.1.0.0/16"]',
}

#: What the examples ask, for readers of the docs.
LEGEND = (
    f"Examples of metadata functions ask a made-up cluster: pod `{_NAMES['pod_name']}` (id `{_NAMES['pod_id']}`,"
    f" address `{_IP}`) of Deployment and service `{_NAMES['deployment_name']}`, on `{_NAMES['node_name']}`, started at"
    f" {_STARTED} ns. Its process is `px.upid({ASID}, {PID}, {START_TICKS})`."
)


def looked_up(function: str, entity: str, key: str, value: str) -> Example:
    """`px.function(key)` with the value that the cluster has."""
    row = ENTITY_ROWS[entity]
    argument = f"px.upid({ASID}, {PID}, {START_TICKS})" if key == "upid" else repr(row[key])
    return Example(f"px.{function}({argument})", row[value])


def known(function: str, constant: str) -> Example:
    """`px.function()` with what the agent knows."""
    return Example(f"px.{function}()", CONSTANTS[constant])
