"""CPU time to compile PxL scripts: median and worst, with Python's own parse of the same text as the baseline.

    python bench/compile.py [--rounds N] [SCRIPT.pxl ...]

"again" is the same script once more, when its syntax tree is kept.
Without files: every script of the library, and those of tests/pxl/fixtures that compile. A script with a vis.json is
compiled with all the calls that it asks for, as `px run` does.
"""

from __future__ import annotations

import argparse
import ast
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from sylph.pxl.compile import check_script
from sylph.pxl.entry import ExecFunc
from sylph.pxl.errors import CompileError
from sylph.pxl.parse import parse_kept
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


def milliseconds(run: Callable[[], object], rounds: int, before: Callable[[], object] = int) -> float:
    times = []
    for _ in range(rounds):
        before()
        started = time.thread_time()
        run()
        times.append((time.thread_time() - started) * 1000)
    return statistics.median(times)


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
            check_script(source, now_ns=NOW_NS, exec_funcs=requested)
        except (CompileError, SyntaxError) as error:
            print(f"skipped {path.name}: {error.args[0]}")
            continue

        def run(source: str = source, requested: list[ExecFunc] = requested) -> None:
            check_script(source, now_ns=NOW_NS, exec_funcs=requested)

        kept = milliseconds(run, options.rounds)
        new = milliseconds(run, options.rounds, parse_kept.cache_clear)
        parse = milliseconds(lambda source=source: ast.parse(source), options.rounds)
        rows.append((new, kept, parse, len(requested), path))
    rows.sort(reverse=True, key=lambda row: row[0])
    print(f"{'ms':>8} {'again':>8} {'ast.parse':>10} {'calls':>6}  script")
    for new, kept, parse, count, path in rows[:15]:
        print(f"{new:8.2f} {kept:8.2f} {parse:10.2f} {count:6}  {path.parent.name}/{path.name}")
    for what, chosen in (("library", [row for row in rows if "library" in row[4].parts]), ("all", rows)):
        if chosen:
            new, kept, parse = (statistics.median(row[column] for row in chosen) for column in range(3))
            worst = max(row[0] for row in chosen)
            print(f"{what}: {len(chosen)} scripts, median {new:.2f} ms, worst {worst:.2f} ms; again {kept:.2f} ms;")
            print(f"    baseline, ast.parse alone: median {parse:.2f} ms")


if __name__ == "__main__":
    main()
