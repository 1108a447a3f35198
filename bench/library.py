"""Scripts of the library over a small store, this tree against another commit's: interleaved rounds, medians.

    python bench/library.py [--baseline COMMIT] [--rounds 9] [SCRIPT ...]

Rows are those of `sylph.testing.traffic`, four minutes of a made-up cluster, half on disk: what a query costs before
its data counts. Wall and CPU ms of `LocalBroker.execute`, compiling included. Each commit runs in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = (
    "px/cluster",
    "px/service",
    "px/services",
    "px/pod",
    "px/node",
    "px/namespace",
    "px/service_stats",
    "px/sql_queries",
    "px/http_data",
)


def serve() -> None:
    """Answers each script id on standard input with [wall ms, CPU ms, tables, rows]."""
    from sylph.broker.local import LocalBroker
    from sylph.library import loader
    from sylph.query.answer import CancelToken, FunctionCall, Rows, ScriptRequest, TableMeta
    from sylph.query.dataset import Snapshot
    from sylph.query.engine import Engine
    from sylph.query.limits import Limits
    from sylph.store import Store
    from sylph.tables import TABLES
    from sylph.tables.rows import record_batch
    from sylph.testing import cluster, traffic
    from sylph.testing.dataset import MemoryDataset
    from tests.library.test_run import arguments

    class StoreDataset(MemoryDataset):
        """As sylph.testing's, which a commit to compare with may not have."""

        @contextmanager
        def snapshot(self, table: str, start: int | None, end: int | None) -> Iterator[Snapshot]:
            with store.snapshot(table, start, end) as rows:
                yield rows

    now = time.time_ns()
    with tempfile.TemporaryDirectory() as folder, Store(TABLES, directory=Path(folder)) as store:
        data = StoreDataset(metadata=cluster.entities(now), constants=cluster.CONSTANTS, directories=(Path(folder),))
        generated = traffic.rows(seed=1, now_ns=now)
        for half in (0, 1):
            for name, rows in generated.items():
                middle = len(rows) // 2
                store.append(name, record_batch(TABLES[name].relation, rows[middle:] if half else rows[:middle]))
            if not half:
                store.flush()
        broker = LocalBroker(Engine(data), Limits(), lambda: "")
        print("ready", flush=True)
        for line in sys.stdin:
            script = loader.load(line.strip())
            values = arguments(script)
            calls = script.vis.calls if script.vis else ()
            request = ScriptRequest(
                script.text, tuple(FunctionCall(call.function, call.output, call.bind(values)) for call in calls)
            )
            began, cpu = time.perf_counter(), time.process_time()
            results = list(broker.execute(request, CancelToken()))
            took = [(time.perf_counter() - began) * 1e3, (time.process_time() - cpu) * 1e3]
            tables = sum(isinstance(result, TableMeta) for result in results)
            rows = sum(result.batch.num_rows for result in results if isinstance(result, Rows))
            print(json.dumps([*took, tables, rows]), flush=True)


class Worker:
    """One tree's process."""

    def __init__(self, tree: Path) -> None:
        environment = {**os.environ, "PYTHONPATH": f"{tree / 'src'}:{tree}"}
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve()), "--serve"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=tree,
        )  # fmt: skip
        assert self._read() == "ready"

    def _read(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if not line:
            raise RuntimeError(f"the worker ended with {self._process.wait(10)}")
        return line

    def run(self, script: str) -> tuple[float, float, int, int]:
        assert self._process.stdin is not None
        self._process.stdin.write(script + "\n")
        self._process.stdin.flush()
        wall, cpu, tables, rows = json.loads(self._read())
        return wall, cpu, tables, rows

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)


@contextmanager
def tree_of(commit: str) -> Iterator[Path]:
    """Another commit's files, with this tree's native module, which git does not keep."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder, "tree")
        subprocess.run(["git", "-C", ROOT, "worktree", "add", "--quiet", "--detach", tree, commit], check=True)
        try:
            shutil.copy(ROOT / "src/sylph/_native.abi3.so", tree / "src/sylph/")
            yield tree
        finally:
            subprocess.run(["git", "-C", ROOT, "worktree", "remove", "--force", tree], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scripts", nargs="*", default=SCRIPTS)
    parser.add_argument("--baseline", default="HEAD", help="commit to compare with")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve()
        return
    with tree_of(options.baseline) as tree:
        workers = [Worker(ROOT), Worker(tree)]
        print(
            f"{'script':24} {'tables':>6} {'ms':>8} {'before':>8} {'ratio':>6} {'CPU ms':>8} {'before':>8} {'ratio':>6}"
        )
        for script in options.scripts:
            times: list[list[tuple[float, float]]] = [[], []]
            for number in range(options.rounds + 1):
                for side, worker in enumerate(workers):
                    wall, cpu, tables, _ = worker.run(script)
                    if number:
                        times[side].append((wall, cpu))
            wall, before = (statistics.median(t[0] for t in side) for side in times)
            cpu, cpu_before = (statistics.median(t[1] for t in side) for side in times)
            print(
                f"{script:24} {tables:6} {wall:8.1f} {before:8.1f} {wall / before:6.2f} {cpu:8.1f} {cpu_before:8.1f}"
                f" {cpu / cpu_before:6.2f}",
                flush=True,
            )
        for worker in workers:
            worker.close()


if __name__ == "__main__":
    main()
