"""An hour of traffic compressed into minutes, against the default budgets: what memory and disk hold, what leaves first, and
how long queries take meanwhile.

hour.py [--minutes M] [--documents N] [--method tcp|syscall] [--memory SIZE] [--disk SIZE]

Bodies are 480 bytes of random text from N documents, so that rows take the disk that they would take with
real answers. The baseline of memory is the agent before the load.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from harness import agent, median, report

from sylph.cli.sizes import Size
from tests.e2e.history import NGINX, Watch, asking, by_second, holes, load, most_budgeted, write_documents
from tests.e2e.nginx import nginx

MIB = 2**20


def main() -> None:
    """Prints what was held, at most, of memory and disk, what left, and what queries took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=2.5)
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--method", default="auto")
    parser.add_argument("--memory", default="512MiB")
    parser.add_argument("--disk", default="2GiB")
    options = parser.parse_args()
    memory, disk = (Size().convert(text, None, None) for text in (options.memory, options.disk))
    flags = ("--method", options.method, "--memory", options.memory, "--disk", options.disk)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (root := folder / "root").mkdir()
        write_documents(root, options.documents)
        with nginx(root, folder / "run", more=NGINX) as port, agent(*flags) as running, asking(running.socket) as query:
            data = running.log.parent / "data"
            seconds = int(options.minutes * 60)
            with Watch(running.pid, data, query, port) as watch:
                requests = load(folder, port, documents=options.documents, seconds=seconds)
            kept = by_second(query, port, "-1h")
            hot, cold = (most_budgeted(query, f"table.{kind}_bytes") for kind in ("hot", "cold"))
    changed = holes(watch.fresh, kept)
    grown = watch.memory - watch.memory_before
    report(
        f"an hour in {options.minutes:g} minutes ({options.method}), {options.memory} of memory, {options.disk} of disk",
        [
            ("requests", f"{requests:,} = {requests / 3600:,.0f}/s for an hour", ""),
            ("rows kept", f"{sum(kept.values()):,} in the newest {len(kept)} s of {seconds}", ""),
            (
                "seconds whose rows changed after",
                f"{len(changed)} of {len(watch.fresh)} {changed or ''}",
                "must 0: the oldest go first",
            ),
            ("rows in memory, most", f"{hot / MIB:,.0f} MiB, {hot / memory:.1%}", "must 105 %"),
            (
                "process, most, above idle",
                f"{grown / MIB:,.0f} MiB, {grown / memory:.1%}",
                f"baseline {watch.memory_before / MIB:,.0f} MiB",
            ),
            ("files of rows, most", f"{cold / MIB:,.0f} MiB, {cold / disk:.1%}", "must 105 %"),
            ("folder, most", f"{watch.disk / MIB:,.0f} MiB, {watch.disk / disk:.1%}", "must 105 %"),
            (
                "queries meanwhile",
                f"{len(watch.queries)}, median {median(watch.queries):.2f} s, worst {max(watch.queries):.2f} s",
                "",
            ),
        ],
    )


if __name__ == "__main__":
    main()
