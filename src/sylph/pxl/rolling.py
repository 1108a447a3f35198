"""`rolling`: groups by windows of time, which `agg` turns into one row for each window and group."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Collection

from sylph.plan.expressions import ColumnRef, Expression, Literal
from sylph.plan.nodes import Map
from sylph.pxl.errors import Kind
from sylph.pxl.scalars import call, retyped
from sylph.pxl.values import Bound, Fault, Frame, Grouped, Scalar, literal
from sylph.tables.types import DataType

TIME = "time_"


def rolled(grouped: Grouped, bound: Bound) -> Grouped:
    """`grouped.rolling(window, on='time_')`."""
    on = bound.values["on"]
    if not isinstance(on, Scalar) or not isinstance(on.expression, Literal) or on.expression.value != TIME:
        raise Fault("rolling() works on 'time_' only", Kind.DATAFRAME, node=bound.node("on"))
    window = bound.interpreter.duration(bound, "window")
    if window <= 0:
        raise Fault(
            "the window of rolling() must be longer than zero", Kind.DATAFRAME, "such as '10s'", bound.node("window")
        )
    if grouped.window:
        raise Fault("rolling() is called twice", Kind.DATAFRAME, "windows cannot be divided: choose one width")
    check_groups(grouped.groups, bound.call)
    time = grouped.frame.columns.get(TIME)
    if time is None or time.type.data is not DataType.TIME64NS:
        message = "rolling() needs the column 'time_'" + ("" if time is None else " as a TIME64NS")
        raise Fault(message, Kind.DATAFRAME, "keep it before rolling(): df[['time_', ...]]")
    return dataclasses.replace(grouped, window=window)


def check_groups(groups: Collection[str], where: ast.AST) -> None:
    """Raise Fault for a group that would have the name of the window."""
    if TIME in groups:
        hint = "leave it out of groupby(): rolling() groups by its windows already"
        raise Fault("'time_' is the start of the window after rolling()", Kind.DATAFRAME, hint, where)


def windowed(grouped: Grouped, outputs: Collection[str]) -> tuple[Grouped, str]:
    """The groups with the start of each row's window as first one, and that column's name, unlike any of `outputs`."""
    frame = grouped.frame
    name = "window_"
    while name in frame.columns or name in outputs:
        name += "_"
    time = frame.columns[TIME]
    start = call("bin", [Scalar(time, frame.columns), literal(grouped.window)])
    columns: dict[str, ColumnRef] = {**frame.columns, name: ColumnRef(name, time.type)}
    node = Map(frame.node, (*frame.columns.items(), (name, retyped(start.expression, time.type))))
    widened = dataclasses.replace(frame, node=node, columns=columns, depth=frame.depth + 1)
    return Grouped(widened, (name, *grouped.groups)), name


def unwindowed(frame: Frame, name: str) -> Frame:
    """Aggregated rows with the window's start as `time_`."""
    outputs: list[tuple[str, Expression]] = [
        (TIME if column == name else column, ref) for column, ref in frame.columns.items()
    ]
    columns = {column: ColumnRef(column, value.type) for column, value in outputs}
    return dataclasses.replace(frame, node=Map(frame.node, tuple(outputs)), columns=columns, depth=frame.depth + 1)
