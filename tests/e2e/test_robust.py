"""A watched host under stress: crowds, floods, crashes, large bodies, small budgets."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Agent, serving, start_agent
from tests.e2e.nginx import nginx

pytestmark = [pytest.mark.ebpf, pytest.mark.timeout(180)]

COUNTS = """
import px
df = px.DataFrame(table='http_events', start_time='-10m')
df = df[df.local_port == {port}]
px.display(df.agg(n=('latency', px.count)), 'rows')
# Losses of the processes that answer on the port: another test's nginx may have lost some as well.
ours = df.groupby('upid').agg(n=('latency', px.count))
loss = px.DataFrame(table='capture_loss', start_time='-10m')
loss = loss[loss.table_name == 'http_events']
loss = loss.merge(ours, how='inner', left_on='upid', right_on='upid')
px.display(loss.groupby('cause').agg(n=('events', px.sum)), 'lost')
"""

WRK_DONE = """
function done(summary, latency)
  io.write(string.format('\\n%d %d\\n', summary.requests, summary.errors.read + summary.errors.write))
end
"""


@pytest.fixture
def web(tmp_path: Path) -> Iterator[int]:
    tmp_path.chmod(0o755)
    root = tmp_path / "root"
    root.mkdir()
    with (root / "huge").open("wb") as file:
        file.truncate(1 << 30)
    (root / "small").write_bytes(b"s" * 10)
    with nginx(root, tmp_path / "run") as port:
        yield port


def wrk(folder: Path, port: int, *, connections: int, seconds: int, headers: tuple[str, ...] = ()) -> int:
    """Requests that wrk says it completed."""
    script = folder / "done.lua"
    script.write_text(WRK_DONE)
    extra = [item for header in headers for item in ("-H", header)]
    command = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds}s",
        "--timeout",
        "10s",
        "-s",
        str(script),
        *extra,
        f"http://127.0.0.1:{port}/ok",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60)
    return int(done.stdout.strip().splitlines()[-1].split()[0])


def counted(agent: Agent, port: int, at_least: int) -> tuple[int, dict[str, int]]:
    """(rows, loss by cause), when they have caught up."""

    def split(rows: list[dict[str, object]]) -> tuple[int, dict[str, int]]:
        found = sum(int(str(row["n"])) for row in rows if row["_tableName_"] == "rows")
        return found, {str(row["cause"]): int(str(row["n"])) for row in rows if row["_tableName_"] == "lost"}

    def enough(rows: list[dict[str, object]]) -> bool:
        found, lost = split(rows)
        return found + sum(lost.values()) >= at_least

    return split(agent.until(COUNTS.format(port=port), enough, 10))


@pytest.mark.parametrize(
    ("connections", "headers"),
    [(2_000, ()), (64, ("Connection: close",))],
    ids=["2000 connections", "short connections"],
)
def test_crowds_are_counted_exactly(
    agent: Agent, web: int, tmp_path: Path, connections: int, headers: tuple[str, ...]
) -> None:
    requests = wrk(tmp_path, web, connections=connections, seconds=3, headers=headers)
    assert requests > 1_000
    rows, lost = counted(agent, web, requests)
    # Requests in flight when wrk stops are answered without being in its count.
    assert requests <= rows + sum(lost.values()) <= requests + connections, lost


def test_a_gigabyte_does_not_hide_the_next_message(agent: Agent, web: int) -> None:
    urls = "".join(f"url = http://127.0.0.1:{web}/{name}\noutput = /dev/null\n" for name in ("huge", "small"))
    subprocess.run(["curl", "-sS", "-K", "-"], input=urls, text=True, check=True, timeout=60)
    script = f"""
import px
df = px.DataFrame(table='http_events', start_time='-5m')
df = df[df.local_port == {web}]
px.display(df[['time_', 'req_path', 'resp_body_size', 'latency']])
"""
    rows = sorted(agent.until(script, lambda rows: len(rows) >= 2), key=lambda row: str(row["time_"]))
    assert [(row["req_path"], row["resp_body_size"]) for row in rows] == [("/huge", 1 << 30), ("/small", 10)]


def test_a_watched_server_is_killed(agent: Agent, apps: dict[str, dict[str, list[str]]]) -> None:
    with serving(apps["python"]["server"]) as (port, pid):
        client = subprocess.Popen(
            [*apps["python"]["client"], str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert client.stdin is not None
        assert client.stdout is not None
        for number in range(20):
            client.stdin.write(f"GET /item?n={number}&size=100 0\n")
        client.stdin.flush()
        time.sleep(0.3)
        os.kill(pid, signal.SIGKILL)
        client.stdin.close()
        client.wait(20)
        seen = len(client.stdout.read().splitlines())
        client.stdout.close()
    exits = agent.until(
        "import px\ndf = px.DataFrame(table='proc_exit_events', start_time='-1m')\n"
        f"df.pid = px.upid_to_pid(df.upid)\ndf = df[df.pid == {pid}]\npx.display(df[['pid', 'signal', 'exit_code']])",
        lambda rows: len(rows) >= 1,
    )
    assert [(row["signal"], row["exit_code"]) for row in exits] == [(9, 0)]
    script = (
        f"import px\ndf = px.DataFrame(table='http_events', start_time='-1m')\ndf = df[df.local_port == {port}]\n"
        "df.cmd = df.ctx['cmdline']\npx.display(df[['req_path', 'cmd']])"
    )
    rows = agent.until(script, lambda rows: len(rows) >= seen)
    assert len(rows) >= seen
    assert all("server.py" in str(row["cmd"]) for row in rows)


def test_short_lived_processes_keep_their_names(agent: Agent, tmp_path: Path) -> None:
    program = tmp_path / "mayfly"
    shutil.copy("/bin/true", program)
    pids = []
    for _ in range(20):
        process = subprocess.Popen([str(program)])
        pids.append(process.pid)
        process.wait()
    script = """
import px
df = px.DataFrame(table='proc_exit_events', start_time='-1m')
df = df[df.comm == 'mayfly']
df.pid = px.upid_to_pid(df.upid)
df.cmd = df.ctx['cmdline']
df.service = df.ctx['service']
px.display(df[['pid', 'cmd', 'service']])
"""
    rows = [row for row in agent.until(script, lambda rows: len(rows) >= 20) if row["pid"] in pids]
    assert len(rows) == 20
    assert {row["cmd"] for row in rows} == {str(program)}
    assert all(str(row["service"]).endswith("/mayfly") for row in rows)


def test_a_killed_agent_loses_at_most_the_flush_interval(tmp_path: Path, web: int) -> None:
    folder = tmp_path / "agent"
    with start_agent(folder, "--flush-interval", "1") as agent:
        stop = threading.Event()
        sent: list[float] = []

        def load() -> None:
            while not stop.is_set():
                subprocess.run(["curl", "-s", f"http://127.0.0.1:{web}/ok"], capture_output=True, check=True)
                sent.append(time.time())
                time.sleep(0.02)

        loader = threading.Thread(target=load)
        loader.start()
        try:
            time.sleep(6)
            agent.process.kill()
            killed = time.time()
            agent.process.wait()
        finally:
            stop.set()
            loader.join()
    # The kernel programs went with the process: nothing is captured until the next start.
    with start_agent(folder, "--flush-interval", "1") as agent:
        rows, _ = counted(agent, web, 1)
        before = sum(when < killed - 3 for when in sent)
        assert before <= rows <= len(sent)


PODMAN = ["podman", "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--runtime", "runc"]


@pytest.mark.skipif(shutil.which("podman") is None, reason="needs podman")
def test_a_container_is_a_pod(agent: Agent, apps: dict[str, dict[str, list[str]]], tmp_path: Path) -> None:
    if "go" not in apps:
        pytest.skip("needs Go")
    source = Path(__file__).parent / "apps/server.go"
    subprocess.run(
        ["go", "build", "-o", str(tmp_path / "rootfs/server"), str(source)],
        check=True,
        env={**os.environ, "CGO_ENABLED": "0"},
    )
    subprocess.run(["tar", "-C", str(tmp_path / "rootfs"), "-cf", str(tmp_path / "image.tar"), "."], check=True)
    subprocess.run(
        [*PODMAN, "import", "-q", str(tmp_path / "image.tar"), "localhost/sylph-test:1"],
        capture_output=True,
        check=True,
    )
    name = f"shop-{os.getpid()}"
    container = subprocess.Popen(
        [*PODMAN, "run", "--rm", "--name", name, "--network", "host", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024",
         "localhost/sylph-test:1", "/server"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert container.stdout is not None
    assert container.stderr is not None
    try:
        line = container.stdout.readline()
        assert line, container.stderr.read()
        port = int(line)
        subprocess.run(["curl", "-sS", f"http://127.0.0.1:{port}/item?size=3"], capture_output=True, check=True)
        script = f"""
import px
df = px.DataFrame(table='http_events', start_time='-1m')
df = df[df.local_port == {port}]
df.pod = df.ctx['pod']
df.namespace = df.ctx['namespace']
df.service = df.ctx['service']
df.container = df.ctx['container']
px.display(df[['pod', 'namespace', 'service', 'container', 'resp_body_size']])
"""
        rows = agent.until(script, lambda rows: bool(rows) and rows[0]["container"] == name)
        assert [row["pod"] for row in rows] == [f"podman/{name}"]
        assert (rows[0]["namespace"], rows[0]["service"], rows[0]["resp_body_size"]) == ("podman", "podman/server", 3)
    finally:
        subprocess.run([*PODMAN, "kill", name], capture_output=True, check=False)
        container.wait(20)
        container.stdout.close()
        container.stderr.close()
