"""Fuzzes the PxL compiler and the planner behind it: programs of a grammar and mutated scripts, each compiled, and
each plan of them optimised, split and written as SQL.

    fuzz_pxl.py [--seconds N] [--programs N] [--seed N] [--first N] [--show NUMBER]

What must hold for every program: a plan, or errors with a message and a line; at most 1 s of the thread's time; at
most 256 MB for the whole process; no other exception, and no crash. Ends with 1 when something did not hold. Findings
are written as they are found; the same seed and number give the same program again (--show).
"""

from __future__ import annotations

import argparse
import mmap
import multiprocessing
import queue
import resource
import secrets
import signal
import struct
import sys
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from sylph.testing.fuzz import Wrong, run  # noqa: E402
from sylph.testing.programs import Programs  # noqa: E402

MAX_SECONDS = 1.0
MAX_MEMORY_KB = 256 * 1024
#: One that takes so long is ended.
HANG_SECONDS = 60
#: Programs between two reports of a worker.
STRIDE = 500
SCRIPTS = [
    path.read_text()
    for folder in ("tests/pxl/fixtures", "src/sylph/library")
    for path in sorted((ROOT / folder).rglob("*.pxl"))
    if not path.name.startswith("error_")
]


def memory_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def hung(_signal: int, _frame: object) -> None:
    raise Wrong(f"more than {HANG_SECONDS} s")


def work(seed: int, first: int, last: int, shared: mmap.mmap, results: object) -> None:
    """Programs first..last-1. The number of the one in hand is in `shared`, for whoever sees this process end."""
    programs = Programs(seed, SCRIPTS)
    signal.signal(signal.SIGALRM, hung)
    warned: list[str] = []
    warnings.showwarning = lambda message, *_args, **_kwargs: warned.append(str(message))
    counts: Counter[str] = Counter()
    slowest = (0.0, first)
    memory = memory_kb()
    for number in range(first, last):
        struct.pack_into("<q", shared, 0, number)
        program = programs.program(number)
        signal.alarm(HANG_SECONDS)
        began = time.thread_time()
        try:
            outcome = run(program)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
            outcome = "finding"
            results.put(("finding", number, type(error).__name__, traceback.format_exc(limit=-6)))
        took = time.thread_time() - began
        signal.alarm(0)
        counts[f"{program.kind}: {outcome}"] += 1
        if warned:
            results.put(("finding", number, "warning", warned.pop()))
        slowest = max(slowest, (took, number))
        if took > MAX_SECONDS:
            results.put(("finding", number, "slow", f"{took:.2f} s"))
        now = memory_kb()
        if now > MAX_MEMORY_KB >= memory:
            results.put(("finding", number, "memory", f"{now // 1024} MB"))
        memory = now
        if (number + 1 - first) % STRIDE == 0 or number + 1 == last:
            results.put(("counts", number + 1, counts, slowest, memory))
            counts = Counter()
    results.put(("done",))


class Fuzz:
    """Workers one after another, until all programs were tried or the time is over."""

    def __init__(self, seed: int, first: int, last: int, seconds: float) -> None:
        self.seed, self.next, self.last = seed, first, last
        self.deadline = time.monotonic() + seconds
        self.counts: Counter[str] = Counter()
        self.findings = 0
        self.slowest = (0.0, first)
        self.memory_kb = 0
        self.began = self.told = time.monotonic()

    def run(self) -> None:
        """A crash of the worker costs one program; the next worker goes on after it."""
        context = multiprocessing.get_context("fork")
        while self.next < self.last and time.monotonic() < self.deadline:
            shared = mmap.mmap(-1, 8)
            results = context.Queue()
            worker = context.Process(target=work, args=(self.seed, self.next, self.last, shared, results), daemon=True)
            worker.start()
            while self._report(worker, results, shared):
                pass
            worker.join()

    def _report(self, worker: multiprocessing.Process, results: object, shared: mmap.mmap) -> bool:
        try:
            kind, *rest = results.get(timeout=1)
        except (queue.Empty, EOFError, OSError):
            # Nothing yet, or a worker that ended while it wrote.
            if time.monotonic() > self.deadline:
                worker.terminate()
                return False
            if worker.is_alive():
                return True
            (number,) = struct.unpack_from("<q", shared, 0)
            self.find(number, "crash", f"the process ended with {worker.exitcode}")
            self.next = number + 1
            return False
        if kind == "done":
            return False
        if kind == "finding":
            self.find(*rest)
            return True
        self.next, counts, slowest, memory = rest
        self.counts += counts
        self.slowest = max(self.slowest, slowest)
        self.memory_kb = max(self.memory_kb, memory)
        if time.monotonic() > self.told + 60:
            self.told = time.monotonic()
            print(self.summary(), flush=True)
        if time.monotonic() > self.deadline:
            worker.terminate()
            return False
        return True

    def find(self, number: int, what: str, detail: str) -> None:
        self.findings += 1
        if self.findings <= 50:
            print(f"FINDING: --seed {self.seed} --show {number}: {what}\n{detail}", flush=True)

    def summary(self) -> str:
        return (
            f"{self.counts.total()} programs, seed {self.seed}, next {self.next}, "
            f"{time.monotonic() - self.began:.0f} s; findings: {self.findings}; "
            f"slowest {self.slowest[0]:.2f} s (number {self.slowest[1]}); memory {self.memory_kb // 1024} MB"
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--programs", type=int, default=10**9)
    parser.add_argument("--seed", type=int, default=None, help="a new one each time if not given")
    parser.add_argument("--first", type=int, default=0, help="the first program's number")
    parser.add_argument("--show", type=int, default=None, help="print this program and try it")
    options = parser.parse_args()
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    if options.show is not None:
        program = Programs(seed, SCRIPTS).program(options.show)
        print(program.source, program.functions, sep="\n", flush=True)
        began = time.thread_time()
        print("--", run(program), f"{time.thread_time() - began:.2f} s, {memory_kb() // 1024} MB")
        return 0
    fuzz = Fuzz(seed, options.first, options.first + options.programs, options.seconds)
    fuzz.run()
    for outcome, count in sorted(fuzz.counts.items()):
        print(f"{count:9} {outcome}")
    print(fuzz.summary())
    return 1 if fuzz.findings else 0


if __name__ == "__main__":
    sys.exit(main())
