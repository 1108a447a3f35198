"""Starts and stops Sylph with a small demo: nginx in front of four services that call one another, under a steady load.

demo.py start    start both, print first answers
demo.py stop     end exactly what start started
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUN = ROOT / ".run"
STATE = RUN / "demo.json"
PX = ROOT / ".venv/bin/px"
BASE_PORT = int(os.environ.get("DEMO_PORT", "18080"))
SERVICES = ("shop", "catalog", "cart", "payment")
SERVE_SECONDS = 10


class DemoError(Exception):
    """What the user has to know, in one line."""


def start_ticks(pid: int) -> int:
    """When a process started; 0 when there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return 0
    return int(stat[stat.rfind(b")") + 2 :].split()[19])


def read_state() -> dict[str, object]:
    try:
        return json.loads(STATE.read_text())
    except (OSError, ValueError):
        return {}


def running(state: dict[str, object]) -> list[int]:
    """Pids of the demo that still are the processes that were started."""
    processes = state.get("processes", [])
    assert isinstance(processes, list)
    return [pid for pid, ticks in processes if start_ticks(pid) == ticks]


def check() -> None:
    if os.geteuid() != 0:
        raise DemoError("Sylph watches the kernel and needs root: run 'sudo make run'")
    if not Path("/sys/kernel/btf/vmlinux").exists():
        raise DemoError("this kernel has no BTF: one built with CONFIG_DEBUG_INFO_BTF is needed")
    if shutil.which("nginx") is None and not Path("/usr/sbin/nginx").exists():
        raise DemoError("nginx is missing: run 'scripts/setup test'")
    for number in range(BASE_PORT, BASE_PORT + len(SERVICES) + 1):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", number))
            except OSError:
                raise DemoError(f"port {number} is taken: choose others with DEMO_PORT=N make run") from None


def launch(command: list[str], log: Path, environment: dict[str, str]) -> tuple[int, int]:
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT / "demo",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    return process.pid, start_ticks(process.pid)


def nginx_config() -> Path:
    text = (ROOT / "demo/nginx.conf").read_text()
    for name, value in {"RUN": str(RUN), "WEB": str(BASE_PORT), "SHOP": str(BASE_PORT + 1)}.items():
        text = text.replace(f"@{name}@", value)
    config = RUN / "nginx.conf"
    config.write_text(text)
    return config


def wait_until_listening(ports: range) -> None:
    """Else the first requests find a service that is not there yet, and the first answers show errors."""
    end = time.monotonic() + SERVE_SECONDS
    for port in ports:
        while time.monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)


def wait_until_served(pids: list[int]) -> None:
    end = time.monotonic() + SERVE_SECONDS
    while time.monotonic() < end:
        if any(start_ticks(pid) == 0 for pid in pids):
            break
        with contextlib.suppress(urllib.error.URLError, OSError):
            with urllib.request.urlopen(f"http://127.0.0.1:{BASE_PORT}/api/products", timeout=1) as response:
                if response.status == 200:
                    return
        time.sleep(0.1)
    logs = "".join(path.read_text()[-1000:] for path in sorted(RUN.glob("*.log")))
    raise DemoError(f"the demo did not come up within {SERVE_SECONDS} s\n{logs}")


def px(*arguments: str) -> int:
    return subprocess.run([PX, *arguments], check=False).returncode


def start() -> None:
    if running(read_state()):
        print("the demo is already running; 'make stop' ends it", file=sys.stderr)
        show()
        return
    check()
    RUN.mkdir(exist_ok=True)
    started_sylph = subprocess.run([PX, "status"], capture_output=True, check=False).returncode != 0
    if started_sylph and px("up", "-d") != 0:
        raise DemoError("Sylph did not start; the lines above say why")
    processes: list[tuple[int, int]] = []
    try:
        environment = {**os.environ, "DEMO_PORT": str(BASE_PORT), "PYTHONDONTWRITEBYTECODE": "1"}
        python = str(ROOT / ".venv/bin/python")
        for service in SERVICES:
            processes.append(launch([python, f"{service}.py"], RUN / f"{service}.log", environment))
        wait_until_listening(range(BASE_PORT + 1, BASE_PORT + 1 + len(SERVICES)))
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        processes.append(
            launch(
                [nginx, "-c", str(nginx_config()), "-e", str(RUN / "nginx.log")], RUN / "nginx-start.log", environment
            )
        )
        STATE.write_text(json.dumps({"processes": processes, "sylph": started_sylph}))
        wait_until_served([pid for pid, _ in processes])
        processes.append(launch([python, "load.py"], RUN / "load.log", environment))
        STATE.write_text(json.dumps({"processes": processes, "sylph": started_sylph}))
    except BaseException:
        STATE.write_text(json.dumps({"processes": processes, "sylph": started_sylph}))
        stop()
        raise
    print("collecting for a few seconds ...", file=sys.stderr)
    time.sleep(5)
    show()


def show() -> None:
    for script, *arguments in (
        ("px/cluster", "--start_time=-1m"),
        ("px/service_stats", "--start_time=-1m"),
        ("px/http_data", "--start_time=-1m", "--max_num_records=10"),
    ):
        print(f"\n$ px run {script} -- {' '.join(arguments)}", file=sys.stderr)
        if px("run", script, "--", *arguments) != 0:
            raise DemoError(f"{script} failed; the lines above say why")
    print(
        """
Sylph is running, and so is a small shop that it watches. Try:
  .venv/bin/px run -l                                        the scripts
  .venv/bin/px run px/service -- --service host/shop         one service
  .venv/bin/px run px/slow_http_requests -- --namespace host its slowest requests
  .venv/bin/px run sylph/overhead                            what Sylph costs
  .venv/bin/px doctor                                        what is seen, and what not
  make stop                                                  end both""",
        file=sys.stderr,
    )


def stop() -> None:
    state = read_state()
    alive = running(state)
    for pid in alive:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGTERM)
    end = time.monotonic() + 5
    while running(state) and time.monotonic() < end:
        time.sleep(0.05)
    for pid in running(state):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    if state.get("sylph"):
        px("down")
    STATE.unlink(missing_ok=True)
    print(f"stopped {len(alive)} processes of the demo", file=sys.stderr)


def main() -> int:
    actions = {"start": start, "stop": stop}
    action = actions.get(sys.argv[1]) if len(sys.argv) == 2 else None
    if action is None:
        print("usage: demo.py start|stop", file=sys.stderr)
        return 2
    try:
        action()
    except DemoError as failure:
        print(f"demo: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
