"""What several sinks have in common: the subplans that are worth computing once, before the sinks.

A sink is a statement of its own. Within one, a node that is read twice is computed once anyway; a `Share` is a node
that two statements read. Its rows are kept under its name, and `resolved` puts a `Remote` of that name in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sylph.plan.expressions import Call
from sylph.plan.naming import columns_hash
from sylph.plan.nodes import (
    Aggregate,
    Explode,
    Filter,
    Join,
    Limit,
    Map,
    MergeAggregate,
    Node,
    PartialAggregate,
    Plan,
    Remote,
    Sort,
    Union,
)
from sylph.plan.order import sorted_nodes
from sylph.plan.walk import consumers, expressions, inputs, postorder, roots, with_inputs
from sylph.tables.types import DataType

#: Each round drops what is not worth keeping after all. More than a few are the plan of somebody who means no good.
_MAX_ROUNDS = 32


@dataclass(frozen=True, slots=True)
class Share:
    """A node that several statements read. `blocking`: computing it again would repeat an aggregate or a join.

    The rows of one that is not blocking may be as many as a table has: it is worth keeping only when they are few.
    """

    name: str
    node: Node
    blocking: bool

    @property
    def remote(self) -> Remote:
        """What stands for it in the statements that read it."""
        return Remote(self.name, self.node.relation)


def shares(plan: Plan) -> tuple[Share, ...]:
    """The nodes to compute first, each before those that read it."""
    order = postorder(roots(plan))
    uses = consumers(plan)
    # A table keeps its rows in order, but not what order that is.
    in_order = sorted_nodes(order)
    below = {id(child) for node in order if id(node) in in_order for child in inputs(node)}
    chosen = {
        id(node)
        for node in order
        if (uses[id(node)] > 1 or id(node) in below) and _keepable(node) and id(node) not in in_order
    }
    work: dict[int, int] = {}
    for _ in range(_MAX_ROUNDS):
        readers = _readers(plan, order, chosen)
        new = {key for key in chosen if len(readers[key]) > 1}
        work = _work(order, new)
        new = {key for key in new if work[key]}
        if new == chosen:
            break
        chosen = new
    else:
        return ()
    kept = [node for node in order if id(node) in chosen]
    return tuple(Share(_name(i, node), node, work[id(node)] > 1) for i, node in enumerate(kept))


def resolved(root: Node, ready: Mapping[int, Remote]) -> Node:
    """`root` with what is ready (by the id() of its node) read instead of computed; `root` itself stays."""
    new: dict[int, Node] = {}
    stack: list[tuple[Node, bool]] = [(root, False)]
    while stack:
        node, done = stack.pop()
        if id(node) in new:
            continue
        remote = ready.get(id(node)) if node is not root else None
        if remote is not None:
            new[id(node)] = remote
        elif done:
            new[id(node)] = with_inputs(node, tuple(new[id(child)] for child in inputs(node)))
        else:
            stack.append((node, True))
            stack.extend((child, False) for child in inputs(node))
    return new[id(root)]


def _name(place: int, node: Node) -> str:
    """Told from other queries' by its columns: what stands for a relation is kept from one query to the next."""
    return f"shared#{place}_{columns_hash(node.relation)}"


def _keepable(node: Node) -> bool:
    """States have no type that a table could have; a leaf is there already."""
    return bool(inputs(node)) and all(kind.data is not DataType.DATA_TYPE_UNKNOWN for kind in node.relation.values())


def _readers(plan: Plan, order: list[Node], chosen: set[int]) -> dict[int, set[object]]:
    """The statements that read each node: sinks by name, chosen nodes by id."""
    readers: dict[int, set[object]] = {id(node): set() for node in order}
    for sink in plan.sinks:
        readers[id(sink.input)].add(sink.name)
    for node in reversed(order):
        statements: set[object] = {id(node)} if id(node) in chosen else readers[id(node)]
        for child in inputs(node):
            readers[id(child)] |= statements
    return readers


def _work(order: list[Node], chosen: set[int]) -> dict[int, int]:
    """What computing each node from what is ready takes: 0 next to nothing, 1 a scan of rows, 2 blocking."""
    work: dict[int, int] = {}
    for node in order:
        below = max((0 if id(child) in chosen else work[id(child)] for child in inputs(node)), default=0)
        work[id(node)] = max(below, _own_work(node))
        if isinstance(node, Map | Filter | Limit) and any(id(child) in chosen for child in inputs(node)):
            # Rows that are kept once need not be kept again for a filter or a sum of columns.
            work[id(node)] = 0
    return work


def _own_work(node: Node) -> int:
    match node:
        case Aggregate() | Join() | PartialAggregate() | MergeAggregate() | Union() | Sort():
            return 2
        case Filter() | Limit() | Explode():
            return 1
        case _:
            return int(any(isinstance(value, Call) for value in expressions(node)))
