"""Answering queries on one host: compile, then run over the agent's own data in the same process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from sylph.pxl.compile import ExecFunc, compile_script
from sylph.query.answer import CancelToken, Health, Result, ScriptRequest, Stats
from sylph.query.engine import Engine
from sylph.query.limits import Limits


class LocalBroker:
    """Runs scripts over one engine. `trouble` says why no answer can be given now; empty when one can."""

    def __init__(self, engine: Engine, limits: Limits, trouble: Callable[[], str]) -> None:
        self._engine = engine
        self._limits = limits
        self._trouble = trouble

    def execute(self, request: ScriptRequest, cancel: CancelToken) -> Iterator[Result]:
        """Answers one script. Raises CompileError for a wrong script and QueryError for all else."""
        began = time.perf_counter_ns()
        calls = [ExecFunc(call.function, call.prefix, call.arguments) for call in request.calls]
        plan = compile_script(
            request.script, tables=self._engine.dataset.tables, now_ns=time.time_ns(), exec_funcs=calls
        )
        compiled = time.perf_counter_ns() - began
        for result in self._engine.run(plan, limits=self._limits, cancel=cancel):
            yield replace(result, compile_ns=compiled) if isinstance(result, Stats) else result

    def health(self) -> Health:
        """Whether queries can be answered now."""
        trouble = self._trouble()
        return Health(not trouble, trouble)
