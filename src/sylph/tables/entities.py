"""Entities: what metadata knows of processes, pods, services and addresses, as tables that queries look things up in.

An agent and a broker each publish one Arrow table per entity, the *metadata snapshot*; functions such as
`upid_to_pod_name` are look-ups in it. A missing value is the type's zero ("" or 0), never null.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sylph.tables.types import ColumnType, DataType, Relation, SemanticType


def _relation(**columns: DataType | ColumnType) -> Relation:
    return MappingProxyType(
        {name: column if isinstance(column, ColumnType) else ColumnType(column) for name, column in columns.items()}
    )


#: A process: who it is and where it runs. stop_time is 0 while it lives.
PROCESS = _relation(
    upid=ColumnType(DataType.UINT128, SemanticType.ST_UPID),
    asid=ColumnType(DataType.INT64, SemanticType.ST_ASID),
    pid=DataType.INT64,
    start_ticks=DataType.INT64,
    cmdline=DataType.STRING,
    comm=DataType.STRING,
    exe=DataType.STRING,
    container_id=DataType.STRING,
    container_name=ColumnType(DataType.STRING, SemanticType.ST_CONTAINER_NAME),
    pod_id=DataType.STRING,
    pod_name=ColumnType(DataType.STRING, SemanticType.ST_POD_NAME),
    pod_qos=DataType.STRING,
    pod_status=ColumnType(DataType.STRING, SemanticType.ST_POD_STATUS),
    namespace=ColumnType(DataType.STRING, SemanticType.ST_NAMESPACE_NAME),
    service_id=DataType.STRING,
    service_name=ColumnType(DataType.STRING, SemanticType.ST_SERVICE_NAME),
    replicaset_id=DataType.STRING,
    replicaset_name=DataType.STRING,
    deployment_id=DataType.STRING,
    deployment_name=DataType.STRING,
    node_name=ColumnType(DataType.STRING, SemanticType.ST_NODE_NAME),
    hostname=DataType.STRING,
    start_time=DataType.TIME64NS,
    stop_time=DataType.TIME64NS,
)

#: A pod, or what stands for one on a plain host.
POD = _relation(
    pod_id=DataType.STRING,
    pod_name=ColumnType(DataType.STRING, SemanticType.ST_POD_NAME),
    namespace=ColumnType(DataType.STRING, SemanticType.ST_NAMESPACE_NAME),
    node_name=ColumnType(DataType.STRING, SemanticType.ST_NODE_NAME),
    hostname=DataType.STRING,
    pod_ip=ColumnType(DataType.STRING, SemanticType.ST_IP_ADDRESS),
    labels=DataType.STRING,
    status=ColumnType(DataType.STRING, SemanticType.ST_POD_STATUS),
    qos=DataType.STRING,
    start_time=DataType.TIME64NS,
    stop_time=DataType.TIME64NS,
    service_id=DataType.STRING,
    service_name=ColumnType(DataType.STRING, SemanticType.ST_SERVICE_NAME),
    replicaset_id=DataType.STRING,
    replicaset_name=DataType.STRING,
    deployment_id=DataType.STRING,
    deployment_name=DataType.STRING,
    owner_references=DataType.STRING,
)

#: A container of a pod.
CONTAINER = _relation(
    container_id=DataType.STRING,
    container_name=ColumnType(DataType.STRING, SemanticType.ST_CONTAINER_NAME),
    pod_id=DataType.STRING,
    status=ColumnType(DataType.STRING, SemanticType.ST_CONTAINER_STATUS),
    start_time=DataType.TIME64NS,
    stop_time=DataType.TIME64NS,
)

#: A service.
SERVICE = _relation(
    service_id=DataType.STRING,
    service_name=ColumnType(DataType.STRING, SemanticType.ST_SERVICE_NAME),
    namespace=ColumnType(DataType.STRING, SemanticType.ST_NAMESPACE_NAME),
    cluster_ip=ColumnType(DataType.STRING, SemanticType.ST_IP_ADDRESS),
    external_ips=DataType.STRING,
)

#: A ReplicaSet.
REPLICASET = _relation(
    replicaset_id=DataType.STRING,
    replicaset_name=DataType.STRING,
    namespace=ColumnType(DataType.STRING, SemanticType.ST_NAMESPACE_NAME),
    status=DataType.STRING,
    deployment_id=DataType.STRING,
    deployment_name=DataType.STRING,
    owner_references=DataType.STRING,
    start_time=DataType.TIME64NS,
    stop_time=DataType.TIME64NS,
)

#: A Deployment.
DEPLOYMENT = _relation(
    deployment_id=DataType.STRING,
    deployment_name=DataType.STRING,
    namespace=ColumnType(DataType.STRING, SemanticType.ST_NAMESPACE_NAME),
    status=DataType.STRING,
    start_time=DataType.TIME64NS,
    stop_time=DataType.TIME64NS,
)

#: A namespace.
NAMESPACE = _relation(
    namespace_id=DataType.STRING,
    namespace=ColumnType(DataType.STRING, SemanticType.ST_NAMESPACE_NAME),
)

#: Who owned an IP address, and when; stop_time is 0 while it still does.
ADDRESS = _relation(
    ip=ColumnType(DataType.STRING, SemanticType.ST_IP_ADDRESS),
    pod_id=DataType.STRING,
    service_id=DataType.STRING,
    start_time=DataType.TIME64NS,
    stop_time=DataType.TIME64NS,
)

#: An agent, as the broker knows it.
AGENT = _relation(
    agent_id=DataType.UINT128,
    asid=ColumnType(DataType.INT64, SemanticType.ST_ASID),
    hostname=DataType.STRING,
    ip_address=DataType.STRING,
    agent_state=DataType.STRING,
    create_time=DataType.TIME64NS,
    last_heartbeat_ns=DataType.INT64,
    kernel_headers_installed=DataType.BOOLEAN,
    node_name=ColumnType(DataType.STRING, SemanticType.ST_NODE_NAME),
    num_cpus=DataType.INT64,
    version=DataType.STRING,
    profiler_sampling_period_ms=DataType.INT64,
)

#: All entities by name.
ENTITIES: Mapping[str, Relation] = MappingProxyType(
    {
        "process": PROCESS,
        "pod": POD,
        "container": CONTAINER,
        "service": SERVICE,
        "replicaset": REPLICASET,
        "deployment": DEPLOYMENT,
        "namespace": NAMESPACE,
        "address": ADDRESS,
        "agent": AGENT,
    }
)
