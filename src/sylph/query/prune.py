"""Leaving out agents that cannot have rows: `plan.ask` says what a row needs, agents say whose rows they have."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sylph.functions.registry import resolve_aggregate
from sylph.plan.ask import AGENT, PROCESSES, demands
from sylph.plan.codec import encode
from sylph.plan.expressions import AggregateCall, ColumnRef, Expression
from sylph.plan.nodes import Aggregate, Plan, Remote, Sink
from sylph.plan.rules.push_filters import filtered
from sylph.query.answer import CancelToken, Rows
from sylph.query.engine import Engine
from sylph.query.facts import Facts
from sylph.query.limits import Limits
from sylph.tables.rows import record_batch
from sylph.tables.types import arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa


#: Questions whose answers are kept.
_MOST_KEPT = 256


class Pruner:
    """Tells which agents a plan must ask. Thread-safe.

    Keeps what agents said as one table, and what was asked of it, until one says something else.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._facts: list[Facts | None] = []
        self._table: pa.Table | None = None
        #: By the questions as a plan, encoded: conditions are the same from one refresh of a script to the next.
        self._kept: dict[bytes, list[set[int] | None]] = {}

    def parts(
        self, plan: Plan, facts: Sequence[Facts | None], limits: Limits, cancel: CancelToken
    ) -> list[Plan | None]:
        """For each agent the sinks that it may have rows for; None: it need not be asked.

        An agent without facts is asked for all. Every sink is asked of somebody, so that its columns are known.
        """
        wanted = [demands(sink.input) for sink in plan.sinks]
        if not any(one is not None for one in wanted) or not any(one is not None for one in facts):
            return [plan] * len(facts)
        possible = self._possible(plan, wanted, self._processes(facts), limits, cancel)
        sinks: list[list[Sink]] = [
            [
                sink
                for sink, whose in zip(plan.sinks, possible, strict=True)
                if facts[number] is None or whose is None or number in whose
            ]
            for number in range(len(facts))
        ]
        asked = {sink.name for some in sinks for sink in some}
        sinks[0] += [sink for sink in plan.sinks if sink.name not in asked]
        return [replace(plan, sinks=tuple(some)) if some else None for some in sinks]

    def _possible(
        self,
        plan: Plan,
        wanted: Sequence[list[list[Expression]] | None],
        processes: pa.Table,
        limits: Limits,
        cancel: CancelToken,
    ) -> list[set[int] | None]:
        """For each sink the numbers of the agents that may have rows; None: all may."""
        source = Remote("processes", PROCESSES)
        overload, kind = resolve_aggregate("count", (PROCESSES[AGENT],))
        count = AggregateCall("count", (ColumnRef(AGENT, PROCESSES[AGENT]),), overload, kind)
        questions = {
            f"{place}#{number}": Sink(
                Aggregate(filtered(source, terms), (AGENT,), (("count", count),)), f"{place}#{number}"
            )
            for place, one in enumerate(wanted)
            for number, terms in enumerate(one or ())
        }
        asking = replace(plan, sinks=tuple(questions.values()))
        key = encode(asking)
        with self._lock:
            kept = self._kept.get(key) if self._table is processes else None
        if kept is not None:
            return kept
        found: list[set[int] | None] = [None if one is None else set() for one in wanted]
        results = self._engine.run_part(asking, limits=limits, cancel=cancel, remote={"processes": processes})
        for result in results:
            if isinstance(result, Rows):
                whose = found[int(result.name.partition("#")[0])]
                assert whose is not None
                whose.update(result.batch.column(0).to_pylist())
        with self._lock:
            if self._table is processes:
                if len(self._kept) >= _MOST_KEPT:
                    self._kept.clear()
                self._kept[key] = found
        return found

    def _processes(self, facts: Sequence[Facts | None]) -> pa.Table:
        """The processes of all agents, as `PROCESSES`."""
        import pyarrow as pa

        with self._lock:
            same = len(facts) == len(self._facts) and all(_same(a, b) for a, b in zip(facts, self._facts, strict=True))
            if self._table is not None and same:
                return self._table
            parts = []
            for number, one in enumerate(facts):
                if one is not None:
                    unknown = record_batch(
                        {name: kind for name, kind in PROCESSES.items() if not name.startswith("#")},
                        [{"asid": one.asid}],
                    )
                    rows = pa.concat_tables(
                        [one.processes, pa.Table.from_batches([unknown]).cast(one.processes.schema)]
                    )
                    own = {AGENT: pa.array([number] * len(rows)), "#hostname": pa.array([one.hostname] * len(rows))}
                    columns = {**own, **dict(zip(rows.column_names, rows.columns, strict=True))}
                    parts.append(pa.table([columns[name] for name in PROCESSES], schema=arrow_schema(PROCESSES)))
            self._facts, self._table = list(facts), pa.concat_tables(parts)
            self._kept.clear()
            return self._table


def _same(a: Facts | None, b: Facts | None) -> bool:
    return a is b or (
        a is not None and b is not None and a.processes is b.processes and (a.asid, a.hostname) == (b.asid, b.hostname)
    )
