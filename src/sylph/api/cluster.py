"""This host as the one cluster that clients find."""

from __future__ import annotations

import os
import socket
import uuid
from pathlib import Path

from sylph import __version__
from sylph.api.pb import cloudapi_pb2, uuid_pb2
from sylph.query.answer import Health

_NAMESPACE = uuid.UUID("6f5c5b0c-3c0e-5a56-9c5c-7d1b1a0f2f11")


def host_id() -> uuid.UUID:
    """An id that stays the same for this host; made of the machine id, which it does not reveal."""
    for path in (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id")):
        try:
            machine = path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            continue
        if machine:
            return uuid.uuid5(_NAMESPACE, machine)
    return uuid.uuid5(_NAMESPACE, socket.gethostname())


def uuid_message(value: uuid.UUID) -> uuid_pb2.UUID:
    """The two halves of a UUID."""
    return uuid_pb2.UUID(high_bits=value.int >> 64, low_bits=value.int & (2**64 - 1))


def cluster_info(request: cloudapi_pb2.GetClusterInfoRequest, health: Health) -> cloudapi_pb2.GetClusterInfoResponse:
    """This host, when all clusters or this one are asked for; otherwise nothing."""
    identity = host_id()
    response = cloudapi_pb2.GetClusterInfoResponse()
    if request.HasField("id") and request.id != uuid_message(identity):
        return response
    name = socket.gethostname()
    response.clusters.append(
        cloudapi_pb2.ClusterInfo(
            id=uuid_message(identity),
            status=cloudapi_pb2.CS_HEALTHY if health.ok else cloudapi_pb2.CS_UNHEALTHY,
            status_message=health.message,
            config=cloudapi_pb2.VizierConfig(passthrough_enabled=True),
            cluster_uid=str(identity),
            cluster_name=name,
            pretty_cluster_name=name,
            cluster_version=os.uname().release,
            vizier_version=__version__,
            num_nodes=1,
            num_instrumented_nodes=1,
        )
    )
    return response
