"""Windows of time: which column of an aggregate's groups says when a group can have no more rows."""

from __future__ import annotations

from dataclasses import dataclass

from sylph.plan.expressions import Call, ColumnRef, Expression, Literal
from sylph.plan.nodes import Aggregate, Explode, Filter, Limit, Map, Node, PartialAggregate, Source
from sylph.plan.walk import substitute
from sylph.tables.types import DataType


@dataclass(frozen=True, slots=True)
class Window:
    """Group `column` holds the start of the window that a row is in; windows begin at multiples of `width` ns."""

    column: str
    width: int


def window_of(node: Aggregate | PartialAggregate) -> Window | None:
    """The window that an aggregate groups by: a column that is `px.bin(time_, width)` of a table's rows, or None."""
    for name in node.groups:
        width = _width(node.input, ColumnRef(name, node.input.relation[name]))
        if width:
            return Window(name, width)
    return None


def _width(node: Node, value: Expression) -> int:
    """Width of the window if `value`, over `node`, is the start of one; 0 if not."""
    while not isinstance(node, Source):
        match node:
            case Map():
                value = substitute(value, dict(node.outputs))
            case Filter() | Limit() | Explode():
                pass
            case _:
                return 0
        node = node.input
    match value:
        case Call("bin", (ColumnRef("time_", time), Literal(int(width), kind))) if (
            time.data is DataType.TIME64NS
            and value.type.data is DataType.TIME64NS
            and kind.data is not DataType.BOOLEAN
        ):
            return max(width, 0)
        case _:
            return 0
