"""One store in one process against the same rows over 20 agents in 20 processes, merged: time, and bytes shipped.

    python bench/shards.py [--rows 10000000] [--shards 20] [--pairs 7]

The rows are those of `bench/query.py`, in turn to the agents. An agent is an `Engine` of one thread in a process of its
own; plans go to it as bytes and rows come back as Arrow IPC (zstd), through a pipe. The baseline, the single process, has a
thread for each core. Both run on the same cores, in pairs, one after the other.
"""

from __future__ import annotations

import argparse
import itertools
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
    """An agent: holds every `count`-th batch, answers plans until the pipe is closed.

    With each answer it tells the CPU seconds that reading the plan, the query and writing the rows took.
    """
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
        spent = [time.process_time()]
        plan = decode(asked, TABLES)
        spent.append(time.process_time())
        results = list(engine.run_part(plan, limits=LIMITS))
        spent.append(time.process_time())
        stats = Stats()
        writers: dict[str, tuple[pa.BufferOutputStream, pa.RecordBatchStreamWriter]] = {}
        for result in results:
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
        spent.append(time.process_time())
        cpu = [after - before for before, after in itertools.pairwise(spent)]
        pipe.send_bytes(pickle.dumps((answer, stats.records, stats.bytes, cpu)))


class Agent:
    """The broker's side of an agent. `shipped`: bytes that came back; `cpu`: seconds of the steps of `serve`.

    `answered`: when the last answer was there.
    """

    def __init__(self, rows: int, place: int, count: int) -> None:
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, rows, place, count), daemon=True)
        self._process.start()
        theirs.close()
        self._facts = facts_of(MemoryDataset(metadata={"process": query.processes()}))
        self.shipped = 0
        self.cpu = [0.0, 0.0, 0.0]
        self.answered = 0.0

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
        self.answered = time.perf_counter()
        self.shipped += len(answer)
        tables, records, size, cpu = pickle.loads(answer)
        self.cpu = [before + more for before, more in zip(self.cpu, cpu, strict=True)]
        for name, data in tables.items():
            for batch in pa.ipc.open_stream(data):
                yield Rows(name, batch)
        yield Stats(0, 0, size, records)

    def close(self) -> None:
        self._pipe.close()
        self._process.join(30)


class Side:
    """One of the two, with what its queries took: wall times and, of this process, CPU time; in ms."""

    def __init__(self, engine: Engine | ShardedEngine) -> None:
        self.engine = engine
        self.times: list[float] = []
        self.cpu = 0.0
        self.rows = 0

    def run(self, asked: Plan) -> None:
        began, used = time.perf_counter(), time.process_time()
        self.rows = sum(r.batch.num_rows for r in self.engine.run(asked, limits=LIMITS) if isinstance(r, Rows))
        self.times.append((time.perf_counter() - began) * 1e3)
        self.cpu += (time.process_time() - used) * 1e3

    @property
    def median(self) -> float:
        return statistics.median(self.times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--shards", type=int, default=20)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--only", default="")
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
        if options.only not in name:
            continue
        sides = Side(many), Side(one)
        waits = []
        for number in range(options.pairs + 1):
            if number == 1:
                # The first pair warms up.
                sides = Side(many), Side(one)
                for agent in agents:
                    agent.shipped, agent.cpu = 0, [0.0, 0.0, 0.0]
            for side in sides:
                began = time.perf_counter()
                side.run(asked)
                if side.engine is many and number:
                    waits.append((max(agent.answered for agent in agents) - began) * 1e3)
        assert sides[0].rows == sides[1].rows, name
        ours, theirs = sides
        shipped = sum(agent.shipped for agent in agents) / options.pairs
        print(
            f"{name:24} {options.shards} shards {ours.median:7.1f} ms   single {theirs.median:7.1f} ms"
            f"   ratio {ours.median / theirs.median:5.2f}   shipped {shipped / 1e3:7.1f} kB",
            flush=True,
        )
        read, run, write = (sum(agent.cpu[step] for agent in agents) * 1e3 / options.pairs for step in range(3))
        wait = statistics.median(waits)
        total = read + run + write + ours.cpu / options.pairs
        print(
            f"    CPU ms: agents' plans {read:.0f}, queries {run:.0f}, answers {write:.0f}; broker"
            f" {ours.cpu / options.pairs:.0f}; together {total:.0f}, single {theirs.cpu / options.pairs:.0f}, ratio"
            f" {total / theirs.cpu * options.pairs:.2f}   last answer after {wait:.0f} ms, merged in {ours.median - wait:.0f} ms",
            flush=True,
        )
    for agent in agents:
        agent.close()


if __name__ == "__main__":
    main()
