"""Answering queries on one host: compile, then run over the agent's own data in the same process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from sylph.pxl.changes import changes_text
from sylph.pxl.compile import Compiled, ExecFunc, check_script, runnable
from sylph.query.answer import CancelToken, Health, Result, ScriptRequest, Stats, TableMeta
from sylph.query.engine import Engine
from sylph.query.explain import RELATION, TABLE, explained_rows
from sylph.query.limits import Limits


class LocalBroker:
    """Runs scripts over one engine. `trouble` says why no answer can be given now; empty when one can.

    `clock` is what relative times count from, in ns since the epoch.
    """

    def __init__(
        self,
        engine: Engine,
        limits: Limits,
        trouble: Callable[[], str],
        *,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._engine = engine
        self._limits = limits
        self._trouble = trouble
        self._clock = clock

    def execute(self, request: ScriptRequest, cancel: CancelToken) -> Iterator[Result]:
        """Answers one script. Raises CompileError for a wrong script and QueryError for all else."""
        began = time.perf_counter_ns()
        calls = [ExecFunc(call.function, call.prefix, call.arguments) for call in request.calls]
        compiled = check_script(
            request.script, tables=self._engine.dataset.tables, now_ns=self._clock(), exec_funcs=calls
        )
        if compiled.plan.explain and (compiled.mutations or compiled.exports):
            results = self._explained(compiled)
        else:
            results = self._engine.run(runnable(compiled, request.script), limits=self._limits, cancel=cancel)
        taken = time.perf_counter_ns() - began
        for result in results:
            yield replace(result, compile_ns=taken) if isinstance(result, Stats) else result

    def _explained(self, compiled: Compiled) -> Iterator[Result]:
        """What a script that changes or exports something would do; nothing of it is done."""
        text = f"== changes ==\n{changes_text(compiled.mutations, compiled.exports)}"
        if compiled.plan.sinks:
            text += f"\n{self._engine.explain(compiled.plan, limits=self._limits)}"
        yield TableMeta(TABLE, RELATION)
        yield explained_rows(text)
        yield Stats()

    def health(self) -> Health:
        """Whether queries can be answered now."""
        trouble = self._trouble()
        return Health(not trouble, trouble)
