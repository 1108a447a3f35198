"""Names that the SQL of a plan gives to columns and leaves."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping

from sylph.plan.nodes import Node, Remote, Source, TableFunctionSource

Leaf = Source | TableFunctionSource | Remote

#: Column that carries the place that a sort gave to a row past joins, which keep no order.
RANK = "#rank"


class Naming:
    """Names that several statements agree on: of columns, of leaves, and of rows kept between statements.

    `kept` are the names of `Remote`s that are tables of the runner's, with whether their rows are in order.
    """

    def __init__(self, nodes: list[Node], kept: Mapping[str, bool] | None = None) -> None:
        self.columns = _physical_names(nodes)
        self.kept = kept or {}
        self._leaves: dict[int, tuple[str, Leaf]] = {}

    def leaf(self, node: Leaf) -> str:
        """The name under which a leaf is read; the same one each time."""
        if isinstance(node, Remote) and node.name in self.kept:
            return node.name
        known = self._leaves.get(id(node))
        if known is None:
            if isinstance(node, Source):
                label = node.table
            else:
                label = node.function if isinstance(node, TableFunctionSource) else node.name
            # The columns are in the name: what stands for a relation is kept from one query to the next.
            # The node is held, so that no other one gets its id().
            known = self._leaves[id(node)] = (f"{label}_{len(self._leaves)}_{columns_hash(node.relation)}", node)
        return known[0]


def columns_hash(columns: Iterable[str]) -> str:
    """Eight digits that differ, mostly, for other columns."""
    return f"{zlib.crc32(','.join(columns).encode()):08x}"


def _physical_names(nodes: list[Node]) -> dict[str, str]:
    """A name for every column, distinct also where SQL ignores case."""
    taken = {RANK: 1}
    names: dict[str, str] = {}
    for node in nodes:
        for name in node.relation:
            if name not in names:
                key = name.casefold()
                taken[key] = taken.get(key, 0) + 1
                names[name] = name if taken[key] == 1 else f"{name}#case{taken[key]}"
    return names
