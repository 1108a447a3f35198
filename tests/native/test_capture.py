"""Live capture of real servers through the Python object."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from sylph.tables import TABLES
from sylph.tables.types import arrow_schema, relation_of

SERVER = """
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = b"hello " + self.path.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""

needs_kernel = pytest.mark.skipif(
    os.geteuid() != 0 or not Path("/sys/kernel/btf/vmlinux").exists(), reason="needs root and a kernel with BTF"
)
pytestmark = pytest.mark.ebpf


def schemas():
    return {name: arrow_schema(table.relation) for name, table in TABLES.items()}


@pytest.fixture
def server():
    process = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
    yield process, int(process.stdout.readline())
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.fixture(params=["tcp", "syscall"])
def capture(native, request):
    try:
        capture = native.Capture(schemas(), method=request.param, asid=7, conn_stats_period=0.5)
    except native.CaptureError as error:
        if request.param == "tcp" and "refused" in str(error):
            pytest.skip(f"this kernel has no tcp way: {error}")
        raise
    with capture:
        yield capture


def collect(capture, done, seconds=5.0):
    tables = defaultdict(list)
    end = time.monotonic() + seconds
    while time.monotonic() < end and not done(tables):
        for table, native_batch in capture.poll(0.2):
            batch = pa.record_batch(native_batch)
            batch.validate(full=True)
            tables[table].append(batch)
    return {table: pa.Table.from_batches(batches).to_pylist() for table, batches in tables.items()}


def rows_of(tables, port):
    """Rows of the server at `port`: others may speak HTTP on this machine."""
    return sum(pc.sum(pc.equal(batch["local_port"], port)).as_py() for batch in tables.get("http_events", ()))


def closed_by(tables, pid):
    return any(
        row["conn_close"] and row["upid"].int >> 64 & 0xFFFFFFFF == pid
        for batch in tables.get("conn_stats", ())
        for row in batch.to_pylist()
    )


def has_exit(tables, pid):
    return any(
        upid.as_py().int >> 64 & 0xFFFFFFFF == pid
        for batch in tables.get("proc_exit_events", ())
        for upid in batch["upid"]
    )


def ask(port, paths):
    client = http.client.HTTPConnection("127.0.0.1", port)
    for path in paths:
        client.request("GET", path)
        assert client.getresponse().read() == b"hello " + path.encode()
    client.close()


@needs_kernel
def test_every_request_is_a_row(capture, server):
    process, port = server
    paths = [f"/{n}" for n in range(500)]
    begin = time.time_ns()
    ask(port, paths)

    got = collect(capture, lambda tables: rows_of(tables, port) >= 500 and closed_by(tables, process.pid))
    mine = [row for row in got["http_events"] if row["local_port"] == port]
    assert [row["req_path"] for row in mine] == paths
    assert {row["resp_body"] for row in mine} == {f"hello {path}" for path in paths}
    assert {(row["resp_status"], row["trace_role"], row["remote_addr"]) for row in mine} == {(200, 2, "127.0.0.1")}
    assert {row["upid"].int >> 96 for row in mine} == {7}
    assert {row["upid"].int >> 64 & 0xFFFFFFFF for row in mine} == {process.pid}
    assert all(begin <= row["time_"] <= time.time_ns() for row in mine)
    stats = [row for row in got["conn_stats"] if row["upid"].int >> 64 & 0xFFFFFFFF == process.pid]
    assert stats[-1]["remote_port"] == 0
    assert (stats[-1]["conn_open"], stats[-1]["conn_close"]) == (1, 1)
    lost = [row for row in got.get("capture_loss", ()) if row["upid"] == mine[0]["upid"]]
    assert not lost


@needs_kernel
def test_rows_come_soon(capture, server):
    _, port = server
    time.sleep(1)  # the capture thread is at its longest pause
    ask(port, ["/soon"])
    asked = time.monotonic()
    got = collect(capture, lambda tables: rows_of(tables, port) > 0)
    assert [row["req_path"] for row in got["http_events"] if row["local_port"] == port] == ["/soon"]
    assert time.monotonic() - asked < 0.5


@needs_kernel
def test_many_connections_at_once(capture, server):
    _, port = server
    threads = [threading.Thread(target=ask, args=(port, [f"/{n}/{i}" for i in range(20)])) for n in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    got = collect(capture, lambda tables: rows_of(tables, port) >= 1000)
    mine = Counter(row["req_path"] for row in got["http_events"] if row["local_port"] == port)
    assert mine == Counter(f"/{n}/{i}" for n in range(50) for i in range(20))


@needs_kernel
def test_processes_are_told(capture):
    script = "import os; print(os.getpid(), flush=True); os._exit(3)"
    child = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    pid = int(child.stdout)
    got = collect(capture, lambda tables: has_exit(tables, pid))
    (row,) = [row for row in got["proc_exit_events"] if row["upid"].int >> 64 & 0xFFFFFFFF == pid]
    assert (row["exit_code"], row["signal"]) == (3, 0)
    told = [event for event in capture.processes() if event[1] == pid]
    assert [event[0] for event in told] == ["fork", "exec", "exit"] or [event[0] for event in told] == ["exec", "exit"]
    executed = next(event for event in told if event[0] == "exec")
    assert executed[2] == os.getpid()
    assert executed[6] == sys.executable
    assert told[-1][8] == 3 << 8


@needs_kernel
def test_samples_of_the_host(capture):
    got = collect(capture, lambda tables: "process_stats" in tables and "network_stats" in tables)
    own = [row for row in got["process_stats"] if row["upid"].int >> 64 & 0xFFFFFFFF == os.getpid()]
    assert own
    assert own[0]["rss_bytes"] > 1 << 20
    inode = str(Path("/proc/self/ns/net").stat().st_ino)
    assert inode in {row["pod_id"] for row in got["network_stats"]}


@needs_kernel
def test_batches_carry_the_declared_types(capture, server):
    ask(server[1], ["/"])
    end = time.monotonic() + 5
    seen = {}
    while "http_events" not in seen and time.monotonic() < end:
        seen.update({table: pa.record_batch(batch).schema for table, batch in capture.poll(0.2)})
    for table, schema in seen.items():
        assert relation_of(schema) == dict(TABLES[table].relation)


@needs_kernel
def test_stop_keeps_what_was_captured(native, server):
    capture = native.Capture(schemas(), asid=1)
    _, port = server
    ask(port, ["/last"])
    capture.stop()
    got = collect(capture, lambda tables: rows_of(tables, port) > 0, seconds=1)
    assert [row["req_path"] for row in got["http_events"] if row["local_port"] == port] == ["/last"]
    assert capture.poll(5) == []
    capture.close()
    capture.close()


@needs_kernel
def test_a_recording_can_be_made(native, server, tmp_path):
    path = tmp_path / "recording"
    with native.Capture(schemas(), asid=1, record=path) as capture:
        ask(server[1], ["/recorded"])
        collect(capture, lambda tables: rows_of(tables, server[1]) > 0)
    assert path.read_bytes().startswith(b"SYLPHREC")
    assert b"GET /recorded" in path.read_bytes()


@needs_kernel
def test_interrupt_ends_a_poll(native, tmp_path):
    script = """
import sys, time
from sylph._native import Capture
from sylph.tables import TABLES
from sylph.tables.types import arrow_schema
capture = Capture({name: arrow_schema(table.relation) for name, table in TABLES.items()}, asid=1)
print("ready", flush=True)
try:
    while True:
        capture.poll(60)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "ready\n"
    time.sleep(0.3)
    child.send_signal(signal.SIGINT)
    out, _ = child.communicate(timeout=5)
    assert out == "interrupted\n"
    assert child.returncode == 0


@needs_kernel
def test_probe_says_what_the_kernel_allows(native):
    report = native.probe()
    assert report["kernel"] == os.uname().release
    assert report["btf"] is True
    assert report["chosen"] in {"tcp", "syscall"}
    assert {program["object"] for program in report["programs"]} >= {"process", "connection_state"}


def test_a_schema_that_differs_is_refused(native):
    if os.geteuid() != 0:
        pytest.skip("needs root: the kernel is asked first")
    given = schemas()
    given["http_events"] = given["http_events"].remove(3)
    with pytest.raises(ValueError, match=r'"http_events": column 3 is "local_addr" in the schema'):
        native.Capture(given, asid=1)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"method": "magic"}, "method must be auto, tcp or syscall"),
        ({"conn_stats_period": 0}, "conn_stats_period"),
        ({"memory": 5}, "memory must be between"),
        ({"ring_bytes": 5}, "ring_bytes"),
        ({"event_bytes": 1 << 20}, "event_bytes"),
        ({"max_connections": 0}, "max_connections"),
    ],
)
def test_settings_that_cannot_be_are_refused(native, setting, message):
    with pytest.raises(ValueError, match=message):
        native.Capture({}, asid=1, **setting)
