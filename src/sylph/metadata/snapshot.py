"""The metadata snapshot: what a host's state says, as the entity tables that queries look things up in."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sylph import __version__
from sylph.metadata.addresses import local_addresses
from sylph.metadata.host import HostState
from sylph.metadata.node import Node
from sylph.metadata.process import Process
from sylph.metadata.workload import Workload
from sylph.tables.entities import ENTITIES
from sylph.tables.rows import Row, record_batch

if TYPE_CHECKING:
    import pyarrow as pa

#: Pod id of what a whole network namespace carries, where no single pod owns it.
NETNS_POD = "netns:"


def upid_int(asid: int, pid: int, start_ticks: int) -> int:
    """The 128-bit id of a process: asid, pid (32 bits each), start ticks since boot (64 bits)."""
    return asid << 96 | pid << 64 | start_ticks


def _table(name: str, rows: Sequence[Row]) -> pa.Table:
    import pyarrow as pa

    return pa.Table.from_batches([record_batch(ENTITIES[name], rows)])


class Snapshots:
    """Entity tables of a host, built when asked for and kept until its state changes. Thread-safe."""

    def __init__(self, state: HostState, node: Node) -> None:
        self._state = state
        self._node = node
        self._lock = threading.Lock()
        self._version = -1
        self._tables: dict[str, pa.Table] = {}

    def entities(self) -> dict[str, pa.Table]:
        """One table for each entity of `sylph.tables.entities`."""
        with self._lock:
            version = self._state.version
            if version != self._version:
                self._tables = self._build()
                self._version = version
            return {**self._tables, "agent": _table("agent", [self._agent()])}

    def _agent(self) -> Row:
        node = self._node
        return {
            "agent_id": node.agent_id.int,
            "asid": node.asid,
            "hostname": node.hostname,
            "ip_address": "127.0.0.1",
            "agent_state": "AGENT_STATE_HEALTHY",
            "create_time": node.start_time,
            "last_heartbeat_ns": 0,
            "kernel_headers_installed": False,
            "node_name": node.hostname,
            "num_cpus": node.num_cpus,
            "version": __version__,
        }

    def _build(self) -> dict[str, pa.Table]:
        known = self._state.processes()
        pods = _Pods(self._node)
        for process, workload in known:
            pods.add(process, workload)
        rows: dict[str, Sequence[Row]] = {
            "process": [self._process(process, workload) for process, workload in known],
            "pod": pods.rows(),
            "container": pods.containers(),
            "service": pods.services(),
            "namespace": [{"namespace_id": f"namespace:{name}", "namespace": name} for name in sorted(pods.namespaces)],
            "address": pods.addresses(self._state),
        }
        return {name: _table(name, rows.get(name, ())) for name in ENTITIES}

    def _process(self, process: Process, workload: Workload) -> Row:
        return {
            "upid": upid_int(self._node.asid, process.pid, process.start_ticks),
            "asid": self._node.asid,
            "pid": process.pid,
            "start_ticks": process.start_ticks,
            "cmdline": process.cmdline,
            "comm": process.comm,
            "exe": process.exe,
            "container_id": workload.container_id,
            "container_name": workload.container_name,
            "pod_id": workload.pod_id,
            "pod_name": workload.pod,
            "pod_status": _status(running=process.stop_time == 0),
            "namespace": workload.namespace,
            "service_id": workload.service_id,
            "service_name": workload.service,
            "node_name": self._node.hostname,
            "hostname": self._node.hostname,
            "start_time": process.start_time,
            "stop_time": process.stop_time,
        }


def _status(*, running: bool) -> str:
    phase = "Running" if running else "Succeeded"
    return json.dumps({"phase": phase, "message": "", "reason": "", "ready": running}, separators=(",", ":"))


class _Pod:
    """A pod in the making: what its processes have in common."""

    __slots__ = ("netns", "start", "stop", "workload")

    def __init__(self, process: Process, workload: Workload) -> None:
        self.workload = workload
        self.start = process.start_time
        self.stop = process.stop_time
        self.netns = process.netns

    def add(self, process: Process) -> None:
        self.start = min(self.start, process.start_time)
        self.stop = 0 if 0 in (self.stop, process.stop_time) else max(self.stop, process.stop_time)
        if process.stop_time == 0:
            self.netns = process.netns


class _Pods:
    def __init__(self, node: Node) -> None:
        self._node = node
        self._pods: dict[str, _Pod] = {}
        self.namespaces: set[str] = set()

    def add(self, process: Process, workload: Workload) -> None:
        pod = self._pods.get(workload.pod_id)
        if pod is None:
            self._pods[workload.pod_id] = _Pod(process, workload)
            self.namespaces.add(workload.namespace)
        else:
            pod.add(process)

    def rows(self) -> list[Row]:
        rows: list[Row] = []
        for pod_id, pod in self._pods.items():
            workload = pod.workload
            rows.append(
                {
                    "pod_id": pod_id,
                    "pod_name": workload.pod,
                    "namespace": workload.namespace,
                    "node_name": self._node.hostname,
                    "hostname": self._node.hostname,
                    "labels": "{}",
                    "status": _status(running=pod.stop == 0),
                    "start_time": pod.start,
                    "stop_time": pod.stop,
                    "service_id": workload.service_id,
                    "service_name": workload.service,
                    "owner_references": "[]",
                }
            )
        # The host's own network namespace stands as a pod too, so that its traffic has a name.
        rows.append(
            {
                "pod_id": NETNS_POD,
                "pod_name": f"host/{self._node.hostname}",
                "namespace": "host",
                "node_name": self._node.hostname,
                "hostname": self._node.hostname,
                "labels": "{}",
                "status": _status(running=True),
                "start_time": self._node.start_time,
                "owner_references": "[]",
            }
        )
        return rows

    def containers(self) -> list[Row]:
        return [
            {
                "container_id": pod.workload.container_id,
                "container_name": pod.workload.container_name,
                "pod_id": pod_id,
                "status": json.dumps(
                    {"state": "Terminated" if pod.stop else "Running", "message": "", "reason": ""},
                    separators=(",", ":"),
                ),
                "start_time": pod.start,
                "stop_time": pod.stop,
            }
            for pod_id, pod in self._pods.items()
            if pod.workload.container_id
        ]

    def services(self) -> list[Row]:
        found = {pod.workload.service_id: pod.workload for pod in self._pods.values()}
        return [
            {
                "service_id": service_id,
                "service_name": workload.service,
                "namespace": workload.namespace,
                "external_ips": "[]",
            }
            for service_id, workload in found.items()
        ]

    def addresses(self, state: HostState) -> list[Row]:
        """Addresses that belong to exactly one pod: those of network namespaces that only one pod lives in."""
        alive = state.alive()
        host = alive[1].netns if 1 in alive else 0
        owners: dict[int, set[str]] = {}
        member: dict[int, int] = {}
        for process, workload in state.processes():
            if process.stop_time == 0 and process.netns not in (0, host):
                owners.setdefault(process.netns, set()).add(workload.pod_id)
                member[process.netns] = process.pid
        now = time.time_ns()
        rows: list[Row] = []
        for netns, pod_ids in owners.items():
            if len(pod_ids) != 1:
                continue
            pod = self._pods.get(next(iter(pod_ids)))
            if pod is None:
                continue
            rows.extend(
                {
                    "ip": address,
                    "pod_id": pod.workload.pod_id,
                    "service_id": pod.workload.service_id,
                    "start_time": min(pod.start, now),
                }
                for address in local_addresses(member[netns])
            )
        return rows
