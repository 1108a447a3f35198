"""Connections that live for one request, as many a second as the machine makes, and at 10,000 a second: what they cost and
whether each is accounted for.

short_connections.py [--pairs N] [--seconds S] [--threads N] [--method tcp|syscall]

The baseline is the same nginx and client without an agent, in interleaved pairs.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from harness import agent, cpu_ns, median, report

from tests.e2e.nginx import nginx
from tests.e2e.short_connections import Accounts, Made, accounts, compile_client, connect


def workers() -> list[int]:
    """Pids of nginx's workers: grandchildren of this process."""
    own = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    masters = [pid for pid in own if Path(f"/proc/{pid}/comm").read_text() == "nginx\n"]
    return [
        int(pid) for master in masters for pid in Path(f"/proc/{master}/task/{master}/children").read_text().split()
    ]


def cpu(pids: list[int]) -> int:
    """CPU time of processes, ns."""
    return sum(cpu_ns(pid) for pid in pids)


def differences(known: Accounts, made: Made) -> str:
    """What the accounts say too much or too little; empty when they are exact."""
    found = {
        "rows and losses": known.rows + sum(known.lost.values()) - made.connections,
        "opened": known.opened - made.connections,
        "closed": known.closed - made.connections,
        "bytes received": known.received - made.sent,
        "bytes sent": known.sent - made.received,
    }
    told = f" ({known.lost_ends:,} lost ends of connections counted)" if known.lost_ends else ""
    return ", ".join(f"{what} {by:+,}" for what, by in found.items() if by) + told


def main() -> None:
    """Prints rates with and without an agent, rows, losses and what the accounts differ by."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("--method", default="auto")
    options = parser.parse_args()
    off: list[float] = []
    on: dict[int, list[float]] = {0: [], 10_000: []}
    # CPU in µs a connection.
    server_off: list[float] = []
    server_on: list[float] = []
    agents: list[float] = []
    rows, lost, wrong = 0, 0, []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        client = compile_client(folder)
        with nginx(folder, folder / "run", workers=2) as port:
            for _ in range(options.pairs):
                before = cpu(workers())
                made = connect(client, port, threads=options.threads, seconds=options.seconds)
                off.append(made.rate)
                server_off.append((cpu(workers()) - before) / 1000 / made.connections)
                for rate, rates in on.items():
                    with agent("--method", options.method) as running:
                        before, own = cpu(workers()), cpu_ns(running.pid)
                        made = connect(client, port, threads=options.threads, seconds=options.seconds, rate=rate)
                        server_on.append((cpu(workers()) - before) / 1000 / made.connections)
                        agents.append((cpu_ns(running.pid) - own) / 1000 / made.connections)
                        known = accounts(running.query, port, made)
                    rates.append(made.rate)
                    rows += known.rows
                    lost += sum(known.lost.values())
                    if by := differences(known, made):
                        wrong.append(by)
    asked = median(on[10_000])
    slow = ", which this machine does not make without an agent either" if median(off) < 10_000 else ""
    servers = (median(server_off), median(server_on))
    report(
        f"short connections ({options.method}), {options.pairs} x {options.seconds} s, {options.threads} threads",
        [
            ("without agent, as fast as they go", f"{median(off):,.0f}/s", "baseline"),
            ("with agent, as fast as they go", f"{median(on[0]):,.0f}/s", f"{median(on[0]) / median(off):.2f} of it"),
            ("with agent, 10,000/s asked for", f"{asked:,.0f}/s", f"must 10,000/s{slow}"),
            (
                "nginx CPU a connection",
                f"{servers[1]:.1f} µs",
                f"{servers[1] / servers[0]:.2f} of {servers[0]:.1f} µs without",
            ),
            ("agent CPU a connection", f"{median(agents):.1f} µs", ""),
            ("rows; lost and counted", f"{rows:,}; {lost:,}", "must be lossless"),
            ("accounts differ by", "; ".join(wrong) or "nothing", "must be exact"),
        ],
    )


if __name__ == "__main__":
    main()
