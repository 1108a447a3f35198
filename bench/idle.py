"""What an agent takes while nothing happens: memory, and CPU by thread.

idle.py [--seconds N]

Baseline of the memory: a Python that has loaded grpc and pyarrow and sleeps. The machine must be quiet: what others do
is watched, too.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from pathlib import Path

from harness import agent, report


def rss(pid: int) -> int:
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1])  # type: ignore[index]


def libraries() -> int:
    """KiB of a Python with the libraries alone."""
    code = "import grpc, pyarrow, pyarrow.compute, sys; print(flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        found = rss(process.pid)
        process.stdin.close()  # type: ignore[union-attr]
        return found


def threads(pid: int) -> dict[str, tuple[str, int, int]]:
    """Name, ns of CPU and voluntary switches of each thread."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        switches = re.search(r"\nvoluntary_ctxt_switches:\s+(\d+)", (task / "status").read_text())
        found[task.name] = (
            (task / "comm").read_text().strip(),
            int((task / "schedstat").read_text().split()[0]),
            int(switches[1]) if switches else 0,
        )
    return found


def main() -> None:
    """Prints every figure with its baseline."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60)
    seconds = parser.parse_args().seconds
    with agent() as running:
        time.sleep(15)
        before = threads(running.pid)
        time.sleep(seconds)
        after = threads(running.pid)
        memory = rss(running.pid)
    used = {tid: (now[1] - before.get(tid, now)[1]) / 1e7 / seconds for tid, now in after.items()}
    rows = [
        ("memory of the libraries alone, MiB", f"{libraries() / 1024:.0f}", "baseline"),
        ("memory of the agent, MiB", f"{memory / 1024:.0f}", "must 150 MB, reach 90"),
        ("CPU, % of a core", f"{sum(used.values()):.2f}", "must 0.5"),
    ]
    for tid, share in sorted(used.items(), key=lambda item: -item[1])[:5]:
        wakes = (after[tid][2] - before.get(tid, after[tid])[2]) / seconds
        rows.append((f"  thread {after[tid][0]}", f"{share:.3f}", f"{wakes:.1f} wake-ups a second"))
    report(f"idle agent, {seconds} s after 15 s", rows)


if __name__ == "__main__":
    main()
