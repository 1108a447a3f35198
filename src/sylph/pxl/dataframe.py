"""DataFrame operations: each makes one plan node and knows its columns at once."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sylph.plan import streams
from sylph.plan.errors import PlanError
from sylph.plan.expressions import ColumnRef, Expression
from sylph.plan.nodes import Aggregate, Explode, Filter, Limit, Map, Node, Source, TableFunctionSource, Union
from sylph.plan.walk import inputs
from sylph.pxl import habits, limits
from sylph.pxl.arguments import frame as frame_argument
from sylph.pxl.arguments import integer, optional, required, scalar, string, strings, wrong_type
from sylph.pxl.errors import Kind
from sylph.pxl.grouping import grouped_rows
from sylph.pxl.merge import MERGE_PARAMETERS, merge
from sylph.pxl.ordering import SORT_PARAMETERS, TOP_PARAMETERS, sorted_rows, top_rows
from sylph.pxl.rolling import TIME, check_groups, rolled, unwindowed, windowed
from sylph.pxl.scalars import bind, column_not_found
from sylph.pxl.selection import SELECT_PARAMETERS, selected
from sylph.pxl.values import (
    POISON,
    Bound,
    Builtin,
    Columns,
    Context,
    Fault,
    Frame,
    Grouped,
    Poisoned,
    Scalar,
    article,
    element,
    literal,
)
from sylph.tables.types import DataType

if TYPE_CHECKING:
    from sylph.pxl.interpreter import Interpreter


def source_frame(interpreter: Interpreter, node: Source | TableFunctionSource) -> Frame:
    """A DataFrame on a source."""
    return _made(interpreter, node, {name: ColumnRef(name, type_) for name, type_ in node.relation.items()}, ())


def column(frame: Frame, name: str) -> Scalar:
    """`frame.name`."""
    found = frame.columns.get(name)
    if found is None:
        raise missing(frame, name)
    return Scalar(found, frame.columns)


def missing(frame: Frame, name: str, node: ast.AST | None = None) -> Exception:
    """The exception of naming, at `node`, a column that `frame` does not have."""
    return Poisoned() if frame.tainted else column_not_found(name, frame.columns, node)


def assign(interpreter: Interpreter, frame: Frame, name: str, value: Scalar) -> Frame:
    """`frame` with column `name` set to `value`: replaced in its place, or added at the end."""
    check_open(frame)
    interpreter.add_expression(value.nodes)
    expression = bind(value, frame.columns)
    outputs: dict[str, Expression] = dict(frame.columns)
    outputs[name] = expression
    columns = dict(frame.columns)
    columns[name] = ColumnRef(name, expression.type)
    return _made(interpreter, Map(frame.node, tuple(outputs.items())), columns, (frame,))


def taint(frame: Frame) -> Frame:
    """`frame` after an error was reported for one of its columns."""
    return dataclasses.replace(frame, tainted=True)


def keep(interpreter: Interpreter, frame: Frame, names: list[str], where: ast.AST) -> Frame:
    """Only columns `names`, in that order; `where` they are written."""
    check_open(frame)
    if not names:
        raise Fault("no column is kept", Kind.DATAFRAME)
    columns: dict[str, ColumnRef] = {}
    for position, name in enumerate(names):
        if name in columns:
            raise Fault(f"column '{name}' is listed twice", Kind.DATAFRAME, node=element(where, position))
        if name not in frame.columns:
            raise missing(frame, name, element(where, position))
        columns[name] = frame.columns[name]
    return _made(interpreter, Map(frame.node, tuple(columns.items())), columns, (frame,))


def filter_rows(interpreter: Interpreter, frame: Frame, condition: Scalar) -> Frame:
    """Rows for which `condition` is true."""
    check_open(frame)
    interpreter.add_expression(condition.nodes)
    expression = bind(condition, frame.columns)
    if expression.type.data is not DataType.BOOLEAN:
        raise Fault(
            f"a filter must be BOOLEAN, this is {expression.type.data.name}",
            Kind.DATAFRAME,
            "compare it with something: df[df.column == value]",
        )
    return _made(interpreter, Filter(frame.node, expression), frame.columns, (frame,))


def check_open(frame: Frame) -> None:
    """Raise Fault when nothing may follow."""
    if frame.streaming:
        raise Fault("stream() must be the last operation before px.display()", Kind.DATAFRAME)


def _made(interpreter: Interpreter, node: Node, columns: Columns, parents: Iterable[Frame]) -> Frame:
    if len(columns) > limits.MAX_COLUMNS:
        raise Fault(f"a DataFrame has at most {limits.MAX_COLUMNS:,} columns", Kind.LIMIT)
    if "" in columns:
        raise Fault("the name of a column is empty", Kind.DATAFRAME)
    longest = max(map(len, columns), default=0)
    if longest > limits.MAX_NAME:
        raise Fault(f"the name of a column has at most {limits.MAX_NAME:,} characters", Kind.LIMIT)
    depth, tainted = 0, False
    for parent in parents:
        depth = max(depth, parent.depth)
        tainted = tainted or parent.tainted
    depth += _height(node, parents)
    if depth > limits.MAX_OPERATOR_DEPTH:
        raise Fault(
            f"more than {limits.MAX_OPERATOR_DEPTH} operations follow one another", Kind.LIMIT, "split the script"
        )
    interpreter.add_operator(len(columns), longest)
    return Frame(node, columns, depth, tainted=tainted)


def _height(node: Node, parents: Iterable[Frame]) -> int:
    """How many nodes `node` is above those of its parents."""
    below = [id(parent.node) for parent in parents]
    if isinstance(node, Map | Filter) and id(node.input) in below:
        return 1
    height = 0
    while id(node) not in below:
        height += 1
        children = inputs(node)
        if not children:
            break
        node = children[0]
    return height


def _drop(frame: Frame, bound: Bound) -> Frame:
    check_open(frame)
    names = strings(bound, "columns")
    for position, name in enumerate(names):
        if name not in frame.columns:
            raise missing(frame, name, bound.part("columns", position))
    dropped = frozenset(names)
    columns = {name: ref for name, ref in frame.columns.items() if name not in dropped}
    if not columns:
        raise Fault("drop() would leave no column", Kind.DATAFRAME)
    return _made(bound.interpreter, Map(frame.node, tuple(columns.items())), columns, (frame,))


def _filter(frame: Frame, bound: Bound) -> Frame:
    return filter_rows(bound.interpreter, frame, scalar(bound, "condition"))


def _head(frame: Frame, bound: Bound) -> Frame:
    check_open(frame)
    rows, per_agent = integer(bound, "n"), integer(bound, "_pem_only") > 0
    if rows < 0:
        raise Fault("head() needs a number of rows that is not negative", Kind.DATAFRAME, node=bound.node("n"))
    return _made(
        bound.interpreter,
        Limit(frame.node, rows, per_agent),
        frame.columns,
        (frame,),
    )


def _groupby(frame: Frame, bound: Bound) -> Grouped:
    return _grouped(Grouped(frame, ()), bound)


def _grouped(before: Grouped, bound: Bound) -> Grouped:
    frame = before.frame
    check_open(frame)
    names = strings(bound, "by")
    if before.window:
        check_groups(names, bound.node("by"))
    seen = set()
    for position, name in enumerate(names):
        where = bound.part("by", position)
        if name not in frame.columns:
            raise missing(frame, name, where)
        if name in seen:
            raise Fault(f"column '{name}' is listed twice in groupby()", Kind.DATAFRAME, node=where)
        seen.add(name)
    return dataclasses.replace(before, groups=tuple(names))


def _agg(frame: Frame, bound: Bound) -> Frame:
    return aggregate(Grouped(frame, ()), bound)


def aggregate(grouped: Grouped, bound: Bound) -> Frame:
    """`grouped.agg(...)`."""
    check_open(grouped.frame)
    window = ""
    if grouped.window:
        if TIME in bound.extra:
            message = "agg() output 'time_' has the name of the window"
            raise Fault(message, Kind.DATAFRAME, "rolling() gives 'time_', the start of the window", bound.node(TIME))
        grouped, window = windowed(grouped, bound.extra)
    node, tainted = grouped_rows(grouped, bound)
    columns = {name: ColumnRef(name, type_) for name, type_ in node.relation.items()}
    result = _made(bound.interpreter, node, columns, (grouped.frame,))
    if window:
        result = unwindowed(result, window)
    return taint(result) if tainted else result


def _merge(frame: Frame, bound: Bound) -> Frame:
    right = frame_argument(bound, "right")
    check_open(frame)
    check_open(right)
    node = merge(frame, right, bound)
    columns = {name: ColumnRef(name, type_) for name, type_ in node.relation.items()}
    return _made(bound.interpreter, node, columns, (frame, right))


def _append(frame: Frame, bound: Bound) -> Frame:
    objects = bound.values["objs"]
    others = list(objects) if isinstance(objects, (list, tuple)) else [objects]
    where = bound.node("objs")
    if not others:
        raise Fault("append() needs at least one DataFrame", Kind.DATAFRAME, node=where)
    for position, other in enumerate(others):
        if other is POISON:
            raise Poisoned
        if not isinstance(other, Frame):
            message = f"append() takes DataFrames, not {article(other)}"
            raise Fault(message, Kind.DATAFRAME, node=bound.part("objs", position))
        _check_union(frame, other, bound.part("objs", position))
    frames = [frame, *others]
    for each in frames:
        check_open(each)
    node = Union(tuple(each.node for each in frames))
    return _made(bound.interpreter, node, frame.columns, frames)


def _check_union(frame: Frame, other: Frame, where: ast.AST) -> None:
    if frame.tainted or other.tainted:
        return
    for name, ref in frame.columns.items():
        found = other.columns.get(name)
        if found is None:
            raise Fault(f"column '{name}' is missing from an appended DataFrame", Kind.DATAFRAME, node=where)
        if found.type.data is not ref.type.data:
            raise Fault(
                f"column '{name}' is {ref.type.data.name} here and {found.type.data.name} in an appended DataFrame",
                Kind.DATAFRAME,
                node=where,
            )
    if len(other.columns) != len(frame.columns):
        extra = next(name for name in other.columns if name not in frame.columns)
        raise Fault(
            f"an appended DataFrame has {len(other.columns)} columns, this one {len(frame.columns)}: "
            f"'{extra}' is not here",
            Kind.DATAFRAME,
            node=where,
        )


def _rename(frame: Frame, bound: Bound) -> Frame:
    check_open(frame)
    names, where = bound.values["columns"], bound.node("columns")
    if not isinstance(names, dict):
        raise wrong_type(bound, "columns", "dict")
    new = {}
    for old, value in names.items():
        if old not in frame.columns:
            raise missing(frame, str(old), where)
        name = value.literal if isinstance(value, Scalar) else None
        if not isinstance(name, str):
            raise Fault(f"the new name of '{old}' must be a string, not {article(value)}", Kind.DATAFRAME, "", where)
        new[old] = name
    outputs = [(new.get(name, name), ref) for name, ref in frame.columns.items()]
    columns = {name: ColumnRef(name, ref.type) for name, ref in outputs}
    if len(columns) != len(outputs):
        raise Fault("rename() would give two columns the same name", Kind.DATAFRAME, node=where)
    return _made(bound.interpreter, Map(frame.node, tuple(outputs)), columns, (frame,))


def _distinct(frame: Frame, bound: Bound) -> Frame:
    check_open(frame)
    names = strings(bound, "columns") or list(frame.columns)
    for position, name in enumerate(names):
        if name not in frame.columns:
            raise missing(frame, name, bound.part("columns", position))
    columns = {name: frame.columns[name] for name in names}
    node = Aggregate(frame.node, tuple(columns), ())
    return _made(bound.interpreter, node, columns, (frame,))


def _sort(frame: Frame, bound: Bound) -> Frame:
    check_open(frame)
    return _made(bound.interpreter, sorted_rows(frame, bound), frame.columns, (frame,))


def _top(frame: Frame, bound: Bound) -> Frame:
    check_open(frame)
    return _made(bound.interpreter, top_rows(frame, bound), frame.columns, (frame,))


def _select(frame: Frame, bound: Bound) -> Frame:
    check_open(frame)
    columns = selected(frame, bound)
    return _made(bound.interpreter, Map(frame.node, tuple(columns.items())), columns, (frame,))


def _explode(frame: Frame, bound: Bound) -> Frame:
    check_open(frame)
    name, where = string(bound, "column"), bound.node("column")
    found = frame.columns.get(name)
    if found is None:
        raise missing(frame, name, where)
    if found.type.data is not DataType.STRING:
        message = f"explode() takes a STRING column with JSON arrays, '{name}' is {found.type.data.name}"
        raise Fault(message, Kind.TYPE, "", where)
    node = Explode(frame.node, name)
    columns = {**frame.columns, name: ColumnRef(name, node.relation[name])}
    return _made(bound.interpreter, node, columns, (frame,))


def _rolling(frame: Frame, bound: Bound) -> Grouped:
    check_open(frame)
    return rolled(Grouped(frame, ()), bound)


def _stream(frame: Frame, _bound: Bound) -> Frame:
    check_open(frame)
    try:
        streams.check(frame.node)
    except PlanError as error:
        raise Fault(error.message, Kind.DATAFRAME, error.hint) from None
    return dataclasses.replace(frame, node=streams.streamed(frame.node), streaming=True)


_ROLLING = (*required("window"), *optional(on=literal("time_")))

#: Methods by name: parameters, whether further keywords are taken, and what runs.
_METHODS = {
    "agg": ((), True, _agg),
    "append": (required("objs"), False, _append),
    "distinct": (optional(columns=[]), False, _distinct),
    "drop": (required("columns"), False, _drop),
    "explode": (required("column"), False, _explode),
    "filter": (required("condition"), False, _filter),
    "groupby": (required("by"), False, _groupby),
    "head": (optional(n=literal(5), _pem_only=literal(0)), False, _head),
    "merge": (MERGE_PARAMETERS, False, _merge),
    "rename": (required("columns"), False, _rename),
    "rolling": (_ROLLING, False, _rolling),
    "select": (SELECT_PARAMETERS, False, _select),
    "sort": (SORT_PARAMETERS, False, _sort),
    "stream": ((), False, _stream),
    "top": (TOP_PARAMETERS, False, _top),
}


#: Methods that Pixie does not have: there the name may be a column's, which goes first unless it is called.
_BEYOND = frozenset({"distinct", "explode", "rename", "select", "sort", "top"})


def attribute(frame: Frame, name: str, *, called: bool = False) -> object:
    """`frame.name`: a method, or a column."""
    found = _METHODS.get(name)
    if found is not None and (called or name not in _BEYOND or name not in frame.columns):
        parameters, extra, run = found
        return Builtin(f"DataFrame.{name}", lambda bound: run(frame, bound), parameters, extra)
    if name == "map":
        raise Fault("a DataFrame has no map()", Kind.DATAFRAME, "assign a column instead: df.column = expression")
    if name == "ctx":
        return Context(frame)
    if name in habits.FRAMES and name not in frame.columns and not frame.tainted:
        raise Fault(f"column '{name}' not found in this DataFrame", Kind.DATAFRAME, habits.FRAMES[name])
    return column(frame, name)


def grouped_attribute(grouped: Grouped, name: str) -> object:
    """`df.groupby(...).name`."""
    if name == "agg":
        return Builtin("DataFrame.agg", lambda bound: aggregate(grouped, bound), (), extra=True)
    if name == "rolling":
        return Builtin("DataFrame.rolling", lambda bound: rolled(grouped, bound), _ROLLING)
    if name == "groupby" and grouped.window and not grouped.groups:
        return Builtin("DataFrame.groupby", lambda bound: _grouped(grouped, bound), required("by"))
    hint = "df.rolling('10s').agg(out=('b', px.mean))" if grouped.window else "df.groupby('a').agg(out=('b', px.mean))"
    raise Fault(f"{grouped.method} must be followed by agg()", Kind.DATAFRAME, hint)


def has_method(name: str) -> bool:
    """Whether DataFrame has a method of that name."""
    return name in _METHODS or name == "map"


def methods() -> list[str]:
    """Names of all methods."""
    return list(_METHODS)
