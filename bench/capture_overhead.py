"""What watching costs: nginx saturated, and at half of that, with the agent on and off, in interleaved pairs.

capture_overhead.py [--pairs N] [--seconds S] [--method tcp|syscall]
"""

from __future__ import annotations

import argparse
import time

from harness import Load, agent, cpu_ns, median, nginx, report, wrk

COUNTS = """
import px
df = px.DataFrame(table='http_events', start_time='-10m')
px.display(df.agg(n=('latency', px.count)), 'rows')
loss = px.DataFrame(table='capture_loss', start_time='-10m')
loss = loss[loss.table_name == 'http_events']
px.display(loss.groupby('cause').agg(n=('events', px.sum)), 'lost')
"""


def measured(port: int, worker: int, seconds: float, pause_ms: int) -> tuple[Load, float]:
    """The load, and nginx's CPU in µs a request."""
    before = cpu_ns(worker)
    load = wrk(port, seconds, pause_ms=pause_ms)
    return load, (cpu_ns(worker) - before) / 1000 / max(load.requests, 1)


def main() -> None:
    """Prints every figure with its baseline."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--method", default="auto")
    options = parser.parse_args()
    off_rates: list[float] = []
    on_rates: list[float] = []
    off_cpu: list[float] = []
    on_cpu: list[float] = []
    row_cpu: list[float] = []
    differences: list[str] = []
    lost = 0
    with nginx() as (port, worker):
        wrk(port, 1)
        for _ in range(options.pairs):
            load, _ = measured(port, worker, options.seconds, 0)
            off_rates.append(load.rate)
            _, cost = measured(port, worker, options.seconds, 1)
            off_cpu.append(cost)
            with agent("--method", options.method) as running:
                # What is done once, such as loading the writer of Parquet, is no cost of a row.
                warm = wrk(port, 1)
                time.sleep(11)
                before = cpu_ns(running.pid)
                load, _ = measured(port, worker, options.seconds, 0)
                # What is still to be written to disk belongs to the cost.
                time.sleep(11)
                row_cpu.append((cpu_ns(running.pid) - before) / 1000 / load.requests)
                on_rates.append(load.rate)
                found = running.query(COUNTS)
                rows = sum(int(row["n"]) for row in found if row["_tableName_"] == "rows")  # type: ignore[call-overload]
                losses = {str(row["cause"]): int(row["n"]) for row in found if row["_tableName_"] == "lost"}  # type: ignore[call-overload]
                lost += sum(losses.values())
                differences.append(f"{rows + sum(losses.values()) - load.requests - warm.requests:+d}")
                _, cost = measured(port, worker, options.seconds, 1)
                on_cpu.append(cost)
    report(
        f"capture overhead ({options.method}), {options.pairs} pairs of {options.seconds} s",
        [
            ("saturated: throughput without, requests/s", f"{median(off_rates):,.0f}", "baseline"),
            ("saturated: throughput with / without", f"{median([a / b for a, b in zip(on_rates, off_rates, strict=True)]):.3f}", "must 0.80, reach 0.90"),
            ("half load: nginx CPU without, µs/request", f"{median(off_cpu):.2f}", "baseline"),
            ("half load: nginx CPU with / without", f"{median([a / b for a, b in zip(on_cpu, off_cpu, strict=True)]):.3f}", "must 1.15, reach 1.05"),
            ("agent CPU, µs a row, all included", f"{median(row_cpu):.2f}", "must 2, reach 1"),
            ("saturated: counted loss, all pairs", str(lost), "reach 0"),
            ("saturated: rows + loss - requests of wrk", " ".join(differences), "exact, ± connections in flight (50 at each end of a load)"),
        ],
    )  # fmt: skip


if __name__ == "__main__":
    main()
