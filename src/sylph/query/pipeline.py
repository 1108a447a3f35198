"""The operators of one streamed sink, as stages that rows are pushed through.

Stateless operators are one SQL statement over the rows at hand. A limit counts down. An aggregate of windows becomes
partial states, which wait until their window closes, and the statement that finishes them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sylph.plan.nodes import Aggregate, Limit, MergeAggregate, Node, PartialAggregate, Remote, Source
from sylph.plan.streams import chain
from sylph.plan.walk import with_inputs
from sylph.plan.windows import Window, window_of
from sylph.query.dataset import Dataset
from sylph.query.windows import Windows

if TYPE_CHECKING:
    import pyarrow as pa


#: Runs a node over rows that its `Remote("rows")` stands for, or over a dataset; only batches that have rows.
Run = Callable[[Node, "pa.Table | None", "Dataset | None"], "list[pa.RecordBatch]"]


@dataclass(slots=True)
class _Sql:
    node: Node


@dataclass(slots=True)
class _Take:
    left: int


class Pipeline:
    """The stages of a sink whose rows come from a table's part, or from agents.

    `window` is that of what agents send; an aggregate here knows its own. `done` when no more rows can follow.
    """

    def __init__(self, root: Node, run: Run, *, memory: int, window: Window | None = None) -> None:
        self._run = run
        self._memory = memory
        self._stages: list[_Sql | _Take | Windows] = []
        self._after_windows = 0
        self.windows: Windows | None = None
        self.window = window
        self.done = False
        leaf, *operators = chain(root)
        node: Node = replace(leaf, streaming=False) if isinstance(leaf, Source) else _rows(leaf)
        for operator in operators:
            match operator:
                case Limit(rows=rows):
                    self._sql(node)
                    self._stages.append(_Take(rows))
                    self.done = self.done or rows == 0
                    node = _rows(operator)
                case Aggregate(groups=groups, outputs=outputs):
                    self.window = window_of(operator)
                    partial = PartialAggregate(node, groups, outputs)
                    self._sql(partial)
                    node = self._merge(MergeAggregate(_rows(partial), groups, outputs))
                case MergeAggregate(groups=groups, outputs=outputs):
                    node = self._merge(MergeAggregate(node, groups, outputs))
                case PartialAggregate():
                    self.window = window_of(operator)
                    node = with_inputs(operator, (node,))
                case _:
                    node = with_inputs(operator, (node,))
        self._sql(node)

    @property
    def aggregates(self) -> bool:
        """Whether rows become states of windows, here or at the broker: then their number is small."""
        return self.window is not None

    def push(self, rows: pa.Table | None, dataset: Dataset | None = None) -> list[pa.RecordBatch]:
        """What can be shown of more rows: `rows`, or those of `dataset`."""
        return self._flow(0, rows, dataset)

    def advance(self, watermark: int) -> list[pa.RecordBatch]:
        """What can be shown of windows that end by `watermark`, in their order."""
        closed = self.windows.close(watermark) if self.windows is not None else None
        return [] if closed is None else self._flow(self._after_windows, closed, None)

    def _merge(self, node: MergeAggregate) -> Node:
        assert self.window is not None
        self.windows = Windows(node, self.window, self._combined, self._memory)
        self._stages.append(self.windows)
        self._after_windows = len(self._stages)
        self._stages.append(_Sql(node))
        return _rows(node)

    def _sql(self, node: Node) -> None:
        if not isinstance(node, Remote):
            self._stages.append(_Sql(node))

    def _combined(self, node: Node, states: pa.Table) -> pa.Table:
        import pyarrow as pa

        return pa.Table.from_batches(self._run(node, states, None))

    def _flow(self, first: int, rows: pa.Table | None, dataset: Dataset | None) -> list[pa.RecordBatch]:
        import pyarrow as pa

        for at in range(first, len(self._stages)):
            stage = self._stages[at]
            if rows is not None and not rows.num_rows:
                return []
            if isinstance(stage, _Sql):
                batches = self._run(stage.node, rows, dataset)
                if not batches:
                    return []
                rows = pa.Table.from_batches(batches)
                if isinstance(stage.node, MergeAggregate):
                    assert self.window is not None
                    rows = _in_order(rows, self.window.column)
                continue
            assert rows is not None
            if isinstance(stage, Windows):
                stage.add(rows)
                return []
            rows = rows.slice(0, stage.left)
            stage.left -= rows.num_rows
            self.done = self.done or stage.left == 0
        return rows.combine_chunks().to_batches() if rows is not None else []


def _rows(node: Node) -> Remote:
    """What stands for the rows of `node` that are at hand."""
    return Remote("rows", node.relation)


def _in_order(rows: pa.Table, column: str) -> pa.Table:
    import pyarrow.compute as pc

    return rows.take(pc.sort_indices(rows.column(column)))
