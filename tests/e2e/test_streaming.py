"""`px run` of a stream over a real agent: each request that a real server answered is shown once, as it comes."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Agent
from tests.e2e.nginx import nginx

pytestmark = [pytest.mark.ebpf, pytest.mark.timeout(120)]

COUNT = 200
REQUESTS = """import px
df = px.DataFrame('http_events', start_time='-5m')
df.service = df.ctx['service']
df = df[px.contains(df.req_path, '/streamed/')]
px.display(df[['time_', 'req_path', 'resp_status', 'service']].stream())
"""
WINDOWS = """import px
df = px.DataFrame('http_events', start_time='-5m')
df = df[px.contains(df.req_path, '/windowed/')]
px.display(df.rolling('500ms').agg(n=('latency', px.count)).stream())
"""


def running(agent: Agent, folder: Path, script: str) -> subprocess.Popen[str]:
    path = folder / "stream.pxl"
    path.write_text(script)
    return subprocess.Popen(
        [sys.executable, "-m", "sylph.cli.main", "run", "-f", str(path), "-o", "json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=agent.environment,
    )  # fmt: skip


def lines(process: subprocess.Popen[str]) -> Any:
    assert process.stdout is not None
    return (json.loads(line) for line in process.stdout)


def ended(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    """Ctrl-C; what was still to be shown."""
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (130, "")
    return [json.loads(line) for line in out.splitlines()]


def ask(port: int, numbers: range, under: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    for number in numbers:
        connection.request("GET", f"/{under}/{number}")
        connection.getresponse().read()
    connection.close()


def test_every_request_is_shown_once(agent: Agent, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with nginx(tmp_path, tmp_path / "run") as port:
        process = running(agent, tmp_path, REQUESTS)
        try:
            shown = lines(process)
            seen = []
            for first in range(0, COUNT, 20):
                ask(port, range(first, first + 20), "streamed")
                # They come while the stream runs, without more traffic that would push them.
                seen += [next(shown) for _ in range(20)]
            seen += ended(process)
        finally:
            process.kill()
            process.communicate()
    assert sorted(int(row["req_path"].rpartition("/")[2]) for row in seen) == list(range(COUNT))
    assert {row["resp_status"] for row in seen} == {404}
    assert all(row["service"] for row in seen)


def test_windows_count_every_request(agent: Agent, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with nginx(tmp_path, tmp_path / "run") as port:
        process = running(agent, tmp_path, WINDOWS)
        try:
            ask(port, range(COUNT), "windowed")
            total = 0
            for row in lines(process):
                total += row["n"]
                if total >= COUNT:
                    break
            assert ended(process) == []
        finally:
            process.kill()
            process.communicate()
    assert total == COUNT
