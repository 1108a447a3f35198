"""Whether anything is lost in a minute of saturation: rows and counted loss against what wrk says it asked.

capture_loss.py [--seconds S] [--method tcp|syscall]
"""

from __future__ import annotations

import argparse

from capture_overhead import COUNTS
from harness import agent, nginx, report, wrk


def main() -> None:
    """Prints rows, losses by cause and the difference to wrk's count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--method", default="auto")
    options = parser.parse_args()
    with nginx() as (port, _), agent("--method", options.method) as running:
        load = wrk(port, options.seconds)
        wrk(port, 1, connections=1, pause_ms=100)
        found = running.query(COUNTS)
    rows = sum(int(row["n"]) for row in found if row["_tableName_"] == "rows")  # type: ignore[call-overload]
    lost = {str(row["cause"]): int(row["n"]) for row in found if row["_tableName_"] == "lost"}  # type: ignore[call-overload]
    report(
        f"loss ({options.method}), {options.seconds} s of saturation",
        [
            ("requests/s", f"{load.rate:,.0f}", "reach: saturation"),
            ("requests of wrk", f"{load.requests:,}", "baseline"),
            ("rows", f"{rows:,}", ""),
            ("counted loss, by cause", str(lost or 0), "must 0 at 50 k/s"),
        ],
    )


if __name__ == "__main__":
    main()
