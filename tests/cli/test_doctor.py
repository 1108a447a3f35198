import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from sylph.cli.doctor import host
from sylph.cli.doctor.host import Finding
from sylph.cli.doctor.processes import talkers
from sylph.query.answer import Rows, TableMeta
from sylph.tables.types import ColumnType, DataType, arrow_schema


@pytest.fixture
def talker():
    """A process with one TCP and one unix socket, that has libssl loaded."""
    code = (
        "import socket, ssl\na = socket.create_server(('127.0.0.1', 0))\nb = socket.socketpair()\n"
        "print(flush=True)\ninput()"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdout.readline()
    yield process
    process.communicate(b"\n")


def test_processes_that_talk_are_found(talker):
    (found,) = [one for one in talkers() if one.pid == talker.pid]
    assert found.sockets["tcp"] == 1
    assert found.name.startswith("python")
    assert "libssl" in found.tls or found.tls == ""
    maps = Path(f"/proc/{talker.pid}/maps").read_text()
    assert bool(found.tls) == ("libssl.so" in maps)


def test_a_process_without_sockets_is_none(tmp_path):
    with subprocess.Popen(
        ["sleep", "30"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as idle:
        assert idle.pid not in {one.pid for one in talkers()}
        idle.kill()


def test_an_old_kernel_and_a_missing_btf_say_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(host.platform, "release", lambda: "5.4.0-1-amd64")
    found = host.kernel()
    assert found.ok is False
    assert "5.8 or newer" in found.advice
    monkeypatch.setattr(host, "BTF", tmp_path / "vmlinux")
    assert host.btf().ok is False
    assert list(host.ways()) == []


def test_a_way_lacks_its_tracepoints(monkeypatch, tmp_path):
    types = tmp_path / "vmlinux"
    monkeypatch.setattr(host, "BTF", types)
    names = ("sys_exit", "tcp_sendmsg_locked", *host.COMMON)
    types.write_bytes(b"\0" + b"".join(f"btf_trace_{name}\0".encode() for name in names))
    tcp, syscall = host.ways()
    assert syscall == Finding("way syscall", True, "its tracepoints are here")
    assert (tcp.ok, tcp.advice) == (None, "--method auto takes syscall")
    assert tcp.text.endswith("lacks the tracepoint skb_copy_datagram_iovec")
    types.write_bytes(b"\0nothing\0")
    assert [way.ok for way in host.ways()] == [False, False]


def test_what_the_agent_has_of_each_process_is_shown(px, agent, handler, talker):
    types = {
        "connections": {
            "upid": DataType.UINT128,
            "ssl": DataType.BOOLEAN,
            "bytes_sent": DataType.INT64,
            "bytes_recv": DataType.INT64,
        },
        "requests": {"upid": DataType.UINT128, "requests": DataType.INT64},
    }
    upid = (7 << 96 | talker.pid << 64 | 12345).to_bytes(16, "big")
    values = {
        "upid": pa.array([upid], pa.uuid()),
        "ssl": pa.array([False]),
        "bytes_sent": pa.array([100]),
        "bytes_recv": pa.array([20]),
        "requests": pa.array([9]),
    }

    def results(request, _cancel):
        name = "connections" if "'connections'" in request.script else "requests"
        relation = {column: ColumnType(data) for column, data in types[name].items()}
        batch = pa.RecordBatch.from_arrays([values[column] for column in relation], schema=arrow_schema(relation))
        yield TableMeta(name, relation)
        yield Rows(name, batch)

    handler.results = results
    ran = px("doctor", "-o", "json")
    out = json.loads(ran.stdout)
    row = next(row for row in out["processes"] if row["pid"] == talker.pid)
    assert (row["bytes"], row["requests"], row["state"]) == (120, 9, "seen, requests are parsed")
    assert {finding["what"]: finding["ok"] for finding in out["host"]}["agent"] is True
    text = px("doctor", "--all").stdout
    assert str(talker.pid) in text
    assert "seen, requests are parsed" in text


def test_without_an_agent_it_says_so_and_still_looks_at_the_host(px, talker):
    ran = px("doctor", "-o", "json")
    out = json.loads(ran.stdout)
    host_findings = {finding["what"]: finding for finding in out["host"]}
    assert host_findings["agent"]["ok"] is False
    assert "px up -d" in host_findings["agent"]["advice"]
    assert host_findings["kernel"]["text"].startswith(f"Linux {os.uname().release}")
    row = next(row for row in out["processes"] if row["pid"] == talker.pid)
    assert row["state"] == "unknown: no agent answers"
    assert "tcp" in row["sockets"]
