"""What the benchmarks of a running agent share: nginx on one core, wrk on the other, an agent that is on or off."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PX = [sys.executable, "-m", "sylph.cli.main"]
TICK = os.sysconf("SC_CLK_TCK")
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"

_NGINX = """
daemon off; master_process on; worker_processes 1; worker_cpu_affinity 01; pid {run}/nginx.pid;
error_log {run}/error.log warn;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 100000000; keepalive_timeout 600;
  client_body_temp_path {run}/b; proxy_temp_path {run}/p; fastcgi_temp_path {run}/f; uwsgi_temp_path {run}/u;
  scgi_temp_path {run}/s; default_type application/json;
  server {{ listen 127.0.0.1:{port} backlog=4096;
    location / {{ return 200 '{{"id":1,"name":"sylph"}}'; }} }}
}}
"""

#: wrk prints what its own summary counted, as JSON, on the last line.
_LUA = """
local pause = {pause}
if pause > 0 then function delay() return pause end end
function done(summary, latency)
  io.write(string.format('\\n{{"requests":%d,"duration_us":%d,"errors":%d,"p50_us":%d,"p99_us":%d}}\\n', summary.requests,
    summary.duration, summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"""


def machine() -> str:
    """One line on where figures were taken."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return f"{os.cpu_count()} cores ({model}), Linux {platform.release()}, Python {platform.python_version()}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_ns(pid: int) -> int:
    """CPU time of a process with all its threads, user and system."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except (OSError, IndexError):
            fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
            return (int(fields[11]) + int(fields[12])) * 1_000_000_000 // TICK
    return total


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk saw."""

    requests: int
    seconds: float
    errors: int
    p50_us: int
    p99_us: int

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


@contextmanager
def nginx() -> Iterator[tuple[int, int]]:
    """Port and worker pid of an nginx with one worker on core 0."""
    with tempfile.TemporaryDirectory() as run:
        port = free_port()
        config = Path(run, "nginx.conf")
        config.write_text(_NGINX.format(run=run, port=port))
        Path(run).chmod(0o755)
        process = subprocess.Popen([NGINX, "-c", str(config), "-e", f"{run}/error.log"], stderr=subprocess.DEVNULL)
        try:
            for _ in range(100):
                children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
                if children:
                    break
                time.sleep(0.05)
            else:
                raise RuntimeError(Path(run, "error.log").read_text())
            yield port, int(children[0])
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)


def wrk(port: int, seconds: float, *, connections: int = 50, pause_ms: int = 0, path: str = "/") -> Load:
    """Loads nginx from core 1 for a bounded time."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_LUA.format(pause=pause_ms))
        script.flush()
        done = subprocess.run(
            ["taskset", "-c", "1", "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script.name,
             "-H", "User-Agent: bench/1.0", "-H", "Accept: application/json", f"http://127.0.0.1:{port}{path}"],
            capture_output=True, text=True, check=True, timeout=seconds + 30,
        )  # fmt: skip
    found = json.loads(done.stdout.strip().splitlines()[-1])
    return Load(found["requests"], found["duration_us"] / 1e6, found["errors"], found["p50_us"], found["p99_us"])


class Agent:
    """A running agent with a data directory and socket of its own."""

    def __init__(self, pid: int, socket_path: Path, log: Path) -> None:
        self.pid = pid
        self.socket = socket_path
        self.log = log

    def query(self, script: str) -> list[dict[str, object]]:
        """Rows of a script, as `px run -o json` prints them."""
        done = subprocess.run(
            [*PX, "run", "-f", "-", "-o", "json"],
            input=script, capture_output=True, text=True, env=_environment(self.socket), check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def rss(self) -> int:
        return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.pid}/status").read_text())[1]) * 1024  # type: ignore[index]


def _environment(socket_path: Path) -> dict[str, str]:
    return {**os.environ, "PX_SOCKET": str(socket_path), "PYTHONPATH": str(ROOT / "src")}


@contextmanager
def agent(*flags: str) -> Iterator[Agent]:
    """An agent in the foreground of a process of its own, ready to answer."""
    with tempfile.TemporaryDirectory() as folder:
        socket_path, log = Path(folder, "px.sock"), Path(folder, "log")
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*PX, "up", "--data-dir", str(Path(folder, "data")), *flags],
                env=_environment(socket_path), stdout=output, stderr=output,
            )  # fmt: skip
        try:
            end = time.monotonic() + 20
            while not socket_path.exists():
                if process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"the agent did not start:\n{log.read_text()}")
                time.sleep(0.05)
            time.sleep(0.5)
            yield Agent(process.pid, socket_path, log)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def median(values: list[float]) -> float:
    return statistics.median(values)


def report(title: str, rows: list[tuple[str, str, str]]) -> None:
    """Prints figures as a table: what, value, requirement."""
    print(f"\n## {title}\n{machine()}\n")
    width = max(len(row[0]) for row in rows)
    for what, value, wanted in rows:
        print(f"{what:<{width}}  {value:<28} {wanted}")
