"""Open windows of a stream: partial states until no more rows are expected, and the watermark that says when."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from sylph.functions.declare import AggregateOverload
from sylph.plan.expressions import AggregateCall, ColumnRef
from sylph.plan.nodes import STATE, Aggregate, MergeAggregate, Node, PartialAggregate, Remote, state_name
from sylph.plan.streams import COUNT_STATE
from sylph.plan.windows import Window
from sylph.query.answer import Code, QueryError
from sylph.tables.types import DataType

if TYPE_CHECKING:
    import pyarrow as pa

#: How much later than its time_ a row may be stored and still count, ns: a request is stored when it was answered.
GRACE_NS = 2_000_000_000
#: States are combined when there are this many, or twice as many as after the last time.
_COMBINE_ROWS = 4096
#: Shortest time between two looks at an idle table's windows, ns.
_TICK_NS = 250_000_000

NEVER = -(1 << 63)
END = (1 << 63) - 1


class Clock:
    """The watermark of one table: rows with an earlier time_ are not expected any more.

    It follows the greatest time_ seen, `GRACE_NS` behind it; when nothing came for that long, it follows the
    wall clock, also `GRACE_NS` behind. It never goes back.
    """

    def __init__(self, window: Window) -> None:
        self._width = window.width
        self._newest = NEVER
        self._came = time.time_ns()
        self._ticked = 0
        self.watermark = NEVER

    def saw(self, newest: int) -> None:
        """Rows came, with time_ up to `newest`."""
        self._newest = max(self._newest, newest)
        self._came = time.time_ns()

    def advance(self) -> bool:
        """Move the watermark to where it is now; whether it moved over the end of a window."""
        now = self._ticked = time.time_ns()
        reached = min(self._newest, now) - GRACE_NS if self._newest > NEVER else NEVER
        if now - self._came >= GRACE_NS:
            reached = max(reached, now - GRACE_NS)
        before = self.watermark
        self.watermark = max(before, reached)
        return self.watermark // self._width > before // self._width

    def wait(self, *, always: bool) -> float | None:
        """Seconds until `advance` may close a window; None when none is open and not `always`."""
        if not always and (self._newest == NEVER or self._newest // self._width < self.watermark // self._width):
            return None
        boundary = (self.watermark // self._width + 1) * self._width
        due = max(self._came, boundary, self._ticked + _TICK_NS - GRACE_NS) + GRACE_NS
        return max(due - time.time_ns(), 0) / 1e9


class Windows:
    """Partial states of open windows, about `most` bytes at most. `late` counts rows whose window had closed."""

    def __init__(
        self,
        node: PartialAggregate | MergeAggregate,
        window: Window,
        combine: Callable[[Node, pa.Table], pa.Table],
        most: int,
    ) -> None:
        self._combination = combination(node)
        self._column = window.column
        self._width = window.width
        self._combine = combine
        self._most = most
        self._held: list[pa.Table] = []
        self._rows = 0
        self._combined = 0
        self._open_from = NEVER
        self.late = 0

    def add(self, states: pa.Table) -> None:
        """States of more rows. Raises QueryError when open windows take too much memory."""
        import pyarrow.compute as pc

        late = pc.less(states.column(self._column), self._open_from)
        if pc.any(late).as_py():
            self.late += pc.sum(states.filter(late).column(COUNT_STATE)).as_py()
            states = states.filter(pc.invert(late))
        if not states.num_rows:
            return
        self._held.append(states)
        self._rows += states.num_rows
        if self._rows > max(_COMBINE_ROWS, 2 * self._combined):
            together = self._all()
            # A merged state may be wider than one that travels.
            self._held = [self._combine(self._combination, together).cast(together.schema)]
            self._rows = self._combined = self._held[0].num_rows
        if sum(table.nbytes for table in self._held) > self._most:
            message = (
                f"the open windows need more memory than the limit of {self._most / 2**20:.0f} MiB; "
                "choose shorter windows, group by fewer columns, or filter before"
            )
            raise QueryError(Code.RESOURCE_EXHAUSTED, message)

    def close(self, watermark: int) -> pa.Table | None:
        """States of the windows that end by `watermark`, which are forgotten; None when there are none."""
        import pyarrow.compute as pc

        open_from = END if watermark == END else watermark // self._width * self._width
        if open_from <= self._open_from:
            return None
        self._open_from = open_from
        if not self._held:
            return None
        states = self._all()
        closed = pc.less(states.column(self._column), open_from)
        rest = states.filter(pc.invert(closed))
        self._held = [rest] if rest.num_rows else []
        self._rows = rest.num_rows
        self._combined = min(self._combined, self._rows)
        states = states.filter(closed)
        return states if states.num_rows else None

    def _all(self) -> pa.Table:
        import pyarrow as pa

        return pa.concat_tables(self._held)


def combination(node: PartialAggregate | MergeAggregate) -> Aggregate:
    """States of `node`'s groups to fewer states, of the same columns: one row a group. Reads `Remote("rows")`."""
    partial = node if isinstance(node, PartialAggregate) else node.input
    outputs = []
    for name, call in node.outputs:
        for i, template in enumerate(call.overload.merge):
            state = state_name(name, i)
            overload = AggregateOverload((), DataType.DATA_TYPE_UNKNOWN, template, (), (), "")
            outputs.append((state, AggregateCall(call.function, (ColumnRef(state, STATE),), overload, STATE)))
    return Aggregate(Remote("rows", partial.relation), node.groups, tuple(outputs))
