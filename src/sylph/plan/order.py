"""Rows in order: who puts them in one, and whose can be seen."""

from __future__ import annotations

from sylph.plan.nodes import Explode, Filter, Limit, Map, Node, Sort, Union
from sylph.plan.walk import inputs


def seen_orders(nodes: list[Node], root: Node) -> dict[int, bool]:
    """Which nodes' row order can be seen: through aggregates and joins it cannot."""
    seen = {id(node): False for node in nodes}
    seen[id(root)] = True
    for node in reversed(nodes):
        if not isinstance(node, Map | Filter | Limit | Explode | Union):
            continue
        if seen[id(node)] or isinstance(node, Limit):
            for child in inputs(node):
                seen[id(child)] = True
    return seen


def sorted_nodes(nodes: list[Node]) -> dict[int, int]:
    """Nodes whose rows are in the order of a sort, with that sort's id()."""
    found: dict[int, int] = {}
    for node in nodes:
        if isinstance(node, Sort):
            found[id(node)] = id(node)
        elif isinstance(node, Map | Filter | Limit | Explode) and id(node.input) in found:
            found[id(node)] = found[id(node.input)]
    return found
