"""Streams over several nodes: each agent follows its own tables, the broker puts together what they send.

Agents send rows, or states of windows with a watermark. The broker closes a window when the watermark of every agent
has passed it; an agent that fails is waited for no longer, and the answer says so.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from sylph.plan.errors import PlanError
from sylph.plan.nodes import Aggregate, PartialAggregate, Plan, Remote
from sylph.plan.split import split
from sylph.plan.streams import chain, with_counts
from sylph.plan.windows import Window, window_of
from sylph.query.answer import CancelToken, Code, QueryError, QueryWarning, Result, Rows, Stats, TableMeta, Watermark
from sylph.query.arrow import empty
from sylph.query.limits import Limits
from sylph.query.pipeline import Pipeline
from sylph.query.streaming import LATE, Runner, Taken, Told
from sylph.query.windows import END, NEVER

if TYPE_CHECKING:
    import pyarrow as pa

    from sylph.query.engine import Engine
    from sylph.query.gather import Agent

#: Batches of all agents that wait for the broker; an agent that has one more waits itself.
_QUEUE = 16
_RETRY_S = 0.05

_Message = tuple[int, Result | QueryError | None]


class _Output:
    """One sink on the broker's side."""

    def __init__(self, name: str, source: str, pipeline: Pipeline, agents: int) -> None:
        self.name = name
        self.source = source
        self.pipeline = pipeline
        self._watermarks = [NEVER] * agents
        self._late = Told(LATE)

    def rows(self, batch: Rows) -> Iterator[Result]:
        import pyarrow as pa

        yield from self._shown(self.pipeline.push(pa.Table.from_batches([batch.batch])))

    def passed(self, agent: int, watermark: int) -> Iterator[Result]:
        """The watermark of an agent has moved."""
        self._watermarks[agent] = max(self._watermarks[agent], watermark)
        yield from self._shown(self.pipeline.advance(min(self._watermarks)))
        if self.pipeline.windows is not None:
            yield from self._late.warnings(self.pipeline.windows.late)

    def _shown(self, batches: Sequence[pa.RecordBatch]) -> Iterator[Result]:
        for batch in batches:
            yield Rows(self.name, batch, live=True)


class ShardedStream:
    """One streamed plan over agents. Raises PlanError when made of a plan that cannot be cut in two."""

    def __init__(
        self,
        agents: Sequence[tuple[str, Agent]],
        broker: Engine,
        plan: Plan,
        limits: Limits,
        cancel: CancelToken,
    ) -> None:
        halves = split(with_counts(plan))
        windows: dict[str, Window | None] = {
            sink.name: window_of(sink.input) for sink in halves.agent.sinks if isinstance(sink.input, PartialAggregate)
        }
        self._plan = halves.agent
        self._agents = agents
        self._broker = broker
        self._limits = limits
        self._cancel = cancel
        self._taken = Taken()
        self._messages: queue.Queue[_Message] = queue.Queue(_QUEUE)
        self._stop = CancelToken()
        self._failed: dict[int, QueryError] = {}
        self._metas = [TableMeta(sink.name, sink.input.relation) for sink in plan.sinks]
        run = Runner(broker, limits, cancel, self._taken)
        self._outputs = []
        for sink in halves.broker.sinks:
            leaf, *operators = chain(sink.input)
            assert isinstance(leaf, Remote)
            if any(isinstance(node, Aggregate) for node in operators):
                message = "a function that only the broker has comes before windows of a stream"
                raise PlanError(message, "use it after agg()")
            pipeline = Pipeline(sink.input, run, memory=limits.memory, window=windows.get(leaf.name))
            self._outputs.append(_Output(sink.name, leaf.name, pipeline, len(agents)))

    def results(self, ending: Iterator[Result]) -> Iterator[Result]:
        """The results of sinks that end, then streamed rows until cancelled or until no more can follow; then Stats."""
        began = time.perf_counter_ns()
        wake = threading.Event()
        with ExitStack() as held:
            self._broker.streams.take(wake)
            held.callback(self._broker.streams.give, wake)
            held.callback(self._stop.cancel)
            self._cancel.on_cancel(self._interrupt)
            held.callback(self._cancel.forget, self._interrupt)
            yield from self._metas
            yield from (result for result in ending if not isinstance(result, Stats))
            for place, (name, agent) in enumerate(self._agents):
                threading.Thread(target=self._ask, args=(place, agent), name=f"stream-{name}", daemon=True).start()
            yield from (Rows(meta.name, empty(meta.relation), live=True) for meta in self._metas)
            yield from self._merge()
        yield Stats(time.perf_counter_ns() - began, 0, self._taken.bytes, self._taken.records)

    def _interrupt(self) -> None:
        self._stop.cancel()
        with suppress(queue.Full):  # then there is something to wake up for
            self._messages.put_nowait((-1, None))

    def _ask(self, place: int, agent: Agent) -> None:
        """Hands over what an agent sends; ends with None or its error."""
        last: QueryError | None = None
        try:
            for result in agent.run_part(self._plan, limits=self._limits, cancel=self._stop):
                self._put((place, result))
                if self._stop.cancelled:
                    break
        except QueryError as error:
            last = error
        except Exception as error:  # noqa: BLE001  (whatever ends an agent must not leave the broker waiting)
            last = QueryError(Code.INTERNAL, f"{type(error).__name__}: {error}")
        self._put((place, last))

    def _put(self, message: _Message) -> None:
        while not self._stop.cancelled:
            with suppress(queue.Full):
                self._messages.put(message, timeout=_RETRY_S)
                return

    def _merge(self) -> Iterator[Result]:
        outputs = list(self._outputs)
        running = set(range(len(self._agents)))
        while outputs and running:
            place, message = self._messages.get()
            self._cancel.check()
            if message is None or isinstance(message, QueryError):
                running.discard(place)
                if message is not None:
                    yield self._lost(place, message)
                for output in outputs:
                    yield from output.passed(place, END)
            elif isinstance(message, Stats):
                self._taken.records += message.records
                self._taken.bytes += message.bytes
            elif isinstance(message, QueryWarning):
                yield QueryWarning(f"{self._agents[place][0]}: {message.message}")
            elif isinstance(message, Rows | Watermark):
                for output in outputs:
                    if output.source == message.name:
                        yield from (
                            output.rows(message) if isinstance(message, Rows) else output.passed(place, message.time)
                        )
            for output in [output for output in outputs if output.pipeline.done or not running]:
                outputs.remove(output)
                meta = next(meta for meta in self._metas if meta.name == output.name)
                yield Rows(output.name, empty(meta.relation), last=True)

    def _lost(self, place: int, error: QueryError) -> QueryWarning:
        """The warning about an agent whose rows are missing. Raises `error` if all are, or if it is the query's."""
        self._failed[place] = error
        if error.code in (Code.INVALID_ARGUMENT, Code.RESOURCE_EXHAUSTED) or len(self._failed) == len(self._agents):
            raise error
        return QueryWarning(f"no more rows of {self._agents[place][0]}: {error.message}")
