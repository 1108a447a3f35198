"""One plan over several nodes: every agent runs its part, a broker merges what they send."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, runtime_checkable

from sylph.plan.nodes import Plan
from sylph.plan.split import SplitPlan, split
from sylph.plan.streams import parts
from sylph.query.answer import CancelToken, Code, QueryError, QueryWarning, Result, Rows, Stats, TableMeta
from sylph.query.engine import Engine, plan_errors, prepare
from sylph.query.explain import RELATION, TABLE, explain, explained_rows, travelled
from sylph.query.facts import Facts
from sylph.query.gather import Agent, Sent, gather
from sylph.query.limits import Limits
from sylph.query.prune import Pruner
from sylph.query.sharded_stream import ShardedStream
from sylph.query.streaming import explained, refuse_analyze

#: Queries that ask all agents at once; more of them wait for threads. Threads are made when needed, and kept.
ASKING = 64


@runtime_checkable
class Informed(Protocol):
    """An agent that tells whose rows it has, so that it need not be asked for others'."""

    def facts(self) -> Facts | None:
        """What it knows now; quick. None: it cannot say, and is always asked."""
        ...


class ShardedEngine:
    """Runs plans over named agents; `broker` merges, and answers what only brokers know.

    Agents that are `Informed` are not asked for rows that they cannot have. One that fails leaves a warning in the
    answer; if all that were asked fail, so does the query.
    """

    def __init__(self, agents: Sequence[tuple[str, Agent]], broker: Engine) -> None:
        self._agents = list(agents)
        self._broker = broker
        self._pruner = Pruner(broker)
        self._threads = ThreadPoolExecutor(max(len(self._agents), 1) * ASKING, "agents")

    def run(self, plan: Plan, *, limits: Limits | None = None, cancel: CancelToken | None = None) -> Iterator[Result]:
        """As `Engine.run`, with a QueryWarning for each agent whose rows are missing."""
        limits, cancel = limits or Limits(), cancel or CancelToken()
        stream = None
        with plan_errors():
            prepared = prepare(plan, limits)
            ending, streamed = parts(prepared)
            if streamed.sinks:
                stream = ShardedStream(self._agents, self._broker, streamed, limits, cancel)
            halves = split(ending)
        sent = Sent()
        results = self._run(halves, limits, cancel, sent)
        if stream is not None:
            refuse_analyze(plan)
            results = stream.results(results if ending.sinks else iter(()))
        if plan.explain or plan.analyze:
            text = explain(plan, prepared, self._broker.dataset.constants)
            if stream is not None:
                return explained(text, prepared, results)
            return self._explained(text, prepared, halves.agent, results, sent)
        return results

    def _explained(
        self, text: str, prepared: Plan, agent: Plan, results: Iterator[Result], sent: Sent
    ) -> Iterator[Result]:
        """The results with the explanation as one more table: with what agents were asked and what they sent."""
        yield TableMeta(TABLE, RELATION)
        for result in results:
            if isinstance(result, Stats):
                left_out = [name for name, _ in self._agents if name not in sent.asked]
                text += travelled(agent, sent.batches, sent.asked, left_out)
                yield explained_rows(text, prepared)
            yield result

    def _run(self, halves: SplitPlan, limits: Limits, cancel: CancelToken, sent: Sent) -> Iterator[Result]:
        import pyarrow as pa

        began = time.perf_counter_ns()
        if halves.agent.sinks:
            if not self._agents:
                raise QueryError(Code.UNAVAILABLE, "there is no agent to ask")
            facts = [agent.facts() if isinstance(agent, Informed) else None for _, agent in self._agents]
            plans = self._pruner.parts(halves.agent, facts, limits, cancel)
            asked = [(name, agent, part) for (name, agent), part in zip(self._agents, plans, strict=True) if part]
            gather(asked, limits, cancel, sent, self._threads)
        remote = {name: pa.Table.from_batches(batches) for name, batches in sent.batches.items()}
        left = Limits(max(limits.timeout - (time.perf_counter_ns() - began) / 1e9, 0.0), limits.memory, limits.max_rows)
        warned = False
        for result in self._broker.run_part(halves.broker, limits=left, cancel=cancel, remote=remote):
            if isinstance(result, Stats):
                records, read = sent.records, sent.bytes
                yield Stats(time.perf_counter_ns() - began, 0, read + result.bytes, records + result.records)
                continue
            if isinstance(result, Rows) and not warned:
                warned = True
                yield from map(QueryWarning, sent.warnings)
            yield result
