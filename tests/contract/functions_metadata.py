"""Look-ups in metadata: what each gives for what is known, and for what is not."""

from __future__ import annotations

import pyarrow as pa

from sylph.tables.entities import ENTITIES
from sylph.tables.rows import record_batch
from tests.contract.overloads import Overloads

CASES = Overloads()
give = CASES.give
UPID = 1 << 96 | 7 << 64 | 9
STATUS = '{"phase":"Running","message":"","reason":"","ready":true}'
OWNED = {
    "service_id": "s1", "service_name": "ns/svc", "replicaset_id": "r1", "replicaset_name": "ns/rs", "deployment_id": "d1", "deployment_name": "ns/dep",
}  # fmt: skip
ROWS: dict[str, list[dict[str, object]]] = {
    "process": [{
        "upid": UPID, "asid": 1, "pid": 7, "cmdline": "nginx -g x", "container_id": "c1", "container_name": "main", "pod_id": "p1", "pod_name": "ns/pod", "pod_qos": "kBurstable",
        "pod_status": STATUS, "namespace": "ns", "node_name": "node-1", "hostname": "pod", **OWNED,
    }],
    "pod": [
        {"pod_id": "p1", "pod_name": "ns/pod", "namespace": "ns", "node_name": "node-1", "pod_ip": "10.0.0.1", "labels": '{"app":"x"}', "status": STATUS, "start_time": 5, "stop_time": 0, "owner_references": '["{}"]', **OWNED},
        {"pod_id": "p2", "pod_name": "ns/old", "namespace": "ns", "start_time": 1, "stop_time": 3, "service_name": '["ns/a","ns/b"]'},
    ],
    "container": [{"container_id": "c1", "container_name": "main", "pod_id": "p1", "status": '{"state":"Running"}', "start_time": 6, "stop_time": 8}],
    "service": [{"service_id": "s1", "service_name": "ns/svc", "namespace": "ns", "cluster_ip": "10.9.0.1", "external_ips": '["1.2.3.4"]'}],
    "replicaset": [{"replicaset_id": "r1", "replicaset_name": "ns/rs", "namespace": "ns", "status": '{"replicas":1}', "deployment_id": "d1", "deployment_name": "ns/dep", "owner_references": "[]", "start_time": 11, "stop_time": 12}],
    "deployment": [{"deployment_id": "d1", "deployment_name": "ns/dep", "namespace": "ns", "status": '{"replicas":2}', "start_time": 13, "stop_time": 14}],
    "namespace": [{"namespace_id": "n1", "namespace": "ns"}],
    "address": [
        {"ip": "10.0.0.1", "pod_id": "p2", "start_time": 1, "stop_time": 3},
        {"ip": "10.0.0.1", "pod_id": "p1", "service_id": "s1", "start_time": 5},
        {"ip": "10.9.0.1", "service_id": "s1", "start_time": 1},
    ],
}  # fmt: skip


def metadata() -> dict[str, pa.Table]:
    return {name: pa.Table.from_batches([record_batch(ENTITIES[name], rows)]) for name, rows in ROWS.items()}


OF_UPID = {
    "container_id": "c1", "cmdline": "nginx -g x", "container_name": "main", "hostname": "pod", "namespace": "ns", "node_name": "node-1", "pod_id": "p1", "pod_name": "ns/pod",
    "pod_qos": "kBurstable", "pod_status": STATUS, **OWNED,
}  # fmt: skip
for value, wanted in OF_UPID.items():
    give(f"upid_to_{value}", "U", "S", ((UPID,), wanted), ((0,), ""), (((1 << 128) - 1,), ""))
give(
    "_upid_to_podname_local_addr_fallback",
    "UST",
    "S",
    ((UPID, "", 0), "ns/pod"),
    ((5, "10.0.0.1", 2), "ns/old"),
    ((5, "10.0.0.1", 7), "ns/pod"),
    ((5, "10.0.0.1", 4), ""),
    ((5, "x", 2), ""),
)
OF_POD = {**OWNED, "owner_references": '["{}"]'}
for key, known in (("pod_id", "p1"), ("pod_name", "ns/pod")):
    for value, wanted in OF_POD.items():
        give(f"{key}_to_{value}", "S", "S", ((known,), wanted), (("",), ""), (("é",), ""))
    old = "p2" if key == "pod_id" else "ns/old"
    give(f"{key}_to_start_time", "S", "T", ((known,), 5), ((old,), 1), (("x",), 0))
    give(f"{key}_to_stop_time", "S", "T", ((known,), 0), ((old,), 3), (("x",), 0))
for name, wanted in {
    "pod_id_to_pod_name": "ns/pod", "pod_id_to_pod_labels": '{"app":"x"}', "pod_id_to_namespace": "ns", "pod_id_to_node_name": "node-1",
}.items():  # fmt: skip
    give(name, "S", "S", (("p1",), wanted), (("x",), ""))
for name, wanted in {
    "pod_name_to_pod_id": "p1",
    "pod_name_to_pod_ip": "10.0.0.1",
    "pod_name_to_status": STATUS,
}.items():
    give(name, "S", "S", (("ns/pod",), wanted), (("x",), ""))
CASES.calls.pop("pod_id_to_service_name(STRING)")
give("pod_id_to_service_name", "S", "S", (("p1",), "ns/svc"), (("p2",), '["ns/a","ns/b"]'), (("",), ""))
give("container_id_to_status", "S", "S", (("c1",), '{"state":"Running"}'), (("x",), ""))
give("container_name_to_container_id", "S", "S", (("main",), "c1"), (("x",), ""))
for key, known in (("container_id", "c1"), ("container_name", "main")):
    give(f"{key}_to_start_time", "S", "T", ((known,), 6), (("x",), 0))
    give(f"{key}_to_stop_time", "S", "T", ((known,), 8), (("x",), 0))
give("ip_to_pod_id", "S", "S", (("10.0.0.1",), "p1"), (("10.0.0.9",), ""), (("",), ""))
give(
    "ip_to_pod_id",
    "ST",
    "S",
    (("10.0.0.1", 2), "p2"),
    (("10.0.0.1", 3), ""),
    (("10.0.0.1", 5), "p1"),
    (("10.0.0.1", -1), ""),
)
give("ip_to_service_id", "S", "S", (("10.9.0.1",), "s1"), (("10.0.0.1",), "s1"), (("x",), ""))
give("service_id_to_cluster_ip", "S", "S", (("s1",), "10.9.0.1"), (("x",), ""))
give("service_id_to_external_ips", "S", "S", (("s1",), '["1.2.3.4"]'), (("x",), ""))
give("service_id_to_service_name", "S", "S", (("s1",), "ns/svc"), (("x",), ""))
give("service_name_to_service_id", "S", "S", (("ns/svc",), "s1"), (("svc",), ""))
give("replicaset_id_to_replicaset_name", "S", "S", (("r1",), "ns/rs"), (("x",), ""))
give("replicaset_name_to_replicaset_id", "S", "S", (("ns/rs",), "r1"), (("x",), ""))
give("deployment_id_to_deployment_name", "S", "S", (("d1",), "ns/dep"), (("x",), ""))
give("deployment_name_to_deployment_id", "S", "S", (("ns/dep",), "d1"), (("x",), ""))
for entity, keys, values in (
    ("replicaset", ("r1", "ns/rs"), {"namespace": "ns", "owner_references": "[]", "status": '{"replicas":1}', "deployment_name": "ns/dep", "deployment_id": "d1"}),
    ("deployment", ("d1", "ns/dep"), {"namespace": "ns", "status": '{"replicas":2}'}),
):  # fmt: skip
    first = 11 if entity == "replicaset" else 13
    for key, known in zip((f"{entity}_id", f"{entity}_name"), keys, strict=True):
        for value, wanted in values.items():
            give(f"{key}_to_{value}", "S", "S", ((known,), wanted), (("x",), ""))
        give(f"{key}_to_start_time", "S", "T", ((known,), first), (("x",), 0))
        give(f"{key}_to_stop_time", "S", "T", ((known,), first + 1), (("x",), 0))
give("namespace_name_to_namespace_id", "S", "S", (("ns",), "n1"), (("x",), ""))
