"""A small made-up cluster: who its processes are, for rows that metadata can say something about."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from sylph.tables.entities import ENTITIES
from sylph.tables.rows import Row, record_batch

ASID = 1
NODE = "node-1"
#: Pods' addresses, and with them what is inside the cluster.
NETWORK = "10.1.0.0/16"
#: A peer outside the cluster: its name is in every hosts file, so that looking it up asks nobody.
OUTSIDE = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod with one container, one process and one service."""

    number: int
    namespace: str
    name: str
    cmdline: str

    @property
    def full_name(self) -> str:
        """Namespace and name."""
        return f"{self.namespace}/{self.name}"

    @property
    def service(self) -> str:
        """The pod's service: its name without the number."""
        return f"{self.namespace}/{self.name.rpartition('-')[0]}"

    @property
    def ip(self) -> str:
        """The pod's address."""
        return f"10.1.0.{self.number}"

    @property
    def pid(self) -> int:
        """The process."""
        return 1000 + self.number

    @property
    def upid(self) -> int:
        """The process with its agent and start."""
        return ASID << 96 | self.pid << 64 | self.start_ticks

    @property
    def start_ticks(self) -> int:
        """When the process started, in ticks since boot."""
        return 5000 + self.number

    @property
    def pod_id(self) -> str:
        """The pod's uid."""
        return f"00000000-0000-4000-8000-{self.number:012d}"

    @property
    def container_id(self) -> str:
        """The container's id."""
        return f"{self.number:064x}"


WEB = Pod(1, "shop", "web-1", "nginx -g 'daemon off;'")
WEB_2 = Pod(2, "shop", "web-2", "nginx -g 'daemon off;'")
CART = Pod(3, "shop", "cart-1", "java -Xmx512m -jar cart.jar")
CURL = Pod(4, "shop", "curl-1", "curl http://web/")
MYSQL = Pod(5, "data", "mysql-0", "mysqld")
POSTGRES = Pod(6, "data", "postgres-0", "postgres")
REDIS = Pod(7, "data", "redis-0", "redis-server *:6379")
CASSANDRA = Pod(8, "data", "cassandra-0", "java -jar cassandra.jar")
KAFKA = Pod(9, "data", "kafka-0", "java kafka.Kafka")
RABBIT = Pod(10, "data", "rabbit-0", "beam.smp -- rabbit")
MONGO = Pod(11, "data", "mongo-0", "mongod")
NATS = Pod(12, "data", "nats-0", "nats-server")
DNS = Pod(13, "kube-system", "coredns-0", "coredns")
AGENT = Pod(14, "kube-system", "sylph-0", "sylph agent")
PODS = (WEB, WEB_2, CART, CURL, MYSQL, POSTGRES, REDIS, CASSANDRA, KAFKA, RABBIT, MONGO, NATS, DNS, AGENT)

#: What the node knows of itself, as `sylph.query.dataset.Dataset.constants`.
CONSTANTS: Mapping[str, str | int] = {
    "asid": ASID,
    "hostname": NODE,
    "num_cpus": 4,
    "cidrs": json.dumps([NETWORK]),
}


def entities(now_ns: int) -> dict[str, pa.Table]:
    """The metadata snapshot; every pod started an hour before `now_ns` and runs."""
    started = now_ns - 3600 * 10**9
    status = json.dumps({"phase": "Running", "message": "", "reason": "", "ready": True})
    container_status = json.dumps({"state": "Running", "message": "", "reason": ""})
    rows: dict[str, list[Row]] = {name: [] for name in ENTITIES}
    for pod in PODS:
        where = {
            "pod_id": pod.pod_id,
            "pod_name": pod.full_name,
            "namespace": pod.namespace,
            "node_name": NODE,
            "hostname": NODE,
            "service_id": f"service-{pod.service}",
            "service_name": pod.service,
            "start_time": started,
        }
        container = {"container_id": pod.container_id, "container_name": pod.name.rpartition("-")[0]}
        process = {
            "upid": pod.upid,
            "asid": ASID,
            "pid": pod.pid,
            "start_ticks": pod.start_ticks,
            "cmdline": pod.cmdline,
            "comm": pod.cmdline.split()[0],
            "pod_status": status,
        }
        rows["process"].append({**where, **container, **process})
        rows["pod"].append({**where, "pod_ip": pod.ip, "status": status, "labels": "{}"})
        rows["container"].append({**container, "pod_id": pod.pod_id, "status": container_status, "start_time": started})
        rows["address"].append({"ip": pod.ip, "pod_id": pod.pod_id, "start_time": started})
    services = {pod.service: pod.namespace for pod in PODS}
    rows["service"] = [
        {"service_id": f"service-{name}", "service_name": name, "namespace": namespace}
        for name, namespace in services.items()
    ]
    rows["namespace"] = [
        {"namespace_id": f"namespace-{name}", "namespace": name} for name in sorted({pod.namespace for pod in PODS})
    ]
    rows["agent"] = [
        {
            "agent_id": AGENT.upid,
            "asid": ASID,
            "hostname": NODE,
            "agent_state": "AGENT_STATE_HEALTHY",
            "create_time": started,
            "kernel_headers_installed": True,
            "node_name": NODE,
            "num_cpus": 4,
        }
    ]
    return {name: pa.Table.from_batches([record_batch(ENTITIES[name], found)]) for name, found in rows.items()}
