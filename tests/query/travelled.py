"""Agents of a sharded engine as if they were on other nodes."""

from __future__ import annotations

from collections.abc import Iterator

from sylph.plan.codec import decode, encode
from sylph.plan.nodes import Plan
from sylph.query.answer import CancelToken, Result
from sylph.query.engine import Engine
from sylph.query.limits import Limits


class Travelled:
    """An engine that gets its plans as bytes."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def run_part(
        self, plan: Plan, *, limits: Limits | None = None, cancel: CancelToken | None = None
    ) -> Iterator[Result]:
        received = decode(encode(plan), self.engine.dataset.tables)
        return self.engine.run_part(received, limits=limits, cancel=cancel)
