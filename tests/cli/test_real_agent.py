"""px with the real agent: what a server answers is a row, and all that was started is gone at the end."""

import http.server
import json
import os
import threading
import time
import urllib.request

import pytest

import px as pxl
import sylph
from sylph.cli.doctor.host import BTF
from sylph.cli.process import running, start_ticks

pytestmark = [
    pytest.mark.ebpf,
    pytest.mark.skipif(os.geteuid() != 0 or not BTF.exists(), reason="needs root and a kernel with BTF"),
]


class Quiet(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_arguments):
        pass


def seen(start_time: str):
    df = pxl.DataFrame("http_events", start_time=start_time)
    return df[pxl.contains(df.req_path, "/seen/")][["time_", "req_path", "resp_status"]]


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as running_server:
        thread = threading.Thread(target=running_server.serve_forever)
        thread.start()
        yield running_server.server_port
        running_server.shutdown()
        thread.join()


def test_from_up_to_down(px, tmp_path, server):
    up = px("up", "-d", "--data-dir", str(tmp_path / "data"), "--memory", "64MiB", "--disk", "64MiB")
    assert up.returncode == 0, up.stderr
    agent = running(tmp_path / "px.sock")
    try:
        assert json.loads(px("status", "-o", "json").stdout)["health"] == "ok"
        for number in range(5):
            urllib.request.urlopen(f"http://127.0.0.1:{server}/seen/{number}", timeout=5).read()
        paths: set[str] = set()
        deadline = time.monotonic() + 30
        while len(paths) < 5 and time.monotonic() < deadline:
            ran = px("run", "px/http_data", "-o", "json", "--", "--start_time=-1m")
            assert ran.returncode == 0, ran.stderr
            rows = [json.loads(line) for line in ran.stdout.splitlines()]
            paths = {row["req_path"] for row in rows if str(row["req_path"]).startswith("/seen/")}
        assert paths == {f"/seen/{number}" for number in range(5)}

        with sylph.connect(socket=tmp_path / "px.sock") as conn:
            frame = conn.run(seen, start_time="-1m").pandas()
        assert set(frame["req_path"]) == paths
        assert set(frame["resp_status"]) == {200}
        assert str(frame["time_"].dtype) == "datetime64[ns, UTC]"

        doctor = json.loads(px("doctor", "-o", "json").stdout)
        assert {finding["what"]: finding["ok"] for finding in doctor["host"]}["agent"] is True
        mine = next(row for row in doctor["processes"] if row["pid"] == os.getpid())
        assert mine["state"] == "seen, requests are parsed"
        assert mine["requests"] >= 5
        assert json.loads(px("get", "agents", "-o", "json").stdout)["agent_state"] == "AGENT_STATE_HEALTHY"
    finally:
        down = px("down")
    assert down.returncode == 0, down.stderr
    assert start_ticks(agent.pid) is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "px.log"]


def test_a_folder_that_cannot_be_written_is_told_at_the_start(px, tmp_path):
    up = px("up", "-d", "--data-dir", "/proc/nowhere", "--memory", "64MiB")
    assert up.returncode == 0, up.stderr
    assert px("down").returncode == 0
    assert "error: the store cannot write, rows stay in memory meanwhile:" in up.stderr
    assert "/proc/nowhere" in up.stderr


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (["setpriv", "--bounding-set=-all"], "missing CAP_BPF, CAP_PERFMON"),
        (
            ["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /sys/kernel/btf && exec "$@"', "sh"],
            "CONFIG_DEBUG_INFO_BTF",
        ),
    ],
    ids=["no rights", "no BTF"],
)
def test_where_it_cannot_run_it_says_so_and_leaves_nothing(px, tmp_path, before, words):
    up = px("up", "--data-dir", str(tmp_path / "data"), before=before)
    assert up.returncode == 1
    assert words in up.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_taken_port_is_said_without_noise(px, tmp_path, server):
    up = px("up", "--data-dir", str(tmp_path / "data"), "--listen", f"127.0.0.1:{server}")
    assert up.returncode == 1
    assert up.stderr.splitlines()[-1] == (
        f"error: cannot listen on 127.0.0.1:{server}: the port is taken or not allowed; choose another"
    )
    assert "add_port" not in up.stderr
