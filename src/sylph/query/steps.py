"""A plan as the statements that answer it: first what sinks share, then the sinks."""

from __future__ import annotations

from collections.abc import Mapping

from sylph.plan.naming import Naming
from sylph.plan.nodes import Plan, Remote, Sink
from sylph.plan.share import Share, resolved, shares
from sylph.plan.sql import Statement, statement
from sylph.plan.walk import postorder, roots
from sylph.tables.types import DataType

#: Bytes of a value in a table of DuckDB's, guessed; a text may be a body.
_WIDTHS = {DataType.STRING: 64, DataType.UINT128: 16}
#: Part of a query's memory that the rows of one share may take, when computing them again is only a scan.
_PART = 4


class Steps:
    """The statements of a plan. All are written when made, so that a plan that cannot run fails before it begins.

    Raises PlanError then.
    """

    def __init__(self, plan: Plan, constants: Mapping[str, str | int]) -> None:
        self.shares = shares(plan)
        self.sinks = plan.sinks
        self._constants = constants
        self._naming = Naming(postorder(roots(plan)), {share.name: share.blocking for share in self.shares})
        self._ready: dict[int, Remote] = {}
        self._statements: dict[int, Statement] = {}
        for share in self.shares:
            self.of(share)
            self._ready[id(share.node)] = share.remote
        for sink in self.sinks:
            self.of(sink)

    def of(self, step: Share | Sink) -> Statement:
        """The statement of a share or a sink."""
        found = self._statements.get(id(step))
        if found is None:
            found = self._statements[id(step)] = self._write(step)
        return found

    def give_up(self, share: Share) -> None:
        """Those that read it compute it themselves."""
        del self._ready[id(share.node)]
        self._statements.clear()

    def _write(self, step: Share | Sink) -> Statement:
        if isinstance(step, Share):
            root, ordered = resolved(step.node, self._ready), step.blocking
        else:
            root, ordered = self._ready.get(id(step.input)) or resolved(step.input, self._ready), True
        return statement(root, self._constants, self._naming, ordered=ordered)


def most_rows(share: Share, memory: int) -> int:
    """How many rows of a share may be kept by a query of so many bytes."""
    width = sum(_WIDTHS.get(kind.data, 8) for kind in share.node.relation.values())
    return max(memory // (2 if share.blocking else _PART) // width, 1)
