"""Time to compile PxL scripts: median and worst, with Python's own parse of the same text as the baseline.

    python bench/compile.py [--rounds N] [SCRIPT.pxl ...]

Without files: every script of the library, and those of tests/pxl/fixtures that compile. A script with a vis.json is
compiled with all the calls that it asks for, as `px run` does.
"""

from __future__ import annotations

import argparse
import ast
import statistics
import time
import warnings
from pathlib import Path

from sylph.pxl.compile import compile_script
from sylph.pxl.entry import ExecFunc
from sylph.pxl.errors import CompileError
from sylph.pxl.vis import PXType, load_vis

ROOT = Path(__file__).resolve().parent.parent
NOW_NS = 1_700_000_000_000_000_000


def calls(path: Path) -> list[ExecFunc]:
    vis_file = path.with_name("vis.json")
    if not vis_file.exists():
        return []
    vis = load_vis(vis_file.read_text())
    made_up = {PXType.PX_INT64: "1", PXType.PX_FLOAT64: "1.0", PXType.PX_BOOLEAN: "true"}
    required = {one.name: made_up.get(one.type, "a/b") for one in vis.variables if one.default is None}
    return vis.exec_funcs(required)


def milliseconds(run, rounds: int) -> tuple[float, float]:
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        run()
        times.append((time.perf_counter() - started) * 1000)
    return times[0], statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scripts", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    paths = options.scripts or [
        *sorted((ROOT / "src/sylph/library").rglob("*.pxl")),
        *sorted((ROOT / "tests/pxl/fixtures").glob("[!e]*.pxl")),
    ]
    warnings.simplefilter("ignore")
    rows = []
    for path in paths:
        source = path.read_text()
        requested = calls(path)
        try:
            ast.parse(source)
            compile_script(source, now_ns=NOW_NS, exec_funcs=requested)
        except (CompileError, SyntaxError) as error:
            print(f"skipped {path.name}: {error.args[0]}")
            continue
        first, median = milliseconds(
            lambda source=source, requested=requested: compile_script(source, now_ns=NOW_NS, exec_funcs=requested),
            options.rounds,
        )
        _, parse = milliseconds(lambda source=source: ast.parse(source), options.rounds)
        rows.append((median, first, parse, len(requested), path))
    rows.sort(reverse=True, key=lambda row: row[0])
    print(f"{'ms':>8} {'ast.parse':>10} {'calls':>6}  script")
    for median, _, parse, count, path in rows[:15]:
        print(f"{median:8.2f} {parse:10.2f} {count:6}  {path.parent.name}/{path.name}")
    medians = [row[0] for row in rows]
    print(f"{len(rows)} scripts: median {statistics.median(medians):.2f} ms, worst {max(medians):.2f} ms;")
    print(f"baseline, ast.parse alone: median {statistics.median(row[2] for row in rows):.2f} ms")


if __name__ == "__main__":
    main()
