"""One store in one process against the same rows over 20 agents in 20 processes, merged: time, and bytes shipped.

    python bench/shards.py [--rows 10000000] [--shards 20] [--pairs 7]

The rows are those of `bench/query.py`, in turn to the agents. An agent is an `Engine` of one thread in a process of its
own; plans go to it as bytes and rows come back as Arrow IPC (zstd), through a pipe. The baseline, the single process, has a
thread for each core. Both run on the same cores, in pairs, one after the other.
"""

from __future__ import annotations

import argparse
import os
import pickle
import statistics
import time
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection

import pyarrow as pa

import query
from sylph.plan.codec import decode, encode
from sylph.plan.nodes import Plan
from sylph.query.answer import CancelToken, QueryError, Result, Rows, Stats
from sylph.query.engine import Engine
from sylph.query.facts import Facts, facts_of
from sylph.query.limits import Limits
from sylph.query.sharded import ShardedEngine
from sylph.tables import TABLES
from sylph.testing.dataset import MemoryDataset
from sylph.testing.dataset import Rows as Held

LIMITS = Limits(memory=2**31)
ZSTD = pa.ipc.IpcWriteOptions(compression="zstd")


def serve(pipe: Connection, rows: int, place: int, count: int) -> None:
    """An agent: holds every `count`-th batch, answers plans until the pipe is closed."""
    data = query.Pruned()
    data.rows["http_events"] = Held(query.generate(rows, place, count), [])
    data.metadata["process"] = query.processes()
    engine = Engine(data, running=1, threads=1)
    pipe.send_bytes(b"ready")
    while True:
        try:
            asked = pipe.recv_bytes()
        except EOFError:
            return
        stats = Stats()
        writers: dict[str, tuple[pa.BufferOutputStream, pa.RecordBatchStreamWriter]] = {}
        for result in engine.run_part(decode(asked, TABLES), limits=LIMITS):
            if isinstance(result, Rows):
                if result.name not in writers:
                    sink = pa.BufferOutputStream()
                    writers[result.name] = (sink, pa.ipc.new_stream(sink, result.batch.schema, options=ZSTD))
                writers[result.name][1].write_batch(result.batch)
            elif isinstance(result, Stats):
                stats = result
        answer = {}
        for name, (sink, writer) in writers.items():
            writer.close()
            answer[name] = sink.getvalue().to_pybytes()
        pipe.send_bytes(pickle.dumps((answer, stats.records, stats.bytes)))


class Agent:
    """The broker's side of an agent. `shipped`: bytes that came back."""

    def __init__(self, rows: int, place: int, count: int) -> None:
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, rows, place, count), daemon=True)
        self._process.start()
        theirs.close()
        self._facts = facts_of(MemoryDataset(metadata={"process": query.processes()}))
        self.shipped = 0

    def ready(self) -> None:
        self._pipe.recv_bytes()

    def facts(self) -> Facts | None:
        return self._facts

    def run_part(
        self, plan: Plan, *, limits: Limits | None = None, cancel: CancelToken | None = None
    ) -> Iterator[Result]:
        del limits, cancel
        self._pipe.send_bytes(encode(plan))
        try:
            answer = self._pipe.recv_bytes()
        except EOFError:
            raise QueryError(14, "the agent has ended") from None  # type: ignore[arg-type]
        self.shipped += len(answer)
        tables, records, size = pickle.loads(answer)
        for name, data in tables.items():
            for batch in pa.ipc.open_stream(data):
                yield Rows(name, batch)
        yield Stats(0, 0, size, records)

    def close(self) -> None:
        self._pipe.close()
        self._process.join(30)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--shards", type=int, default=20)
    parser.add_argument("--pairs", type=int, default=7)
    options = parser.parse_args()

    agents = []
    for place in range(options.shards):
        agents.append(Agent(options.rows, place, options.shards))
    for agent in agents:
        agent.ready()
    data = query.Pruned()
    data.rows["http_events"] = Held(query.generate(options.rows), [])
    data.metadata["process"] = query.processes()
    one = Engine(data)
    many = ShardedEngine([(f"node-{i}", agent) for i, agent in enumerate(agents)], Engine(MemoryDataset(), running=1))
    print(f"{options.rows} rows; {options.shards} processes of one thread, or one of {os.cpu_count()}")
    for name, asked in query.plans().items():
        times: list[list[float]] = [[], []]
        shipped = 0
        counts = []
        for number in range(options.pairs + 1):
            counts = []
            for side, engine in enumerate((many, one)):
                before = sum(agent.shipped for agent in agents)
                began = time.perf_counter()
                counts.append(sum(r.batch.num_rows for r in engine.run(asked, limits=LIMITS) if isinstance(r, Rows)))
                if number:
                    times[side].append((time.perf_counter() - began) * 1e3)
                shipped = max(shipped, sum(agent.shipped for agent in agents) - before)
        assert counts[0] == counts[1], (name, counts)
        ours, theirs = (statistics.median(side) for side in times)
        print(
            f"{name:22} {options.shards} shards {ours:8.1f} ms   single {theirs:8.1f} ms   ratio {ours / theirs:5.2f}"
            f"   shipped {shipped / 1e3:8.1f} kB",
            flush=True,
        )
    for agent in agents:
        agent.close()


if __name__ == "__main__":
    main()
