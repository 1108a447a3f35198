"""`sort` and `top`: rows by the values of columns."""

from __future__ import annotations

from sylph.plan.expressions import Literal
from sylph.plan.nodes import Filter, Limit, Map, Node, Sort, Source, Union
from sylph.plan.walk import inputs
from sylph.pxl.arguments import boolean, integer, optional, required, strings, wrong_type
from sylph.pxl.errors import Kind
from sylph.pxl.scalars import column_not_found
from sylph.pxl.values import Bound, Fault, Frame, Poisoned, Scalar, literal

SORT_PARAMETERS = (*required("by"), *optional(ascending=literal(True)))
TOP_PARAMETERS = (*required("n", "by"), *optional(ascending=literal(False)))


def sorted_rows(frame: Frame, bound: Bound) -> Sort:
    """The node of `frame.sort(by, ascending)`."""
    return Sort(frame.node, _keys(frame, bound))


def top_rows(frame: Frame, bound: Bound) -> Sort:
    """The node of `frame.top(n, by, ascending)`."""
    rows = integer(bound, "n")
    if rows < 0:
        raise Fault("top() needs a number of rows that is not negative", Kind.DATAFRAME, node=bound.node("n"))
    return Sort(frame.node, _keys(frame, bound), rows)


def _keys(frame: Frame, bound: Bound) -> tuple[tuple[str, bool], ...]:
    names = strings(bound, "by")
    if not names:
        raise Fault("there is no column to sort by", Kind.DATAFRAME, "name one: 'latency'", bound.node("by"))
    keys: dict[str, bool] = {}
    for position, (name, ascending) in enumerate(zip(names, _directions(bound, len(names)), strict=True)):
        where = bound.part("by", position)
        if name not in frame.columns:
            if frame.tainted:
                raise Poisoned
            raise column_not_found(name, frame.columns, where)
        if name in keys:
            raise Fault(f"column '{name}' is listed twice", Kind.DATAFRAME, node=where)
        keys[name] = ascending
    if "time_" in frame.columns:
        # Rows with equal keys come as they came in, wherever they are from.
        keys.setdefault("time_", True)
    if not ("time_" in frame.columns and _from_tables(frame.node)):
        for name in frame.columns:
            keys.setdefault(name, True)
    return tuple(keys.items())


def _from_tables(node: Node) -> bool:
    """Whether rows are those of tables, of which hardly two have one time: made ones are told apart by all columns."""
    stack = [node]
    while stack:
        item = stack.pop()
        if not isinstance(item, Source | Map | Filter | Limit | Sort | Union):
            return False
        stack.extend(inputs(item))
    return True


def _directions(bound: Bound, columns: int) -> list[bool]:
    value = bound.values["ascending"]
    if isinstance(value, Scalar) and isinstance(value.literal, str):
        fault = wrong_type(bound, "ascending", "bool")
        fault.hint = "name several columns in a list: ['latency', 'time_']"
        raise fault
    if not isinstance(value, (list, tuple)):
        return [boolean(bound, "ascending")] * columns
    found = [
        item.expression.value for item in value if isinstance(item, Scalar) and isinstance(item.expression, Literal)
    ]
    if len(found) != len(value) or not all(isinstance(item, bool) for item in found):
        raise wrong_type(bound, "ascending", "bool or list of bool")
    if len(found) != columns:
        message = f"'by' names {columns} column{'' if columns == 1 else 's'} and 'ascending' holds {len(found)} values"
        raise Fault(message, Kind.DATAFRAME, "give one for each column, or one for all", bound.node("ascending"))
    return [item is True for item in found]
