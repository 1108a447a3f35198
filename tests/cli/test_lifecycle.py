"""px up, down and status: starting, finding and ending the agent's process."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sylph.cli.process import Process, end, running, start_ticks
from tests.cli.conftest import SOURCE, environment

DOUBLE = Path(__file__).parent / "double"
PATHS = f"{DOUBLE}{os.pathsep}{SOURCE}"


@pytest.fixture
def host(px, tmp_path):
    """`px` with a stand-in for the agent; ends what a test leaves."""

    def run(*arguments: str, **extra: str):
        return px(*arguments, **{"PYTHONPATH": PATHS, "PX_DATA_DIR": str(tmp_path / "data"), **extra})

    yield run
    if agent := running(tmp_path / "px.sock"):
        os.kill(agent.pid, signal.SIGKILL)


def wait_for(what, seconds: float = 30):
    deadline = time.monotonic() + seconds
    while not (value := what()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return value


def test_up_status_down(host, tmp_path):
    ran = host("up", "-d", "--memory", "64MiB", "--disk", "1.5G", "--flush-interval", "500ms", "--trace-clients")
    assert ran.returncode == 0, ran.stderr
    pid = int(re.search(r"pid (\d+)", ran.stdout)[1])
    options = (tmp_path / "px.log").read_text()
    for words in ("memory=67108864", "disk=1610612736", "flush_interval=0.5", "trace_clients=True", "listen=None"):
        assert words in options

    facts = json.loads(host("status", "-o", "json").stdout)
    assert (facts["pid"], facts["health"], facts["running"]) == (pid, "ok", True)
    assert abs(facts["uptime_s"]) < 30
    assert facts["rss_bytes"] > 1 << 20
    assert f"runs, pid {pid}" in host("status").stdout

    again = host("up", "-d")
    assert (again.returncode, again.stdout) == (0, "")
    assert f"an agent runs already, pid {pid}" in again.stderr

    ended = host("down")
    assert ended.returncode == 0
    assert f"pid {pid}, ended" in ended.stdout
    assert start_ticks(pid) is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["px.log"]
    assert host("status").returncode == 1


def test_down_without_an_agent_is_no_error(host):
    ran = host("down")
    assert (ran.returncode, ran.stdout) == (0, "")
    assert "no agent runs here" in ran.stderr


@pytest.mark.parametrize(
    ("mode", "words"), [("fail", "this kernel has no BTF: see px doctor"), ("crash", "ZeroDivisionError: a defect")]
)
def test_an_agent_that_cannot_start_says_why_and_leaves_nothing(host, tmp_path, mode, words):
    ran = host("up", "-d", HOST_MODE=mode)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "ended at once, with exit code 1" in ran.stderr
    assert words in ran.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["px.log"]


def test_in_the_foreground(host, tmp_path):
    ran = host("up", HOST_MODE="fail")
    assert ran.returncode == 1
    assert ran.stderr == "error: this kernel has no BTF: see px doctor\n"

    process = subprocess.Popen(
        [sys.executable, "-m", "sylph.cli.main", "up"],
        env=environment(PYTHONPATH=PATHS, PX_SOCKET=str(tmp_path / "px.sock"), PX_DATA_DIR=str(tmp_path)),
        stderr=subprocess.DEVNULL,
    )
    agent = wait_for(lambda: running(tmp_path / "px.sock"))
    assert agent.pid == process.pid
    second = host("up")
    assert second.returncode == 1
    assert f"an agent runs here already (pid {agent.pid})" in second.stderr
    wait_for((tmp_path / "px.sock").exists)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    assert not (tmp_path / "px.pid").exists()


def test_a_stubborn_agent_is_killed_only_when_asked(host):
    host("up", "-d", HOST_MODE="stubborn")
    ran = host("down", "--timeout", "300ms")
    assert ran.returncode == 1
    assert "has not ended after 0.3 s" in ran.stderr
    assert host("status").returncode == 0
    assert host("down", "--timeout", "300ms", "--force").returncode == 0
    assert host("status").returncode == 1
    # What a killed agent leaves does not hinder the next one.
    assert host("up", "-d").returncode == 0
    assert host("down").returncode == 0


def test_a_pid_that_another_process_has_now_is_left_alone(host, tmp_path):
    other = subprocess.Popen(["sleep", "60"])
    try:
        (tmp_path / "px.pid").write_text(json.dumps({"pid": other.pid, "start_ticks": start_ticks(other.pid) - 1}))
        assert running(tmp_path / "px.sock") is None
        assert "no agent runs here" in host("down").stderr
        assert end(Process(other.pid, start_ticks(other.pid) - 1), 1, force=True)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()
    for text in ("", "torn {", "[]", '{"pid": "x"}'):
        (tmp_path / "px.pid").write_text(text)
        assert running(tmp_path / "px.sock") is None


def test_over_tcp_with_a_certificate_and_key_made_for_it(host, tmp_path):
    assert host("up", "-d", "--listen", "127.0.0.1:0").returncode == 0
    port = re.search(r"port (\d+)", (tmp_path / "px.log").read_text())[1]
    key = (tmp_path / "data/keys").read_text().strip()
    certificate = tmp_path / "data/server.crt"
    address = ["--direct_vizier_addr", f"localhost:{port}"]
    ran = host(*address, "--direct_vizier_key", key, "--direct_vizier_ca", str(certificate), "status")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert f"localhost:{port}" in ran.stdout
    ran = host("status", *address, PX_DIRECT_VIZIER_KEY="wrong", PX_DIRECT_VIZIER_CA=str(certificate))
    assert ran.returncode == 1
    assert "this key is not known here" in ran.stdout
    ran = host("status", *address)
    assert "needs --direct_vizier_key" in ran.stdout + ran.stderr
    ran = host("status", *address, "--direct_vizier_key", key)
    assert ran.returncode == 1
    ran = host("status", "--direct_vizier_addr", "example.test:1", "--direct_vizier_key", key, PX_DISABLE_TLS="1")
    assert "the key would travel readable" in ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--memory", "lots"], "'lots' is not a size"),
        (["--memory", "1M"], "at least 16MiB"),
        (["--flush-interval", "0"], "more than 0"),
        (["--flush-interval", "soon"], "'soon' is not a time"),
        (["--listen", "8080"], "HOST:PORT"),
        (["--listen", "a:99999"], "HOST:PORT"),
        (["--tls-cert", "x"], "give --listen"),
        (["--method", "kprobe"], "'kprobe' is not one of"),
        (["--socket", "/proc/x/px.sock"], "cannot write"),
    ],
)
def test_wrong_options_are_refused(host, arguments, words):
    for detach in ([], ["-d"]):
        ran = host("up", *detach, *arguments)
        assert ran.returncode == 1
        assert words in ran.stderr
