"""A real agent, and real servers and clients in five languages."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
APPS = Path(__file__).resolve().parent / "apps"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "sylph" / "test-apps"

EBPF_MISSING = (
    "needs root"
    if os.geteuid() != 0
    else "" if Path("/sys/kernel/btf/vmlinux").exists() else "needs a kernel with BTF (CONFIG_DEBUG_INFO_BTF)"
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if EBPF_MISSING:
        for item in items:
            if item.get_closest_marker("ebpf"):
                item.add_marker(pytest.mark.skip(reason=EBPF_MISSING))


@dataclass
class Agent:
    """A running agent."""

    process: subprocess.Popen[bytes]
    socket: Path
    data: Path
    log: Path
    method: str
    environment: dict[str, str] = field(default_factory=dict)

    def px(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "sylph.cli.main", *arguments],
            input=stdin, capture_output=True, text=True, env=self.environment, check=False, timeout=60,
        )  # fmt: skip

    def query(self, script: str) -> list[dict[str, object]]:
        """Rows of a script."""
        done = self.px("run", "-f", "-", "-o", "json", stdin=script)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def until(
        self, script: str, enough: Callable[[list[dict[str, object]]], bool], seconds: float = 5.0
    ) -> list[dict[str, object]]:
        """Rows of a script, as soon as they are enough; the last ones seen when they never are."""
        end = time.monotonic() + seconds
        while True:
            rows = self.query(script)
            if enough(rows) or time.monotonic() > end:
                return rows
            time.sleep(0.2)


@contextmanager
def start_agent(folder: Path, *flags: str, method: str = "auto") -> Iterator[Agent]:
    """An agent with its own data directory and socket; ended at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    socket, log, data = folder / "px.sock", folder / "log", folder / "data"
    environment = {**os.environ, "PX_SOCKET": str(socket), "PYTHONPATH": str(ROOT / "src")}
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "sylph.cli.main", "up", "--data-dir", str(data), "--method", method, *flags],
            env=environment, stdout=output, stderr=output,
        )  # fmt: skip
    agent = Agent(process, socket, data, log, method, environment)
    try:
        end = time.monotonic() + 30
        while agent.px("status").returncode != 0:
            assert process.poll() is None, f"the agent ended:\n{log.read_text()}"
            assert time.monotonic() < end, f"the agent did not answer:\n{log.read_text()}"
            time.sleep(0.1)
        yield agent
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        assert code in (0, -signal.SIGKILL), f"the agent ended with {code}:\n{log.read_text()}"


@pytest.fixture(scope="module", params=["tcp", "syscall"])
def agent(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    """An agent for each way of capture."""
    with start_agent(tmp_path_factory.mktemp("agent"), method=request.param) as running:
        yield running


@pytest.fixture(scope="session")
def apps() -> dict[str, dict[str, list[str]]]:
    """Commands of server and client by language; compiled once into the user's cache."""
    commands = {
        "python": {
            "server": [sys.executable, str(APPS / "server.py")],
            "client": [sys.executable, str(APPS / "client.py")],
        }
    }
    if node := shutil.which("node"):
        commands["node"] = {role: [node, str(APPS / f"{role}.js")] for role in ("server", "client")}
    if go := shutil.which("go"):
        for role in ("server", "client"):
            build(
                [go, "build", "-o", str(CACHE / f"go-{role}"), str(APPS / f"{role}.go")],
                CACHE / f"go-{role}",
                APPS / f"{role}.go",
            )
        commands["go"] = {role: [str(CACHE / f"go-{role}")] for role in ("server", "client")}
    if javac := shutil.which("javac"):
        for role in ("Server", "Client"):
            build([javac, "-d", str(CACHE), str(APPS / f"{role}.java")], CACHE / f"{role}.class", APPS / f"{role}.java")
        commands["java"] = {
            role.lower(): ["java", "-Xmx128m", "-cp", str(CACHE), role] for role in ("Server", "Client")
        }
    return commands


def build(command: list[str], product: Path, source: Path) -> None:
    """Runs a compiler when its product is older than the source."""
    if product.exists() and product.stat().st_mtime > source.stat().st_mtime:
        return
    CACHE.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@contextmanager
def serving(command: list[str]) -> Iterator[tuple[int, int]]:
    """(port, pid) of a server that prints its port when it listens."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline()), process.pid
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
