"""Every row against what the client knows it sent and received: five servers, five clients, both ways of capture."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Agent, serving, start_agent

pytestmark = [pytest.mark.ebpf, pytest.mark.timeout(180)]

LANGUAGES = ("python", "node", "go", "java")
#: Codes of `trace_role`.
CLIENT, SERVER = 1, 2

ROWS = """
import px
df = px.DataFrame(table='http_events', start_time='-5m')
df = df[df.{side}_port == {port}]
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


def send(command: list[str], port: int, made: list[tuple[str, str, int]]) -> tuple[int, list[tuple[int, int, int]]]:
    """Pid of the client, and (status, bytes, ns) of each request, as it saw them."""
    lines = "".join(f"{method} {path} {size}\n" for method, path, size in made)
    with subprocess.Popen(
        [*command, str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            said, wrong = process.communicate(lines, timeout=60)
        finally:
            process.kill()  # else one that hangs is waited for
    assert process.returncode == 0, wrong
    return process.pid, [tuple(map(int, line.split())) for line in said.splitlines()]  # type: ignore[misc]


def compare(
    rows: list[dict[str, object]],
    made: list[tuple[str, str, int]],
    seen: list[tuple[int, int, int]],
    *,
    pid: int,
    role: int,
) -> None:
    """Every row against what the client asked and got, in order."""
    assert len(rows) == len(made)
    rows.sort(key=lambda row: str(row["time_"]))
    for (method, path, body), (status, size, taken), row in zip(made, seen, rows, strict=True):
        assert (row["req_method"], row["req_path"], row["req_body_size"]) == (method, path, body)
        assert (row["resp_status"], row["resp_body_size"]) == (status, size)
        assert (row["pid"], row["trace_role"]) == (pid, role)
        assert (row["remote_addr"], row["major_version"], row["minor_version"]) == ("127.0.0.1", 1, 1)
        assert 0 <= int(str(row["latency"])) <= taken


@pytest.mark.parametrize("client", LANGUAGES)
@pytest.mark.parametrize("server", LANGUAGES)
def test_every_request_is_a_row(agent: Agent, apps: dict[str, dict[str, list[str]]], server: str, client: str) -> None:
    if missing := {server, client} - set(apps):
        pytest.skip(f"needs {', '.join(missing)}")
    made = requests(random.Random(f"{server} {client}").randrange(1000), 30)
    with serving(apps[server]["server"]) as (port, pid):
        _, seen = send(apps[client]["client"], port, made)
        rows = agent.until(ROWS.format(side="local", port=port), lambda rows: len(rows) >= len(made))
    compare(rows, made, seen, pid=pid, role=SERVER)


@pytest.fixture(scope="module", params=["tcp", "syscall"])
def both_sides(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    """An agent that records clients too, for each way of capture."""
    with start_agent(tmp_path_factory.mktemp("both"), "--trace-clients", method=request.param) as running:
        yield running


@pytest.mark.parametrize("client", LANGUAGES)
def test_clients_have_rows_of_their_own(both_sides: Agent, apps: dict[str, dict[str, list[str]]], client: str) -> None:
    server = "go" if "go" in apps else "python"
    if client not in apps:
        pytest.skip(f"needs {client}")
    made = requests(random.Random(client).randrange(1000), 30)
    with serving(apps[server]["server"]) as (port, server_pid):
        client_pid, seen = send(apps[client]["client"], port, made)
        rows = {
            side: both_sides.until(ROWS.format(side=side, port=port), lambda rows: len(rows) >= len(made))
            for side in ("remote", "local")
        }
    compare(rows["remote"], made, seen, pid=client_pid, role=CLIENT)
    compare(rows["local"], made, seen, pid=server_pid, role=SERVER)


def test_without_being_asked_only_servers_have_rows(agent: Agent, apps: dict[str, dict[str, list[str]]]) -> None:
    made = requests(1, 5)
    with serving(apps["python"]["server"]) as (port, _):
        send(apps["python"]["client"], port, made)
        agent.until(ROWS.format(side="local", port=port), lambda rows: len(rows) >= len(made))
        assert agent.query(ROWS.format(side="remote", port=port)) == []


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
        rows = agent.until(ROWS.format(side="local", port=port), lambda rows: len(rows) >= len(made) + 1)
    rows.sort(key=lambda row: str(row["time_"]))
    assert [(row["req_path"], row["resp_body_size"]) for row in rows[:-1]] == [
        (f"/{name}", size) for name, size in made
    ]
    assert (rows[-1]["req_method"], rows[-1]["resp_body_size"]) == ("HEAD", 0)
    assert {row["service"] for row in rows} <= {"host/nginx", "system/nginx"}
