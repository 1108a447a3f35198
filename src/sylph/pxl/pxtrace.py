"""The module `pxtrace`: probes on running programs and on the kernel, as typed mutations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sylph.pxl import times
from sylph.pxl.arguments import optional, required, string, wrong_type
from sylph.pxl.bpftrace import ProgramError, relation
from sylph.pxl.errors import Kind
from sylph.pxl.mutations import (
    DeleteTracepoint,
    Kprobe,
    LabelSelector,
    PodProcess,
    Probe,
    Probed,
    SharedObject,
    Target,
    TraceProgram,
    Upid,
    UpsertTracepoint,
)
from sylph.pxl.values import Bound, Builtin, Fault, Module, ProbeFunction, Scalar, UserFunction, article, literal
from sylph.tables.types import DataType, Relation

if TYPE_CHECKING:
    from sylph.pxl.interpreter import Interpreter

_SELECTORS = ("min_kernel", "max_kernel", "host_name")
_TARGETS = (Kprobe, SharedObject, PodProcess, LabelSelector)


def pxtrace_module(_interpreter: Interpreter) -> Module:
    """The module for one compilation."""
    empty = literal("")
    functions = (
        Builtin("probe", _probe, required("fn_name")),
        Builtin("ArgExpr", lambda bound: Probed("arg", string(bound, "expr")), required("expr")),
        Builtin("RetExpr", _returned, required("expr")),
        Builtin("FunctionLatency", lambda _bound: Probed("latency")),
        Builtin("UpsertTracepoint", _upsert, required("name", "table_name", "probe_fn", "target", "ttl")),
        Builtin("DeleteTracepoint", _delete, required("name")),
        Builtin("TraceProgram", _program, required("program"), extra=True),
        Builtin("SharedObject", _shared_object, required("name", "upid")),
        Builtin("kprobe", lambda _bound: Kprobe()),
        Builtin(
            "PodProcess", _pod_process, (*required("pod_name"), *optional(container_name=empty, process_name=empty))
        ),
        Builtin(
            "LabelSelector",
            _label_selector,
            (*required("labels", "namespace"), *optional(container_name=empty, process_name=empty)),
        ),
    )
    return Module("pxtrace", {function.name: function for function in functions})


def _probe(bound: Bound) -> Builtin:
    name = string(bound, "fn_name")
    if not name:
        raise Fault("a probe needs the name of a function", Kind.TRACING, node=bound.node("fn_name"))

    def decorate(inner: Bound) -> ProbeFunction:
        function = inner.values["function"]
        if isinstance(function, ProbeFunction):
            raise Fault("a function describes one probe", Kind.TRACING)
        if not isinstance(function, UserFunction):
            raise Fault("pxtrace.probe() decorates a function", Kind.TRACING)
        return ProbeFunction(name, function)

    return Builtin("probe", decorate, required("function"))


def _returned(bound: Bound) -> Probed:
    expression = string(bound, "expr")
    if not re.match(r"\$[0-9]+(\.|$)", expression):
        raise Fault("a returned value is written as '$0' or '$0.field'", Kind.TRACING, "", bound.node("expr"))
    return Probed("ret", expression)


def _program(bound: Bound) -> TraceProgram:
    selectors = {}
    for name, value in bound.extra.items():
        text = value.literal if isinstance(value, Scalar) else None
        if name not in _SELECTORS:
            hint = f"selectors are {', '.join(_SELECTORS)}"
            raise Fault(f"'{name}' is not a selector", Kind.TRACING, hint, bound.node(name))
        if not isinstance(text, str) or not text:
            raise Fault(f"selector '{name}' needs a text", Kind.TRACING, node=bound.node(name))
        if name != "host_name" and not re.fullmatch(r"\d{1,5}(\.\d{1,5}){1,2}", text):
            raise Fault(
                f"selector '{name}' needs a kernel version such as '5.18.0'", Kind.TRACING, "", bound.node(name)
            )
        selectors[name] = text
    return TraceProgram(string(bound, "program"), selectors)


def _shared_object(bound: Bound) -> SharedObject:
    return SharedObject(string(bound, "name"), _upid(bound.values["upid"], bound, "upid"))


def _upid(value: object, bound: Bound, name: str) -> int:
    constant = value.literal if isinstance(value, Scalar) and value.type.data is DataType.UINT128 else None
    if not isinstance(constant, int):
        raise wrong_type(bound, name, "UPID")
    return constant


def _pod_process(bound: Bound) -> PodProcess:
    return PodProcess(*(string(bound, name) for name in ("pod_name", "container_name", "process_name")))


def _label_selector(bound: Bound) -> LabelSelector:
    labels = bound.values["labels"]
    if not isinstance(labels, dict) or not labels:
        raise wrong_type(bound, "labels", "dict of strings")
    texts = {}
    for key, value in labels.items():
        text = value.literal if isinstance(value, Scalar) else None
        if not isinstance(key, str) or not isinstance(text, str):
            raise Fault("labels are strings", Kind.TRACING, node=bound.node("labels"))
        texts[key] = text
    return LabelSelector(texts, *(string(bound, name) for name in ("namespace", "container_name", "process_name")))


def _delete(bound: Bound) -> None:
    bound.interpreter.mutations.append(DeleteTracepoint(string(bound, "name")))


def _upsert(bound: Bound) -> None:
    name, table = string(bound, "name"), string(bound, "table_name")
    for argument, text in (("name", name), ("table_name", table)):
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.\-]{0,127}", text):
            raise Fault(
                f"'{text[:60]}' cannot be the {argument} of a tracepoint", Kind.TRACING, "", bound.node(argument)
            )
    if table in bound.interpreter.tables:
        raise Fault(f"there is already a table '{table}'", Kind.TRACING, "", bound.node("table_name"))
    target = _target(bound)
    programs, columns = _programs(bound, target)
    try:
        ttl = times.parse_duration(string(bound, "ttl"))
    except times.TimeError as error:
        raise Fault(str(error), Kind.TIME, node=bound.node("ttl")) from None
    if ttl <= 0:
        raise Fault("'ttl' must be longer than zero", Kind.TRACING, node=bound.node("ttl"))
    found = UpsertTracepoint(name, table, programs, target, ttl, columns)
    for known in bound.interpreter.mutations:
        if isinstance(known, UpsertTracepoint) and known != found:
            if known.name == name:
                raise Fault(f"tracepoint '{name}' is defined twice", Kind.TRACING, "", bound.node("name"))
            if known.table == table and known.relation != columns:
                message = f"table '{table}' has other columns in tracepoint '{known.name}'"
                raise Fault(message, Kind.TRACING, "", bound.node("table_name"))
    bound.interpreter.mutations.append(found)


def _target(bound: Bound) -> Target:
    target = bound.values["target"]
    if isinstance(target, _TARGETS):
        return target
    if isinstance(target, Scalar):
        return Upid(_upid(target, bound, "target"))
    hint = "targets are a UPID, pxtrace.PodProcess, LabelSelector, SharedObject and kprobe()"
    raise Fault(f"{article(target)} is not a target", Kind.TRACING, hint, bound.node("target"))


def _programs(bound: Bound, target: Target) -> tuple[tuple[TraceProgram, ...] | Probe, Relation | None]:
    given = bound.values["probe_fn"]
    where = bound.node("probe_fn")
    if isinstance(given, ProbeFunction):
        if isinstance(target, Kprobe):
            raise Fault("a probe function needs a process; kprobe() takes bpftrace programs", Kind.TRACING, node=where)
        return Probe(given.target, _columns(bound, given)), None
    if isinstance(given, Scalar) and isinstance(given.literal, str):
        given = TraceProgram(given.literal)
    programs = list(given) if isinstance(given, (list, tuple)) else [given]
    if not programs or not all(isinstance(program, TraceProgram) for program in programs):
        hint = "give a function with @pxtrace.probe, a bpftrace program, or pxtrace.TraceProgram(...)"
        raise Fault(f"{article(given)} is not a probe", Kind.TRACING, hint, where)
    try:
        relations = [relation(program.program) for program in programs]
    except ProgramError as error:
        raise Fault(str(error), Kind.TRACING, error.hint, where) from None
    if any(list(other.items()) != list(relations[0].items()) for other in relations):
        raise Fault("the programs do not print the same columns", Kind.TRACING, node=where)
    return tuple(programs), relations[0]


def _columns(bound: Bound, probe: ProbeFunction) -> Mapping[str, Probed]:
    result = bound.interpreter.call_user(probe.function, [], [], bound.node("probe_fn"))
    rows: list[Any] = result if isinstance(result, list) and result else [result]
    columns: dict[str, Probed] = {}
    for row in rows:
        if not isinstance(row, dict) or not row:
            hint = "return [{'column': pxtrace.ArgExpr('x')}]"
            raise Fault(f"{probe.function.name}() gives no columns", Kind.TRACING, hint, bound.node("probe_fn"))
        for name, value in row.items():
            if not isinstance(name, str) or not isinstance(value, Probed):
                message = f"column '{name}' must be pxtrace.ArgExpr, RetExpr or FunctionLatency, not {article(value)}"
                raise Fault(message, Kind.TRACING, "", bound.node("probe_fn"))
            if name in columns:
                raise Fault(
                    f"{probe.function.name}() gives column '{name}' twice", Kind.TRACING, "", bound.node("probe_fn")
                )
            columns[name] = value
    return columns
