#!/usr/bin/env python3
"""Fuzzes what is done with a plan that a peer sent: mutated plans of the library are read, checked, written as SQL, and
some are run over an empty store.

    fuzz_plan.py [--seconds N] [--seed N] [--show NUMBER]

What must hold: a plan or a PlanError, at most 5 s of the thread's time, at most 1 GB; and a QueryError, if anything,
from the engine. Ends with 1 at the first that did not hold. The same seed and number give the same bytes (--show).
"""

from __future__ import annotations

import argparse
import random
import resource
import secrets
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

import contextlib

from sylph.query.answer import QueryError
from sylph.query.engine import Engine
from sylph.query.limits import Limits
from sylph.testing.dataset import MemoryDataset
from sylph.testing.plan_fuzz import library_parts, mutated, read

MAX_SECONDS = 5.0
MAX_MEMORY_KB = 2**20
#: One of so many plans that are not refused is run.
RUN_ONE_IN = 10


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--show", type=int, default=None, help="print the bytes of this number and end")
    options = parser.parse_args()
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    seeds = library_parts()

    def bytes_of(number: int) -> bytes:
        return mutated(seeds, random.Random(seed * 1_000_003 + number))

    if options.show is not None:
        sys.stdout.buffer.write(bytes_of(options.show))
        return 0
    engine = Engine(MemoryDataset(), running=1)
    ends = time.monotonic() + options.seconds
    number = refused = ran = 0
    slowest = 0.0
    while time.monotonic() < ends:
        data = bytes_of(number)
        began = time.thread_time()
        try:
            plan = read(data)
            took = time.thread_time() - began
            slowest = max(slowest, took)
            refused += plan is None
            if plan is not None and number % RUN_ONE_IN == 0:
                ran += 1
                with contextlib.suppress(QueryError):
                    list(engine.run_part(plan, limits=Limits(timeout=5, memory=64 * 2**20)))
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            if took > MAX_SECONDS or memory > MAX_MEMORY_KB:
                raise RuntimeError(f"{took:.1f} s, {memory // 1024} MB")
        except Exception:  # noqa: BLE001 - whatever it is, it is a finding
            traceback.print_exc()
            print(
                f"fuzz_plan: number {number} of seed {seed}; see it with --seed {seed} --show {number}", file=sys.stderr
            )
            return 1
        number += 1
    engine.close()
    print(
        f"plans: {number} mutated ({refused} refused, {ran} run), slowest {slowest:.2f} s, seed {seed}; nothing found"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
