"""Metadata of processes: what is known of a UPID, and the UPID itself.

A UPID is asid << 96 | pid << 64 | start ticks. What a node knows of itself (asid, hostname, num_cpus,
vizier_id, vizier_name, vizier_namespace, cidrs) are named constants of templates, which whoever runs them fills in.
"""

from __future__ import annotations

from sylph.functions.declare import Example, Lookup, Overload, Placement, Scalar, SemanticRule, no_meaning
from sylph.functions.example_cluster import known, looked_up
from sylph.functions.semantics import always
from sylph.functions.signature import lookup, parse, sql, wrap_int64
from sylph.tables.types import DataType
from sylph.tables.types import SemanticType as St

_BITS = "CAST({0} AS UHUGEINT)"
_ASID = f"CAST({_BITS} >> 96 AS BIGINT)"
_PID = f"CAST(({_BITS} >> 64) & 4294967295 AS BIGINT)"
_TICKS = wrap_int64(f"CAST({_BITS} & 18446744073709551615 AS HUGEINT)")


def _upid(asid: str, pid: str, ticks: str) -> str:
    return (
        f"CAST((CAST({asid} & 4294967295 AS UHUGEINT) << 96) | (CAST({pid} & 4294967295 AS UHUGEINT) << 64)"
        f" | CAST(CAST({ticks} AS HUGEINT) & 18446744073709551615 AS UHUGEINT) AS UUID)"
    )


def _of(value: str, doc: str, semantic: SemanticRule = no_meaning) -> Scalar:
    """A look-up in the process entity, which only the process's own agent has."""
    return Scalar(
        f"upid_to_{value}",
        f"{doc} Empty when the process is not known.",
        lookup("(U)->S", "process", "upid", value),
        semantic,
        Placement.AGENT,
        examples=(looked_up(f"upid_to_{value}", "process", "upid", value),),
        parameters=("upid",),
    )


FUNCTIONS = (
    Scalar(
        "asid",
        "Short id of the agent that runs this part of the query.",
        sql("()->I", "CAST({asid} AS BIGINT)"),
        always(St.ST_ASID),
        examples=(known("asid", "asid"),),
    ),
    Scalar(
        "upid",
        "The UPID of a process, from the agent's short id, the PID and the start time in clock ticks. Without the id,"
        " that of the agent which runs this part of the query.",
        sql("(I,I,I)->U", _upid("{0}", "{1}", "{2}")) + sql("(I,I)->U", _upid("CAST({asid} AS BIGINT)", "{0}", "{1}")),
        always(St.ST_UPID),
        examples=(Example("px.upid_to_string(px.upid(1, 2, 3))", "1:2:3"),),
        parameters=("asid", "pid", "start_ticks"),
    ),
    Scalar(
        "upid_to_asid",
        "Short id of the agent that knows the process.",
        sql("(U)->I", _ASID),
        always(St.ST_ASID),
        examples=(Example("px.upid_to_asid(px.upid(7, 2, 3))", 7),),
        parameters=("upid",),
    ),
    Scalar(
        "upid_to_pid",
        "PID of the process.",
        sql("(U)->I", _PID),
        examples=(Example("px.upid_to_pid(px.upid(7, 2, 3))", 2),),
        parameters=("upid",),
    ),
    Scalar(
        "upid_to_start_ts",
        "Start time of the process, in clock ticks since boot, as a time.",
        sql("(U)->T", _TICKS),
        examples=(Example("px.upid_to_start_ts(px.upid(7, 2, 3))", 3),),
        parameters=("upid",),
    ),
    Scalar(
        "upid_to_string",
        "The UPID as text: asid:pid:start.",
        sql("(U)->S", f"concat({_ASID}, ':', {_PID}, ':', CAST({_BITS} & 18446744073709551615 AS UBIGINT))"),
        examples=(Example("px.upid_to_string(px.upid(1, 4294967295, 5))", "1:4294967295:5"),),
        parameters=("upid",),
    ),
    _of("container_id", "Id of the container that the process runs in."),
    _of("cmdline", "Command line of the process."),
    _of("container_name", "Name of the container that the process runs in.", always(St.ST_CONTAINER_NAME)),
    _of("hostname", "Host name that the process sees."),
    _of("namespace", "Namespace of the process's pod.", always(St.ST_NAMESPACE_NAME)),
    _of("node_name", "Node that the process runs on.", always(St.ST_NODE_NAME)),
    _of("pod_id", "Id of the process's pod."),
    _of("pod_name", "Pod of the process, as namespace/name.", always(St.ST_POD_NAME)),
    _of("pod_qos", "Quality-of-service class of the process's pod."),
    _of("pod_status", "Status of the process's pod, as for `pod_name_to_status`.", always(St.ST_POD_STATUS)),
    _of(
        "service_name",
        "Services of the process's pod: namespace/name, or a JSON array of them when there are several.",
        always(St.ST_SERVICE_NAME),
    ),
    _of("service_id", "Ids of the services of the process's pod; a JSON array when there are several."),
    _of("replicaset_name", "ReplicaSet of the process's pod, as namespace/name."),
    _of("replicaset_id", "Id of the ReplicaSet of the process's pod."),
    _of("deployment_name", "Deployment of the process's pod, as namespace/name."),
    _of("deployment_id", "Id of the Deployment of the process's pod."),
    Scalar(
        "_upid_to_podname_local_addr_fallback",
        "Pod of the process; when the process is not known, the pod that had the local address at that time.",
        (
            Overload(
                args=parse("(U,S,T)->S")[1],
                result=DataType.STRING,
                lookup=Lookup(
                    "process",
                    "upid",
                    "pod_name",
                    otherwise=(Lookup("address", "ip", "pod_id", at=True), Lookup("pod", "pod_id", "pod_name")),
                ),
            ),
        ),
        always(St.ST_POD_NAME),
        Placement.AGENT,
        examples=(
            Example(
                "px._upid_to_podname_local_addr_fallback(px.upid(0, 1, 0), '10.1.0.7', px.int64_to_time(px.now()))",
                "shop/cart-1",
            ),
        ),
        parameters=("upid", "local_addr", "time"),
    ),
    Scalar(
        "_exec_hostname",
        "Host name of the machine that runs this part of the query.",
        sql("()->S", "{hostname}"),
        examples=(known("_exec_hostname", "hostname"),),
    ),
    Scalar(
        "_exec_host_num_cpus",
        "CPUs of the machine that runs this part of the query.",
        sql("()->I", "CAST({num_cpus} AS BIGINT)"),
        examples=(known("_exec_host_num_cpus", "num_cpus"),),
    ),
    Scalar(
        "vizier_id",
        "Id of the cluster, a UUID as text.",
        sql("()->S", "{vizier_id}"),
        examples=(known("vizier_id", "vizier_id"),),
    ),
    Scalar(
        "vizier_name",
        "Name of the cluster.",
        sql("()->S", "{vizier_name}"),
        examples=(known("vizier_name", "vizier_name"),),
    ),
    Scalar(
        "vizier_namespace",
        "Namespace that Sylph runs in.",
        sql("()->S", "{vizier_namespace}"),
        examples=(known("vizier_namespace", "vizier_namespace"),),
    ),
    Scalar(
        "get_cidrs",
        "JSON array of the cluster's address ranges: of pods, of the bridges at their .1 addresses, and of services.",
        sql("()->S", "CASE WHEN {cidrs} = '' THEN '[]' ELSE {cidrs} END"),
        examples=(known("get_cidrs", "cidrs"),),
    ),
)
