"""Start-up of `px`: to its help, and to a printed table; beside bare Python and Python that imports grpc.

Interleaved rounds, medians; also CPU time, which a busy machine spoils less. A real server answers with 3 rows; the bytecode of all modules is compiled before.
"""

from __future__ import annotations

import argparse
import compileall
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sylph.api.server import serve
from tests.api.support import Handler, one_table

SOURCE = Path(__file__).parents[1] / "src"


def cpu_seconds() -> float:
    """CPU time of all children so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    compileall.compile_dir(SOURCE / "sylph", quiet=2)
    with tempfile.TemporaryDirectory() as folder:
        socket = Path(folder, "px.sock")
        script = Path(folder, "script.pxl")
        script.write_text("import px\npx.display(px.DataFrame('http_events'))\n")
        server = serve(Handler(one_table()), unix=socket)
        environment = {**os.environ, "PYTHONPATH": str(SOURCE), "PX_SOCKET": str(socket)}
        python = [sys.executable]
        px = [*python, "-m", "sylph.cli.main"]
        commands = {
            "python -c pass": [*python, "-c", "pass"],
            "python -c 'import click'": [*python, "-c", "import click"],
            "python -c 'import grpc'": [*python, "-c", "import grpc"],
            "px --help": [*px, "--help"],
            "px run -f script.pxl": [*px, "run", "-f", str(script)],
        }
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        cpu: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, command in commands.items():
                used, began = cpu_seconds(), time.perf_counter()
                subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
                seconds[name].append(time.perf_counter() - began)
                cpu[name].append(cpu_seconds() - used)
        server.stop(0)
    print(f"{'':26}  median    best     CPU   ({rounds} rounds)")
    for name, times in seconds.items():
        print(
            f"{name:26}  {statistics.median(times) * 1e3:4.0f} ms  {min(times) * 1e3:4.0f} ms  {statistics.median(cpu[name]) * 1e3:4.0f} ms"
        )


if __name__ == "__main__":
    main()
