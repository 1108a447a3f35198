"""Asking agents for their part of a plan, all at once, and holding what they send."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from sylph.plan.nodes import Plan
from sylph.query.answer import CancelToken, Code, QueryError, QueryWarning, Result, Rows, Stats
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
    #: Names of the agents that were asked.
    asked: list[str] = field(default_factory=list)
    bytes: int = 0
    records: int = 0
    #: Bytes of all rows.
    held: int = 0


def gather(
    asked: Sequence[tuple[str, Agent, Plan]],
    limits: Limits,
    cancel: CancelToken,
    total: Sent,
    threads: Executor,
) -> None:
    """Add to `total` what agents answer, each to its part of the plan. Each is asked from one of `threads`.

    An agent that fails is a warning. Raises QueryError when all fail, when one fails that alone was asked for a sink,
    when the query itself is at fault, and when the answers are too large together.
    """
    total.asked = [name for name, _, _ in asked]
    failed: list[QueryError] = []
    stop = CancelToken()
    cancel.on_cancel(stop.cancel)
    answers = [threads.submit(_collect, agent, part, limits, stop) for _, agent, part in asked]
    try:
        for (name, _, _), answer in zip(asked, answers, strict=True):
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
        for answer in answers:
            answer.cancel()
        wait(answers)
    wanted = {sink.name for _, _, part in asked for sink in part.sinks}
    if wanted - set(total.batches):
        raise failed[0] if failed else QueryError(Code.INTERNAL, "an agent sent less than it was asked for")


def _collect(agent: Agent, plan: Plan, limits: Limits, cancel: CancelToken) -> Sent:
    """One agent's whole answer: part of one would be a wrong answer."""
    sent = Sent()
    for result in agent.run_part(plan, limits=limits, cancel=cancel):
        match result:
            case Rows():
                sent.batches.setdefault(result.name, []).append(result.batch)
                sent.held += result.batch.nbytes
                _check_size(sent.held, limits)
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
    total.bytes += sent.bytes
    total.records += sent.records
    total.held += sent.held
    _check_size(total.held, limits)


def _check_size(size: int, limits: Limits) -> None:
    if size > limits.memory:
        message = (
            f"agents send more than the query's memory limit of {limits.memory / 2**20:.0f} MiB"
            f" (at least {size / 2**20:.0f} MiB); "
            "filter or aggregate before merge() or append(), or narrow start_time"
        )
        raise QueryError(Code.RESOURCE_EXHAUSTED, message)
