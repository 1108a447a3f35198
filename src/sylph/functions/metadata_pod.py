"""Metadata of pods, containers and addresses."""

from __future__ import annotations

from sylph.functions.declare import Example, Lookup, Overload, Placement, Scalar, SemanticRule, no_meaning
from sylph.functions.example_cluster import looked_up
from sylph.functions.semantics import always
from sylph.functions.signature import lookup, sql
from sylph.tables.types import DataType
from sylph.tables.types import SemanticType as St

#: What stands before the slash of namespace/name, also of the first name of a JSON array.
NAMESPACE_PART = "regexp_extract({0}, '^(?:\\[\")?([^/\"]*)/', 1)"

#: Values of a pod: entity column, what it is, semantic rule.
_POD: tuple[tuple[str, str, SemanticRule], ...] = (
    ("replicaset_name", "ReplicaSet that owns the pod, as namespace/name", no_meaning),
    ("replicaset_id", "Id of the ReplicaSet that owns the pod", no_meaning),
    ("deployment_name", "Deployment that owns the pod, as namespace/name", no_meaning),
    ("deployment_id", "Id of the Deployment that owns the pod", no_meaning),
    ("service_id", "Ids of the pod's services; a JSON array when there are several", no_meaning),
    ("owner_references", "JSON array of the pod's owners, each JSON text with uid, kind and name", no_meaning),
)
_TIMES = (
    ("start_time", "When the {} started; 0 when it is not known"),
    ("stop_time", "When the {} stopped; 0 while it runs or when it is not known"),
)


def service_of_pod(arguments: tuple[St, ...]) -> St:
    """Services of something known to be a pod's name are known to be services."""
    return St.ST_SERVICE_NAME if arguments[0] is St.ST_POD_NAME else St.ST_NONE


def by(entity: str, key: str, value: str, doc: str, semantic: SemanticRule = no_meaning, *, column: str = "") -> Scalar:
    """`KEY_to_VALUE` as a look-up of `column` (default: `value`) by `key` in an entity."""
    kind = "T" if value in ("start_time", "stop_time") else "S"
    return Scalar(
        f"{key}_to_{value}",
        doc if kind == "T" else f"{doc}. Empty when it is not known.",
        lookup(f"(S)->{kind}", entity, key, column or value),
        semantic,
        examples=(looked_up(f"{key}_to_{value}", entity, key, column or value),),
        parameters=(key,),
    )


def times(entity: str, key: str) -> tuple[Scalar, ...]:
    """Start and stop time by one key."""
    return tuple(by(entity, key, value, f"{doc.format(entity)}.") for value, doc in _TIMES)


def _pod(key: str) -> tuple[Scalar, ...]:
    return tuple(by("pod", key, value, doc, rule) for value, doc, rule in _POD) + times("pod", key)


FUNCTIONS = (
    *_pod("pod_id"),
    by("pod", "pod_id", "pod_name", "The pod, as namespace/name", always(St.ST_POD_NAME)),
    by("pod", "pod_id", "pod_labels", "The pod's labels, a JSON object", column="labels"),
    by("pod", "pod_id", "namespace", "Namespace of the pod", always(St.ST_NAMESPACE_NAME)),
    by("pod", "pod_id", "node_name", "Node that the pod runs on", always(St.ST_NODE_NAME)),
    by(
        "pod",
        "pod_id",
        "service_name",
        "The pod's services: namespace/name, or a JSON array when there are several",
        always(St.ST_SERVICE_NAME),
    ),
    *_pod("pod_name"),
    by("pod", "pod_name", "pod_id", "Id of the pod"),
    by("pod", "pod_name", "pod_ip", "IP address of the pod"),
    by(
        "pod",
        "pod_name",
        "service_name",
        "The pod's services: namespace/name, or a JSON array when there are several",
        service_of_pod,
    ),
    by(
        "pod",
        "pod_name",
        "status",
        "The pod's status as JSON: phase (Running, Pending, Succeeded, Failed, Terminated, Unknown), message,"
        " reason, ready",
        always(St.ST_POD_STATUS),
    ),
    Scalar(
        "pod_name_to_namespace",
        "The namespace in a pod's name, which is namespace/name.",
        sql("(S)->S", NAMESPACE_PART),
        always(St.ST_NAMESPACE_NAME),
        examples=(Example("px.pod_name_to_namespace('shop/cart-1')", "shop"),),
        parameters=("pod_name",),
    ),
    by(
        "container",
        "container_id",
        "status",
        "The container's status as JSON: state (Running, Terminated, Waiting, Unknown), message, reason",
        always(St.ST_CONTAINER_STATUS),
    ),
    *times("container", "container_id"),
    by("container", "container_name", "container_id", "Id of the container with that name"),
    *times("container", "container_name"),
    Scalar(
        "ip_to_pod_id",
        "Id of the pod that has the IP address, or had it at the given time. Empty when none is known.",
        (
            *lookup("(S)->S", "address", "ip", "pod_id"),
            Overload(
                args=(DataType.STRING, DataType.TIME64NS),
                result=DataType.STRING,
                lookup=Lookup("address", "ip", "pod_id", at=True),
            ),
        ),
        placement=Placement.BROKER,
        examples=(looked_up("ip_to_pod_id", "address", "ip", "pod_id"),),
        parameters=("ip", "time"),
    ),
)
