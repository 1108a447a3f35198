"""Metadata of services, ReplicaSets, Deployments and namespaces; membership in a list of services."""

from __future__ import annotations

from sylph.functions.declare import Example, Placement, Scalar
from sylph.functions.example_cluster import looked_up
from sylph.functions.metadata_pod import NAMESPACE_PART, by, times
from sylph.functions.semantics import always
from sylph.functions.signature import lookup, sql
from sylph.tables.types import SemanticType as St

_STATUS = "Status as JSON: counts of replicas, observed_generation, conditions"
_OWNERS = "JSON array of owners, each JSON text with uid, kind and name"
#: Only text that begins like an array is read as one. In JSON a backslash may stand for part of the value.
_HAS = (
    "({0} = {1} OR CASE WHEN starts_with({0}, '[') AND (contains({0}, {1}) OR contains({0}, '\\'))"
    " THEN coalesce(list_contains(from_json(TRY_CAST({0} AS JSON), '[\"VARCHAR\"]'), {1}), false) ELSE false END)"
)


def _has(name: str, what: str) -> Scalar:
    return Scalar(
        name,
        f"Whether the first argument is the {what}, or is a JSON array that has it.",
        sql("(S,S)->B", _HAS),
        examples=(
            Example(f"""px.{name}('["a","b"]', 'b')""", True),
            Example(f"px.{name}('a', 'a')", True),
            Example(f"px.{name}('ab', 'a')", False),
        ),
        parameters=("values", "value"),
    )


def _replicaset(key: str) -> tuple[Scalar, ...]:
    return (
        *times("replicaset", key),
        by("replicaset", key, "namespace", "Namespace of the ReplicaSet"),
        by("replicaset", key, "owner_references", _OWNERS),
        by("replicaset", key, "status", _STATUS),
        by("replicaset", key, "deployment_name", "Deployment that owns the ReplicaSet, as namespace/name"),
        by("replicaset", key, "deployment_id", "Id of the Deployment that owns the ReplicaSet"),
    )


def _deployment(key: str) -> tuple[Scalar, ...]:
    return (
        *times("deployment", key),
        by("deployment", key, "namespace", "Namespace of the Deployment"),
        by("deployment", key, "status", _STATUS),
    )


FUNCTIONS = (
    _has("has_service_id", "service's id"),
    _has("has_service_name", "service's name"),
    _has("has_value", "value"),
    by("service", "service_id", "cluster_ip", "IP address of the service", always(St.ST_IP_ADDRESS)),
    by("service", "service_id", "external_ips", "JSON array of the service's external addresses"),
    by("service", "service_id", "service_name", "The service, as namespace/name", always(St.ST_SERVICE_NAME)),
    by("service", "service_name", "service_id", "Id of the service"),
    Scalar(
        "service_name_to_namespace",
        "The namespace in a service's name, which is namespace/name; of several services, that of the first.",
        sql("(S)->S", NAMESPACE_PART),
        always(St.ST_NAMESPACE_NAME),
        examples=(
            Example("px.service_name_to_namespace('shop/cart')", "shop"),
            Example("""px.service_name_to_namespace('["shop/cart","b/c"]')""", "shop"),
        ),
        parameters=("service_name",),
    ),
    Scalar(
        "ip_to_service_id",
        "Id of the service with that cluster IP, else ids of the services of the pod that has it.",
        lookup("(S)->S", "address", "ip", "service_id"),
        placement=Placement.BROKER,
        examples=(looked_up("ip_to_service_id", "address", "ip", "service_id"),),
        parameters=("ip",),
    ),
    by("replicaset", "replicaset_id", "replicaset_name", "The ReplicaSet, as namespace/name"),
    *_replicaset("replicaset_id"),
    by("replicaset", "replicaset_name", "replicaset_id", "Id of the ReplicaSet"),
    *_replicaset("replicaset_name"),
    by("deployment", "deployment_id", "deployment_name", "The Deployment, as namespace/name"),
    *_deployment("deployment_id"),
    by("deployment", "deployment_name", "deployment_id", "Id of the Deployment"),
    *_deployment("deployment_name"),
    Scalar(
        "namespace_name_to_namespace_id",
        "Id of the namespace. Empty when it is not known.",
        lookup("(S)->S", "namespace", "namespace", "namespace_id"),
        examples=(looked_up("namespace_name_to_namespace_id", "namespace", "namespace", "namespace_id"),),
        parameters=("namespace",),
    ),
)
