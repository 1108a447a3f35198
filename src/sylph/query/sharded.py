"""One plan over several nodes: every agent runs its part, a broker merges what they send."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from sylph.plan.nodes import Plan
from sylph.plan.split import split
from sylph.query.answer import CancelToken, Code, QueryError, QueryWarning, Result, Rows, Stats
from sylph.query.engine import Engine, plan_errors, prepare
from sylph.query.limits import Limits

if TYPE_CHECKING:
    import pyarrow as pa


class Agent(Protocol):
    """Whoever runs the agents' part of a plan: an `Engine` here, or a connection to one elsewhere."""

    def run_part(
        self, plan: Plan, *, limits: Limits | None = None, cancel: CancelToken | None = None
    ) -> Iterator[Result]:
        """As `Engine.run_part`."""
        ...


@dataclass(slots=True)
class Sent:
    """What agents sent: rows by sink, what could not be had, and the sum of their stats."""

    batches: dict[str, list[pa.RecordBatch]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    wire_bytes: int = 0
    bytes: int = 0
    records: int = 0


class ShardedEngine:
    """Runs plans over named agents; `broker` merges, and answers what only brokers know.

    An agent that fails leaves a warning in the answer; if all fail, so does the query.
    """

    def __init__(self, agents: Sequence[tuple[str, Agent]], broker: Engine) -> None:
        self._agents = list(agents)
        self._broker = broker

    def run(self, plan: Plan, *, limits: Limits | None = None, cancel: CancelToken | None = None) -> Iterator[Result]:
        """As `Engine.run`, with a QueryWarning for each agent whose rows are missing."""
        limits = limits or Limits()
        with plan_errors():
            parts = split(prepare(plan, limits))
        return self._run(parts.agent, parts.broker, limits, cancel or CancelToken())

    def _run(self, agent: Plan, broker: Plan, limits: Limits, cancel: CancelToken) -> Iterator[Result]:
        import pyarrow as pa

        began = time.perf_counter_ns()
        sent = self._gather(agent, limits, cancel) if agent.sinks else Sent()
        remote = {name: pa.Table.from_batches(batches) for name, batches in sent.batches.items()}
        left = Limits(max(limits.timeout - (time.perf_counter_ns() - began) / 1e9, 0.0), limits.memory, limits.max_rows)
        warned = False
        for result in self._broker.run_part(broker, limits=left, cancel=cancel, remote=remote):
            if isinstance(result, Stats):
                records, read = sent.records, sent.bytes
                yield Stats(time.perf_counter_ns() - began, 0, read + result.bytes, records + result.records)
                continue
            if isinstance(result, Rows) and not warned:
                warned = True
                yield from map(QueryWarning, sent.warnings)
            yield result

    def _gather(self, plan: Plan, limits: Limits, cancel: CancelToken) -> Sent:
        """All agents' answers. Raises QueryError when there is none, and when they are too large together."""
        total = Sent()
        failed: list[QueryError] = []
        stop = CancelToken()
        cancel.on_cancel(stop.cancel)
        with ThreadPoolExecutor(max(len(self._agents), 1), "agents") as pool:
            try:
                answers = [pool.submit(_collect, agent, plan, limits, stop) for _, agent in self._agents]
                for (name, _), answer in zip(self._agents, answers, strict=True):
                    try:
                        sent = answer.result()
                    except QueryError as error:
                        cancel.check()
                        if error.code in (Code.INVALID_ARGUMENT, Code.RESOURCE_EXHAUSTED):
                            # The query's own fault, not the agent's.
                            raise
                        failed.append(error)
                        total.warnings.append(f"no rows of {name}: {error.message}")
                        continue
                    _add(total, sent, limits)
            finally:
                stop.cancel()
                cancel.forget(stop.cancel)
        if len(failed) == len(self._agents):
            raise failed[0] if failed else QueryError(Code.UNAVAILABLE, "there is no agent to ask")
        return total


def _collect(agent: Agent, plan: Plan, limits: Limits, cancel: CancelToken) -> Sent:
    """One agent's whole answer: part of one would be a wrong answer."""
    sent = Sent()
    for result in agent.run_part(plan, limits=limits, cancel=cancel):
        match result:
            case Rows():
                sent.batches.setdefault(result.name, []).append(result.batch)
                sent.wire_bytes += result.batch.nbytes
                _check_size(sent.wire_bytes, limits)
            case Stats():
                sent.bytes += result.bytes
                sent.records += result.records
            case QueryWarning():
                sent.warnings.append(result.message)
            case _:
                pass
    return sent


def _add(total: Sent, sent: Sent, limits: Limits) -> None:
    for name, batches in sent.batches.items():
        total.batches.setdefault(name, []).extend(batches)
    total.warnings += sent.warnings
    total.wire_bytes += sent.wire_bytes
    total.bytes += sent.bytes
    total.records += sent.records
    _check_size(total.wire_bytes, limits)


def _check_size(size: int, limits: Limits) -> None:
    if size > limits.memory:
        message = (
            f"agents send more than the memory limit of {limits.memory / 2**20:.0f} MiB; "
            "filter or aggregate before merge() or append(), or narrow start_time"
        )
        raise QueryError(Code.RESOURCE_EXHAUSTED, message)
