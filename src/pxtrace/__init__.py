"""`pxtrace` as editors and type checkers see it: probes on running programs and on the kernel, put there by a script.

A script that uses it changes what agents record; its text is compiled and never runs as Python.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, TypeVar

from px.frame import Column
from px.outside import outside

__all__ = [
    "ArgExpr",
    "DeleteTracepoint",
    "FunctionLatency",
    "LabelSelector",
    "PodProcess",
    "RetExpr",
    "SharedObject",
    "TraceProgram",
    "UpsertTracepoint",
    "kprobe",
    "probe",
]


class Probed:
    """A value that a probe records: an argument, what is returned, or the time taken."""


class Target:
    """Where a probe goes."""


class TraceProgram:
    """A bpftrace program for agents that every selector fits.

    `min_kernel` and `max_kernel` are versions such as '5.17.0', `host_name` is the name of one host.
    """

    def __init__(self, program: str, *, min_kernel: str = "", max_kernel: str = "", host_name: str = "") -> None:
        raise outside("pxtrace.TraceProgram")


#: What a function under @probe returns: columns by name.
Columns: TypeAlias = Sequence[Mapping[str, Probed]]
ProbeFunction = TypeVar("ProbeFunction", bound=Callable[[], Columns])


def probe(fn_name: str) -> Callable[[ProbeFunction], ProbeFunction]:
    """Marks a function that says what to record of the probed program's function `fn_name`."""
    raise outside("pxtrace.probe")


def ArgExpr(expr: str) -> Probed:
    """An argument, or a field of one: 'request.path'."""
    raise outside("pxtrace.ArgExpr")


def RetExpr(expr: str) -> Probed:
    """What is returned, or a field of it: '$0', '$0.length'."""
    raise outside("pxtrace.RetExpr")


def FunctionLatency() -> Probed:
    """How long the call took, in ns."""
    raise outside("pxtrace.FunctionLatency")


def kprobe() -> Target:
    """The kernel, for bpftrace programs."""
    raise outside("pxtrace.kprobe")


def SharedObject(name: str, upid: Column | str) -> Target:
    """A library without path and version, such as 'libc', found through a process that uses it."""
    raise outside("pxtrace.SharedObject")


def PodProcess(pod_name: str, container_name: str = "", process_name: str = "") -> Target:
    """A process of a pod: 'namespace/pod' or how it begins; `process_name` is a regex of the command line."""
    raise outside("pxtrace.PodProcess")


def LabelSelector(
    labels: Mapping[str, str], namespace: str, container_name: str = "", process_name: str = ""
) -> Target:
    """Processes of the pods of a namespace that carry all labels."""
    raise outside("pxtrace.LabelSelector")


def UpsertTracepoint(
    name: str,
    table_name: str,
    probe_fn: Callable[[], Columns] | str | TraceProgram | Sequence[TraceProgram],
    target: Target | Column,
    ttl: str,
) -> None:
    """Deploys a tracepoint that fills a table, or lets it live for another `ttl`, such as '10m'."""
    raise outside("pxtrace.UpsertTracepoint")


def DeleteTracepoint(name: str) -> None:
    """Removes a tracepoint."""
    raise outside("pxtrace.DeleteTracepoint")
