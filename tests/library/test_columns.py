"""Every script of the library compiles to the columns, types and widgets it must have."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from sylph.library import loader
from sylph.pxl.compile import Compiled, ExecFunc, check_script, compile_script
from sylph.pxl.errors import CompileError
from sylph.pxl.mutations import Kprobe, UpsertTracepoint
from sylph.tables import TABLES

EXPECTED = Path(__file__).parent / "expected"
NOW = 1_790_000_000_000_000_000
#: Keys of a display specification that name a column, besides those that end in Column.
COLUMNS = ("value", "series", "prebinCount", "label", "stackBy", "groupBy")
#: Values for arguments that a script insists on.
REQUIRED = {
    "namespace": "host",
    "pod": "host/nginx",
    "baseline_pod": "host/web",
    "requesting_pod": "host/curl",
    "responding_pod": "host/nginx",
    "node": "node",
    "service": "host/nginx",
    "ip": "10.0.0.1",
    "query": "SELECT ?",
}


#: Tracepoints of each script that deploys some: table, minutes to live, columns with the letter of their type.
PEERS = "time_:T, pid:I, pid_start_time:I, src_ip:S, src_port:I, dst_ip:S, dst_port:I, state:S"
TRACEPOINTS = {
    "bpftrace/capable": {
        "cap_capable_tracer": (
            "cap_capable_table",
            10,
            "time_:T, uid:I, pid:I, comm:S, cap:I, name:S, audit:I",
        )
    },
    "bpftrace/dc_snoop": {"dc_snoop_tracer": ("dc_snoop_table", 10, "time_:T, pid:I, comm:S, t:S, file:S")},
    "bpftrace/exec_snoop": {
        "exec_tracer": (
            "exec_table",
            5,
            "time_:T, pid:I, pid_start_time:I, ppid:I, ppid_start_time:I, filename:S, argv0:S, argv1:S",
        )
    },
    "bpftrace/md_flush": {"md_flush_tracer": ("md_flush_table", 10, "time_:T, pid:I, comm:S, device:S")},
    "bpftrace/nap_time": {"nap_time_tracer": ("nap_time_table", 10, "time_:T, ppid:I, pcomm:S, pid:I, comm:S")},
    "bpftrace/oom_kill": {
        "oom_kill_tracer": (
            "oom_kill_table",
            10,
            "time_:T, triggered_by_pid:I, triggered_by_comm:S, killed_pid:I, killed_comm:S, pages:I",
        )
    },
    "bpftrace/socket_size": {
        "sock_sendmsg_tracer": ("sock_sendmsg_table", 1, "time_:T, src_ip:S, dst_ip:S, size:I"),
        "sock_recvmsg_tracer": ("sock_recvmsg_table", 1, "time_:T, src_ip:S, dst_ip:S, size:I"),
    },
    "bpftrace/sync_snoop": {"sync_snoop_tracer": ("sync_snoop_table", 10, "time_:T, pid:I, comm:S, event:S")},
    "bpftrace/tcp_drops": {"tcp_drop_tracer": ("tcp_drop_table", 10, PEERS)},
    "bpftrace/tcp_retransmits": {"tcp_retransmit_tracer": ("tcp_retransmissions", 10, PEERS)},
    "pxbeta/vfs_snoop": {
        "vfs_tracer": (
            "vfs_table",
            5,
            "time_:T, pid:I, pid_start_time:I, op:S, filename:S, d1:S, d2:S",
        )
    },
}


def compiled(script_id: str) -> Compiled:
    """A script with all calls of its vis.json, compiled."""
    script = loader.load(script_id)
    calls = []
    if script.vis is not None:
        values = {
            variable.name: REQUIRED[variable.name] if variable.default is None else variable.default
            for variable in script.vis.variables
        }
        calls = [ExecFunc(call.function, call.output, call.bind(values)) for call in script.vis.calls]
    elif script_id == "bpftrace/socket_size":
        # A library of functions: it shows nothing by itself.
        calls = [ExecFunc(name, name, {}) for name in ("sock_sendmsg_func", "sock_recvmsg_func")]
    return check_script(script.text, tables=TABLES, now_ns=NOW, exec_funcs=calls)


def outputs(script_id: str) -> dict[str, list[list[str]]]:
    """Columns as [name, data type, semantic type] of each result table."""
    return {
        sink.name: [[name, kind.data.name, kind.semantic.name] for name, kind in sink.input.relation.items()]
        for sink in compiled(script_id).plan.sinks
    }


@pytest.mark.parametrize("script_id", loader.ids())
def test_columns_are_those_of_the_reference(script_id: str) -> None:
    found = outputs(script_id)
    path = EXPECTED / f"{script_id}.json"
    assert path.exists(), f"no expectation for {script_id}"
    assert found == json.loads(path.read_text())


@pytest.mark.parametrize("script_id", loader.ids())
def test_widgets_name_columns_that_exist(script_id: str) -> None:
    path = loader.FOLDER / script_id / "vis.json"
    if not path.exists():
        return
    found = outputs(script_id)
    for widget in json.loads(path.read_text())["widgets"]:
        output = widget.get("globalFuncOutputName") or widget["name"]
        columns = {name for name, _, _ in found[output]}
        used = set(columns_used(widget["displaySpec"]))
        assert used <= columns, f"{widget['name']}: {used - columns}"


def columns_used(spec: dict[str, object]) -> list[str]:
    """Names of columns in a widget's display specification."""
    found: list[str] = []
    for key, value in spec.items():
        if key in ("xAxis", "yAxis"):
            continue  # their labels are texts
        if isinstance(value, dict):
            found += columns_used(value)
        elif isinstance(value, list):
            for item in value:
                found += columns_used(item) if isinstance(item, dict) else [item]
        elif isinstance(value, str) and (key.endswith("Column") or key in COLUMNS):
            found.append(value)
    return found


@pytest.mark.parametrize("script_id", TRACEPOINTS)
def test_tracepoints_are_those_of_the_reference(script_id: str) -> None:
    found = {}
    for mutation in compiled(script_id).mutations:
        assert isinstance(mutation, UpsertTracepoint)
        assert mutation.target == Kprobe()
        assert mutation.relation is not None
        columns = ", ".join(f"{name}:{kind.data.name[0]}" for name, kind in mutation.relation.items())
        found[mutation.name] = (mutation.table, mutation.ttl_ns // (60 * 10**9), columns)
    assert found == TRACEPOINTS[script_id]


def test_every_script_that_traces_is_listed() -> None:
    assert {script_id for script_id in loader.ids() if compiled(script_id).mutations} == set(TRACEPOINTS)


@pytest.mark.parametrize("script_id", TRACEPOINTS)
def test_running_a_script_that_traces_is_a_clear_error(script_id: str) -> None:
    script = loader.load(script_id)
    functions = re.findall(r"^def (\w+_func)\(", script.text, re.MULTILINE)
    arguments = {variable.name: variable.default or "" for variable in script.vis.variables} if script.vis else {}
    bound = {name.replace("filter", "substr"): value for name, value in arguments.items()}
    with pytest.raises(CompileError, match=r"changes probes .* not supported yet"):
        compile_script(script.text, tables=TABLES, exec_funcs=[ExecFunc(name, name, bound) for name in functions])
