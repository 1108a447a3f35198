"""Queries without end: rows are shown as they come, each once.

A streamed sink has a follower, its place in a table of the store, and a pipeline. When rows come, the store wakes the
query; it takes what is there, pushes it through the pipeline with an instance of the pool, gives that back, and hands
the result over. Nothing is kept between: who takes results slowly is further behind in the store, whose budget
decides what is gone by then.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sylph.plan.nodes import Node, Plan, Sink, Source
from sylph.plan.streams import chain, check, with_counts
from sylph.query.answer import CancelToken, Code, QueryError, QueryWarning, Result, Rows, Stats, TableMeta, Watermark
from sylph.query.arrow import empty
from sylph.query.dataset import Dataset, LiveDataset, Segment, Snapshot
from sylph.query.explain import RELATION, TABLE, explained_rows
from sylph.query.limits import Limits
from sylph.query.pipeline import Pipeline
from sylph.query.windows import END, GRACE_NS, Clock
from sylph.tables.declare import Table
from sylph.tables.rows import Row
from sylph.tables.types import Relation

if TYPE_CHECKING:
    import pyarrow as pa

    from sylph.query.engine import Engine

#: Bytes of memory that one step takes of a table; on disk, a segment is the unit.
STEP_BYTES = 4 << 20
#: Shortest pause between two steps, s: many small batches become one step. A step that took longer pauses as long.
PAUSE_S = 0.015
_LONGEST_PAUSE_S = 0.25
#: Shortest time between two warnings of one kind, s.
_WARN_S = 5.0
#: Told of rows that came too late.
LATE = (
    "{} rows came too late: their window had been shown. "
    f"It waits until there are rows {GRACE_NS / 1e9:g} s newer than its end, or none for so long"
)


class Slots:
    """How many streams an engine runs at once, and a way to end them all."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._wakes: set[threading.Event] = set()
        self.closed = False

    def take(self, wake: threading.Event) -> None:
        """A place for a stream, which `wake` wakes. Raises QueryError when there is none."""
        with self._lock:
            if len(self._wakes) >= self._limit:
                message = f"{self._limit} streams are running already; end one of them, or ask without stream()"
                raise QueryError(Code.RESOURCE_EXHAUSTED, message)
            self._wakes.add(wake)

    def give(self, wake: threading.Event) -> None:
        """The stream has ended."""
        with self._lock:
            self._wakes.discard(wake)

    def close(self) -> None:
        """End all streams."""
        with self._lock:
            self.closed = True
            for wake in self._wakes:
                wake.set()


def stream(
    engine: Engine, ending: Plan, streamed: Plan, limits: Limits, cancel: CancelToken, *, remote: bool
) -> Iterator[Result]:
    """Every TableMeta; all of the sinks that end; then streamed rows, until `cancel` or until no more can follow.

    With `remote`, for a broker: with Watermarks, as windows are its business.
    """
    for sink in streamed.sinks:
        check(sink.input)
    return _Stream(engine, ending, streamed, limits, cancel, remote=remote).results()


def refuse_analyze(plan: Plan) -> None:
    """Raises QueryError for a streamed plan that asks to be measured."""
    if plan.analyze:
        raise QueryError(Code.INVALID_ARGUMENT, "analyze measures whole answers: leave out stream()")


def explained(text: str, prepared: Plan, results: Iterator[Result]) -> Iterator[Result]:
    """The results of a stream with an explanation as one more table, before all rows."""
    yield TableMeta(TABLE, RELATION)
    told = False
    for result in results:
        if not told and isinstance(result, Rows):
            told = True
            yield explained_rows(text, prepared)
        yield result


@dataclass(slots=True)
class Taken:
    """What a stream has read, for its statistics."""

    records: int = 0
    bytes: int = 0


class Runner:
    """Runs a stage's node as a query of its own, within the engine's limits."""

    def __init__(self, engine: Engine, limits: Limits, cancel: CancelToken, taken: Taken) -> None:
        self._engine = engine
        self._limits = limits
        self._cancel = cancel
        self._taken = taken

    def __call__(self, node: Node, rows: pa.Table | None, dataset: Dataset | None) -> list[pa.RecordBatch]:
        """Batches that have rows."""
        plan = Plan((Sink(node, "rows"),))
        remote = {} if rows is None else {"rows": rows}
        found = []
        for result in self._engine.run_part(
            plan, limits=self._limits, cancel=self._cancel, remote=remote, dataset=dataset
        ):
            if isinstance(result, Rows) and result.batch.num_rows:
                found.append(result.batch)
            elif isinstance(result, Stats):
                self._taken.records += result.records
                self._taken.bytes += result.bytes
        return found


@dataclass(frozen=True, slots=True)
class _Nothing:
    """A snapshot of no rows."""

    batches: Sequence[pa.RecordBatch] = ()
    segments: Sequence[Segment] = ()


class _Delta:
    """A dataset in which a table has only the rows that came."""

    def __init__(self, base: Dataset, snapshot: Snapshot) -> None:
        self._base = base
        self._snapshot = snapshot
        self.tables: Mapping[str, Table] = base.tables
        self.directories: Sequence[Path] = base.directories
        self.constants: Mapping[str, str | int] = base.constants

    def snapshot(self, table: str, start: int | None, end: int | None) -> AbstractContextManager[Snapshot]:
        del table, start, end
        return nullcontext(self._snapshot)

    def entities(self) -> Mapping[str, pa.Table]:
        return self._base.entities()

    def table_info(self) -> Sequence[Row]:
        return self._base.table_info()


class Told:
    """A count that is told of at most every few seconds."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._told = 0
        self._next = 0.0

    def warnings(self, count: int) -> Iterator[QueryWarning]:
        """A warning with the count, if it has grown and the last one is long ago."""
        now = time.monotonic()
        if count > self._told and now >= self._next:
            self._told, self._next = count, now + _WARN_S
            yield QueryWarning(self._text.format(count))


class _Feed:
    """One streamed sink on the side of its table."""

    def __init__(self, sink: Sink, data: LiveDataset, run: Runner, wake: threading.Event, memory: int) -> None:
        source = chain(sink.input)[0]
        assert isinstance(source, Source)
        if source.table not in data.tables:
            raise QueryError(Code.NOT_FOUND, f"there is no table {source.table!r} here")
        self.name = sink.name
        self.relation: Relation = sink.input.relation
        self.pipeline = Pipeline(sink.input, run, memory=memory)
        self.clock = Clock(self.pipeline.window) if self.pipeline.window is not None else None
        self.more = True
        self._end = source.end
        self._data = data
        self._began = False
        self._missed = 0
        self._missed_told = Told(
            f"{{}} rows of {source.table} had left the store before this stream came to them: filter, or read faster"
        )
        self._late_told = Told(LATE)
        self.follower = data.follow(source.table, source.start, source.end, wake.set)

    def try_out(self) -> None:
        """Run over no rows: what cannot run fails at once, and the first row need not wait for what is loaded first."""
        self.pipeline.push(None, _Delta(self._data, _Nothing()))

    def step(self) -> list[Result]:
        """What the next rows of the table show."""
        # Windows of the past are made of all rows there are, in one go: none of these comes too late.
        whole = self.clock is not None and not self._began
        self._began = True
        results: list[Result] = []
        try:
            part = self.follower.read(None if whole else STEP_BYTES)
        except (OSError, ValueError) as error:
            raise QueryError(Code.UNAVAILABLE, f"a segment cannot be read: {error}") from None
        with part.snapshot as snapshot:
            if snapshot.segments or snapshot.batches:
                results += self._rows(self.pipeline.push(None, _Delta(self._data, snapshot)))
        self.more = part.more
        self._missed += part.missed
        results += self._missed_told.warnings(self._missed)
        if self.clock is not None and part.newest is not None:
            self.clock.saw(part.newest)
        return results

    def advance(self, *, remote: bool) -> list[Result]:
        """What can be shown because time has passed."""
        results: list[Result] = []
        if self.clock is None:
            pass
        elif not self.more and self.clock.advance():
            if remote:
                results.append(Watermark(self.name, self.clock.watermark))
            else:
                results += self._rows(self.pipeline.advance(self.clock.watermark))
        if self.pipeline.windows is not None:
            results += self._late_told.warnings(self.pipeline.windows.late)
        if not self.more and self._end is not None and time.time_ns() > self._end + GRACE_NS:
            results += self._rows(self.pipeline.advance(END))
            self.pipeline.done = True
        return results

    def wait(self, *, remote: bool) -> float | None:
        """Seconds until `advance` may show something; None: only rows can."""
        waits = []
        if self.clock is not None and (wait := self.clock.wait(always=remote)) is not None:
            waits.append(wait)
        if self._end is not None:
            waits.append(max((self._end + GRACE_NS - time.time_ns()) / 1e9, 0) + 0.001)
        return min(waits, default=None)

    def _rows(self, batches: list[pa.RecordBatch]) -> list[Result]:
        return [Rows(self.name, batch, live=True) for batch in batches]


class _Stream:
    def __init__(
        self,
        engine: Engine,
        ending: Plan,
        streamed: Plan,
        limits: Limits,
        cancel: CancelToken,
        *,
        remote: bool,
    ) -> None:
        self._engine = engine
        self._ending = ending
        self._streamed = streamed if remote else with_counts(streamed)
        self._limits = limits
        self._cancel = cancel
        self._remote = remote
        self._taken = Taken()

    def results(self) -> Iterator[Result]:
        began = time.perf_counter_ns()
        data = self._engine.dataset
        if not isinstance(data, LiveDataset):
            raise QueryError(Code.UNIMPLEMENTED, "these rows do not change: leave out stream()")
        wake = threading.Event()
        with ExitStack() as held:
            self._engine.streams.take(wake)
            held.callback(self._engine.streams.give, wake)
            self._cancel.on_cancel(wake.set)
            held.callback(self._cancel.forget, wake.set)
            run = Runner(self._engine, self._limits, self._cancel, self._taken)
            feeds = []
            for sink in self._streamed.sinks:
                feeds.append(_Feed(sink, data, run, wake, self._limits.memory))
                held.callback(feeds[-1].follower.close)
            yield from (TableMeta(feed.name, feed.relation) for feed in feeds)
            yield from self._all_of_those_that_end()
            for feed in feeds:
                feed.try_out()
            if not self._remote:
                # Clients learn that they have to wait.
                yield from (Rows(feed.name, empty(feed.relation), live=True) for feed in feeds)
            yield from self._follow(feeds, wake)
        yield Stats(time.perf_counter_ns() - began, 0, self._taken.bytes, self._taken.records)

    def _all_of_those_that_end(self) -> Iterator[Result]:
        if self._ending.sinks:
            for result in self._engine.run_part(self._ending, limits=self._limits, cancel=self._cancel):
                if isinstance(result, Stats):
                    self._taken.records += result.records
                    self._taken.bytes += result.bytes
                else:
                    yield result

    def _follow(self, feeds: list[_Feed], wake: threading.Event) -> Iterator[Result]:
        while True:
            self._check()
            wake.clear()
            took = 0.0
            for feed in feeds:
                began = time.monotonic()
                results = [] if feed.pipeline.done else feed.step()
                if not feed.pipeline.done:
                    results += feed.advance(remote=self._remote)
                took += time.monotonic() - began
                yield from results
                if feed.pipeline.done:
                    feed.follower.close()
                    if self._remote and feed.pipeline.window is not None:
                        yield Watermark(feed.name, END)
                    else:
                        yield Rows(feed.name, empty(feed.relation), last=True)
            feeds = [feed for feed in feeds if not feed.pipeline.done]
            if not feeds:
                return
            self._cancel.wait(min(max(took, PAUSE_S), _LONGEST_PAUSE_S))
            if any(feed.more for feed in feeds):
                continue
            if any(feed.follower.ended for feed in feeds):
                raise QueryError(Code.UNAVAILABLE, "the agent is shutting down")
            waits = [wait for feed in feeds if (wait := feed.wait(remote=self._remote)) is not None]
            wake.wait(min(waits, default=None))

    def _check(self) -> None:
        self._cancel.check()
        if self._engine.streams.closed:
            raise QueryError(Code.UNAVAILABLE, "the agent is shutting down")
