"""Every row against what the client knows it sent and received: five servers, five clients, both ways of capture."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import Agent, serving

pytestmark = [pytest.mark.ebpf, pytest.mark.timeout(180)]

LANGUAGES = ("python", "node", "go", "java")

ROWS = """
import px
df = px.DataFrame(table='http_events', start_time='-5m')
df = df[df.local_port == {port}]
df.pid = px.upid_to_pid(df.upid)
df.service = df.ctx['service']
px.display(df[['time_', 'pid', 'service', 'trace_role', 'req_method', 'req_path', 'req_body_size', 'resp_status',
               'resp_body_size', 'resp_body', 'latency', 'remote_addr', 'major_version', 'minor_version']])
"""


def requests(seed: int, count: int) -> list[tuple[str, str, int]]:
    """(method, path, body bytes) of a mix of statuses and sizes."""
    chance = random.Random(seed)
    made = []
    for number in range(count):
        method = chance.choice(("GET", "GET", "POST"))
        status = chance.choice((200, 200, 200, 201, 404, 500))
        size = chance.choice((0, 1, 17, 300, 5_000, 70_000))
        chunked = "&chunked=1" if chance.random() < 0.3 else ""
        body = chance.choice((0, 3, 900, 20_000)) if method == "POST" else 0
        made.append((method, f"/item?n={number}&status={status}&size={size}{chunked}", body))
    return made


def send(command: list[str], port: int, made: list[tuple[str, str, int]]) -> list[tuple[int, int, int]]:
    """(status, bytes, ns) of each request, as the client saw it."""
    lines = "".join(f"{method} {path} {size}\n" for method, path, size in made)
    done = subprocess.run([*command, str(port)], input=lines, capture_output=True, text=True, check=True, timeout=60)
    return [tuple(map(int, line.split())) for line in done.stdout.splitlines()]  # type: ignore[misc]


@pytest.mark.parametrize("client", LANGUAGES)
@pytest.mark.parametrize("server", LANGUAGES)
def test_every_request_is_a_row(agent: Agent, apps: dict[str, dict[str, list[str]]], server: str, client: str) -> None:
    if missing := {server, client} - set(apps):
        pytest.skip(f"needs {', '.join(missing)}")
    made = requests(hash((server, client)) % 1000, 30)
    with serving(apps[server]["server"]) as (port, pid):
        seen = send(apps[client]["client"], port, made)
        rows = agent.until(ROWS.format(port=port), lambda rows: len(rows) >= len(made))
    assert len(rows) == len(made)
    rows.sort(key=lambda row: str(row["time_"]))
    for (method, path, body), (status, size, taken), row in zip(made, seen, rows, strict=True):
        assert (row["req_method"], row["req_path"], row["req_body_size"]) == (method, path, body)
        assert (row["resp_status"], row["resp_body_size"]) == (status, size)
        assert (row["pid"], row["trace_role"]) == (pid, 2)
        assert (row["remote_addr"], row["major_version"], row["minor_version"]) == ("127.0.0.1", 1, 1)
        assert 0 <= int(str(row["latency"])) <= taken


def test_nginx_files(agent: Agent, tmp_path: Path) -> None:
    """nginx sends files with sendfile, answers HEAD and ranges, and closes connections itself."""
    from tests.e2e.nginx import nginx

    tmp_path.chmod(0o755)
    sizes = {"empty": 0, "small": 100, "large": 300_000}
    for name, size in sizes.items():
        (tmp_path / name).write_bytes(b"z" * size)
    with nginx(tmp_path, tmp_path / "run") as port:
        made = [(name, size) for name, size in sizes.items() for _ in range(5)]
        script = "".join(f"url = http://127.0.0.1:{port}/{name}\noutput = /dev/null\n" for name, _ in made)
        subprocess.run(["curl", "-sS", "-K", "-"], input=script, text=True, check=True, timeout=30)
        subprocess.run(
            ["curl", "-sS", "-I", f"http://127.0.0.1:{port}/large"], capture_output=True, check=True, timeout=30
        )
        rows = agent.until(ROWS.format(port=port), lambda rows: len(rows) >= len(made) + 1)
    rows.sort(key=lambda row: str(row["time_"]))
    assert [(row["req_path"], row["resp_body_size"]) for row in rows[:-1]] == [
        (f"/{name}", size) for name, size in made
    ]
    assert (rows[-1]["req_method"], rows[-1]["resp_body_size"]) == ("HEAD", 0)
    assert {row["service"] for row in rows} <= {"host/nginx", "system/nginx"}
