"""How long after its response a request can be asked for: idle, at 5,000 requests a second, and saturated.

visibility.py [--marks N] [--method tcp|syscall]

The baseline is the same query when its row has long been there: what asking alone takes.
"""

from __future__ import annotations

import argparse
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness import agent, nginx, report, wrk

from sylph.client.rpc import Client
from sylph.client.target import Target
from tests.e2e.visibility import sightings

_ASK = "import px\ndf = px.DataFrame(table='http_events', start_time='-30s')\npx.display(df[df.req_path == '/none'])"


@contextmanager
def load(port: int, pause_ms: int | None, seconds: int) -> Iterator[None]:
    """Load beside what runs; none when `pause_ms` is None."""
    if pause_ms is None:
        yield
        return
    thread = threading.Thread(target=wrk, args=(port, seconds), kwargs={"pause_ms": pause_ms})
    thread.start()
    try:
        time.sleep(1)
        yield
    finally:
        thread.join()


def asking_ms(socket: Path, count: int) -> float:
    """Median time of a query that finds nothing, over the same rows."""
    taken = []
    with Client(Target(socket=socket)) as client:
        for _ in range(count):
            began = time.monotonic()
            list(client.execute(_ASK, timeout=10))
            taken.append((time.monotonic() - began) * 1000)
    return statistics.median(taken)


def main() -> None:
    """Prints median and 99th percentile for each load."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--marks", type=int, default=50)
    parser.add_argument("--method", default="auto")
    options = parser.parse_args()
    rows = []
    with nginx() as (port, _), agent("--method", options.method) as running:
        for name, pause_ms in (("idle", None), ("5,000 requests/s", 10), ("saturated", 0)):
            with load(port, pause_ms, seconds=options.marks // 2 + 5):
                seen = list(sightings(running.socket, port, options.marks))
                baseline = asking_ms(running.socket, 20)
            for what, values in (("row", [s.query for s in seen]), ("answer", [s.answer for s in seen])):
                ordered = sorted(values)
                last = ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
                rows.append(
                    (
                        f"{name}: to {what}",
                        f"{ordered[len(ordered) // 2] / 1e6:.0f} ms, p99 {last / 1e6:.0f} ms",
                        "must 500 ms",
                    )
                )
            rows.append((f"{name}: asking alone", f"{baseline:.0f} ms", "baseline"))
    report(f"visibility ({options.method}), {options.marks} marked requests each", rows)


if __name__ == "__main__":
    main()
