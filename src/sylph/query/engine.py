"""Running plans over one node's data."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sylph.plan.errors import PlanError
from sylph.plan.nodes import Limit, Node, Plan
from sylph.plan.optimise import optimise
from sylph.plan.placement import check
from sylph.plan.rules import merge_duplicates
from sylph.plan.split import split
from sylph.plan.streams import check as check_stream
from sylph.plan.streams import is_streaming, parts
from sylph.plan.walk import postorder, roots, with_roots
from sylph.query.answer import CancelToken, Code, QueryError, Result, Rows, Stats, TableMeta
from sylph.query.dataset import Dataset
from sylph.query.duck import Instance, Instances
from sylph.query.errors import translate
from sylph.query.explain import RELATION, TABLE, Measured, explain, explained_rows, measured, travelled
from sylph.query.facts import Facts, facts_of
from sylph.query.limits import STREAMS, Limits
from sylph.query.run import Run
from sylph.query.scan import Scans
from sylph.query.steps import Steps
from sylph.query.streaming import Slots, explained, refuse_analyze, stream
from sylph.query.watch import Watchdog, Watched

if TYPE_CHECKING:
    import pyarrow as pa


class Engine:
    """Runs plans in DuckDB over a dataset. Thread-safe; DuckDB is loaded with the first query.

    `running` queries run at once and `waiting` more may wait; the next is refused. Of streams, which wait for rows most
    of the time and then take their turn like others, there may be `streams`.
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        running: int = 4,
        waiting: int = 128,
        streams: int = STREAMS,
        threads: int | None = None,
    ) -> None:
        self.dataset = dataset
        self.streams = Slots(streams)
        self._instances = Instances(
            dataset.directories, running=running, waiting=waiting, threads=threads or os.cpu_count() or 1
        )
        self._watchdog = Watchdog()
        self._checked: dict[str, pa.Table] = {}

    def close(self) -> None:
        """Refuse further queries, end streams and what is idle."""
        self.streams.close()
        self._instances.close()

    def run(self, plan: Plan, *, limits: Limits | None = None, cancel: CancelToken | None = None) -> Iterator[Result]:
        """A compiled plan, whole: yields every TableMeta, then each sink's Rows in turn, then Stats.

        Streamed sinks come last, together, with Rows that are `live`, for as long as nobody cancels.
        Raises QueryError; closing the iterator ends the query.
        """
        limits = limits or Limits()
        with plan_errors():
            prepared = prepare(plan, limits)
        ending, streamed = parts(prepared)
        if streamed.sinks:
            refuse_analyze(plan)
            results = stream(self, ending, streamed, limits, cancel or CancelToken(), remote=False)
            if plan.explain:
                return explained(explain(plan, prepared, self.dataset.constants), prepared, results)
            return results
        results = self.run_part(prepared, limits=limits, cancel=cancel)
        if plan.explain or plan.analyze:
            return self._explained(plan, prepared, results)
        return results

    def explain(self, plan: Plan, *, limits: Limits | None = None) -> str:
        """What `run` would do, as text. Raises QueryError for a plan that cannot run."""
        with plan_errors():
            return explain(plan, prepare(plan, limits or Limits()), self.dataset.constants)

    def facts(self) -> Facts:
        """Whose rows this engine's dataset has: see `sylph.query.prune`."""
        return facts_of(self.dataset)

    def _explained(self, plan: Plan, prepared: Plan, results: Iterator[Result]) -> Iterator[Result]:
        """The results with the explanation as one more table, at the end with times if they were asked for."""
        yield TableMeta(TABLE, RELATION)
        text = explain(plan, prepared, self.dataset.constants)
        sinks: list[Measured] = []
        rows, since = 0, time.perf_counter_ns()
        for result in results:
            if isinstance(result, Rows):
                rows += result.batch.num_rows
                if result.last:
                    now = time.perf_counter_ns()
                    sinks.append(Measured(result.name, rows, now - since))
                    rows, since = 0, now
            if isinstance(result, Stats):
                if plan.analyze:
                    text += measured(sinks, result.records, result.bytes) + self._would_travel(prepared)
                yield explained_rows(text, prepared)
            yield result

    def _would_travel(self, prepared: Plan) -> str:
        """What this node would send a broker elsewhere, measured by running its part. Empty when nothing could."""
        try:
            agent = split(prepared).agent
        except PlanError:
            return ""
        batches: dict[str, list[pa.RecordBatch]] = {}
        for result in self.run_part(agent):
            if isinstance(result, Rows):
                batches.setdefault(result.name, []).append(result.batch)
        return travelled(agent, batches, [str(self.dataset.constants.get("hostname", "this host"))], [])

    def run_part(
        self,
        plan: Plan,
        *,
        limits: Limits | None = None,
        cancel: CancelToken | None = None,
        remote: Mapping[str, pa.Table] | None = None,
        dataset: Dataset | None = None,
    ) -> Iterator[Result]:
        """One side of a split plan as it is. `remote` holds what agents sent, by the name of the `Remote` node.

        With `dataset`, over that instead of the engine's own.
        """
        ending, streamed = parts(plan)
        if streamed.sinks:
            return stream(self, ending, streamed, limits or Limits(), cancel or CancelToken(), remote=True)
        watched = Watched(limits or Limits(), cancel or CancelToken())
        with plan_errors():
            steps = Steps(plan, self.dataset.constants)
        scanned = Scans(dataset or self.dataset, postorder(roots(plan)), remote or {}, self._checked)
        return self._run(plan, steps, watched, scanned)

    def _run(self, plan: Plan, steps: Steps, watched: Watched, scanned: Scans) -> Iterator[Result]:
        for sink in plan.sinks:
            yield TableMeta(sink.name, sink.input.relation)
        with self._instance(watched) as instance, scanned as scans:
            run = Run(instance, scans, steps, watched)
            for share in steps.shares:
                run.keep(share)
            for sink in plan.sinks:
                yield from run.rows(sink)
            yield Stats(time.perf_counter_ns() - watched.began, 0, scans.bytes, scans.rows)

    @contextmanager
    def _instance(self, watched: Watched) -> Iterator[Instance]:
        """An instance, within the query's bounds. Errors come out as QueryError."""
        import duckdb

        instance = self._instances.take(watched.cancel, watched.deadline)
        try:
            watched.stop = instance.connection.interrupt
            self._watchdog.add(watched)
            try:
                instance.bound(max(watched.limits.memory, 1) // 1024 + 1)
                yield instance
            except (duckdb.Error, OSError) as error:
                instance.broken = isinstance(error, duckdb.InternalException | duckdb.FatalException)
                watched.check()
                raise translate(error, watched.limits, watched.table) from None
            finally:
                self._watchdog.remove(watched)
        finally:
            self._instances.give(instance)


@contextmanager
def plan_errors() -> Iterator[None]:
    """A plan that cannot run is the asker's mistake."""
    try:
        yield
    except PlanError as error:
        raise QueryError(Code.INVALID_ARGUMENT, str(error)) from None


def prepare(plan: Plan, limits: Limits) -> Plan:
    """The plan checked, with its row caps in place, optimised. Raises PlanError."""
    # Merged first: what scripts build often has each node several times.
    plan = merge_duplicates.apply(plan)
    check(plan)
    cap = min(plan.max_output_rows, limits.max_rows)
    capped: list[Node] = []
    for sink in plan.sinks:
        streaming = is_streaming(sink.input)
        if streaming:
            check_stream(sink.input)
        capped.append(sink.input if streaming else Limit(sink.input, cap))
    return optimise(with_roots(plan, capped))
