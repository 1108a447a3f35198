"""Who this node is: names and numbers that stay the same while an agent runs."""

from __future__ import annotations

import os
import platform
import uuid
from dataclasses import dataclass
from pathlib import Path

_ID_SPACE = uuid.UUID("6f3d1c2e-5b7a-4c0e-9a65-d2a4b8f7c310")


@dataclass(frozen=True, slots=True)
class Node:
    """A node. `cluster_id` names what the API calls a cluster; on a plain host that is the host itself."""

    hostname: str
    asid: int
    agent_id: uuid.UUID
    cluster_id: uuid.UUID
    cluster_name: str
    num_cpus: int
    kernel: str
    start_time: int


def _machine_id() -> str:
    for path in (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id")):
        try:
            if text := path.read_text("ascii").strip():
                return text
        except OSError:
            continue
    return platform.node()


def this_node(start_time: int, asid: int = 1) -> Node:
    """This host. Ids are derived from the machine id, so that they outlive restarts."""
    machine = _machine_id()
    hostname = platform.node() or "localhost"
    return Node(
        hostname=hostname,
        asid=asid,
        agent_id=uuid.uuid5(_ID_SPACE, f"agent {machine}"),
        cluster_id=uuid.uuid5(_ID_SPACE, f"cluster {machine}"),
        cluster_name=hostname,
        num_cpus=os.cpu_count() or 1,
        kernel=platform.release(),
        start_time=start_time,
    )
