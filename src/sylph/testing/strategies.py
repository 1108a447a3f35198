"""Hypothesis strategies: rows of tables, and plans over them. The same strategies test scripts and stores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hypothesis import strategies as st

from sylph.functions.registry import resolve_aggregate
from sylph.plan.expressions import AggregateCall, ColumnRef, Expression, LiteralValue
from sylph.plan.nodes import Aggregate, Explode, Filter, Join, Limit, Map, Node, Sort, Union
from sylph.tables.rows import Row
from sylph.tables.types import ColumnType, DataType, Relation
from sylph.testing.plans import call, col, lit

#: Aggregates whose answer is exact and does not depend on the order of rows.
EXACT = ("count", "sum", "min", "max", "count_distinct", "histogram", "first", "last", "collect")
#: Those that take numbers only.
_NUMERIC = {"sum": (DataType.INT64,), "min": (DataType.INT64,), "max": (DataType.INT64,)} | {
    "histogram": (DataType.INT64, DataType.FLOAT64)
}
_OPTIONS: Mapping[str, list[LiteralValue]] = {"histogram": ["", "[-1, 0.5, 3]"], "collect": [1, 3, 100]}


def values(data: DataType) -> st.SearchStrategy[bool | int | float | str]:
    """Values of a type: few and often equal, with the extremes among them."""
    match data:
        case DataType.BOOLEAN:
            return st.booleans()
        case DataType.INT64:
            return st.one_of(st.integers(-3, 3), st.sampled_from([2**63 - 1, -(2**63), 2**53 + 1]))
        case DataType.TIME64NS:
            return st.integers(0, 40)
        case DataType.UINT128:
            return st.one_of(st.integers(0, 3), st.sampled_from([2**128 - 1, 2**127]))
        case DataType.FLOAT64:
            return st.sampled_from([0.0, -0.0, 1.5, -2.25, 1e300, float("inf"), float("-inf"), float("nan")])
        case _:
            return st.sampled_from(
                ["", "a", "b", "A", "a\0", "é", "'", '"', "\u0080", "\U0001f600", "ab" * 40, '["a",1,null,[]]', "[]"]
            )


@st.composite
def rows(draw: st.DrawFn, relation: Relation, max_size: int = 30) -> list[Row]:
    """Rows of a relation, in the order of `time_` if it has one."""
    row = st.fixed_dictionaries({name: values(kind.data) for name, kind in relation.items()})
    drawn: list[Row] = draw(st.lists(row, max_size=max_size))
    return sorted(drawn, key=lambda row: int(str(row["time_"]))) if "time_" in relation else drawn


@st.composite
def damaged(draw: st.DrawFn, relation: Relation, rows: Sequence[Row]) -> list[Row]:
    """Rows with some of their values replaced by any of the type; `time_` stays."""
    columns = [name for name in relation if name != "time_"]
    cells = draw(st.lists(st.tuples(st.integers(0, max(len(rows) - 1, 0)), st.sampled_from(columns)), max_size=20))
    changed = [dict(row) for row in rows]
    for index, name in cells if rows else ():
        changed[index][name] = draw(values(relation[name].data))
    return list(changed)


def _columns(node: Node, *kinds: DataType) -> list[ColumnRef]:
    return [col(node, name) for name, kind in node.relation.items() if not kinds or kind.data in kinds]


@st.composite
def conditions(draw: st.DrawFn, node: Node) -> Expression:
    """A BOOLEAN expression over a node's columns."""
    column = draw(st.sampled_from(_columns(node)))
    data = column.type.data
    if data is DataType.BOOLEAN:
        term: Expression = column
    else:
        ordered = data in (DataType.INT64, DataType.TIME64NS)
        operators = ["equal", "notEqual", *(["lessThan", "greaterThanEqual"] if ordered else [])]
        term = call(draw(st.sampled_from(operators)), column, lit(draw(values(data)), data))
    if draw(st.integers(0, 3)) == 0:
        operator = draw(st.sampled_from(["logicalAnd", "logicalOr"]))
        term = call(operator, term, draw(conditions(node)))
    return call("logicalNot", term) if draw(st.integers(0, 4)) == 0 else term


@st.composite
def _map(draw: st.DrawFn, node: Node) -> Node:
    kept = draw(st.lists(st.sampled_from(list(node.relation)), min_size=1, unique=True))
    outputs: dict[str, Expression] = {name: col(node, name) for name in kept}
    numbers = _columns(node, DataType.INT64)
    texts = _columns(node, DataType.STRING)
    if draw(st.booleans()) and numbers:
        operator = draw(st.sampled_from(["add", "subtract", "multiply"]))
        outputs["n"] = call(operator, draw(st.sampled_from(numbers)), lit(draw(st.integers(-3, 3))))
    if draw(st.booleans()) and texts:
        outputs["s"] = call("add", draw(st.sampled_from(texts)), lit(draw(values(DataType.STRING)), DataType.STRING))
    if draw(st.booleans()):
        outputs["b"] = draw(conditions(node))
    return Map(node, tuple(outputs.items()))


@st.composite
def _aggregate(draw: st.DrawFn, node: Node) -> Node:
    groups = draw(st.lists(st.sampled_from(list(node.relation)), max_size=2, unique=True))
    outputs = []
    for i in range(draw(st.integers(0 if groups else 1, 3))):
        function = draw(st.sampled_from(EXACT))
        columns, times = _columns(node, *_NUMERIC.get(function, ())), _columns(node, DataType.TIME64NS)
        if not columns or (function in ("first", "last") and not times):
            function, columns = "count", _columns(node)
        args = [draw(st.sampled_from(columns))]
        if function in ("first", "last") or (function == "collect" and times and draw(st.booleans())):
            args.append(draw(st.sampled_from(times)))
        options = (draw(st.sampled_from(_OPTIONS[function])),) if function in _OPTIONS else ()
        overload, kind = resolve_aggregate(function, tuple(arg.type for arg in args), options)
        outputs.append((f"out{i}", AggregateCall(function, tuple(args), overload, kind, options)))
    return Aggregate(node, tuple(name for name in groups if not name.startswith("out")), tuple(outputs)) if (
        outputs or any(not name.startswith("out") for name in groups)
    ) else node  # fmt: skip


@st.composite
def _join(draw: st.DrawFn, left: Node, right: Node) -> Node:
    pairs = [
        (a, b)
        for a, kind in left.relation.items()
        for b, other in right.relation.items()
        if kind.data is other.data is not DataType.FLOAT64
    ]
    if not pairs:
        return left
    keys = draw(st.lists(st.sampled_from(pairs), min_size=1, max_size=2, unique=True))
    outputs = [(0, name, f"l{i}") for i, name in enumerate(left.relation)]
    outputs += [(1, name, f"r{i}") for i, name in enumerate(right.relation)]
    how = draw(st.sampled_from(["inner", "left", "outer"]))
    return Join(left, right, how, tuple(a for a, _ in keys), tuple(b for _, b in keys), tuple(outputs))


@st.composite
def _as_of(draw: st.DrawFn, left: Node, right: Node) -> Node:
    times = [_columns(side, DataType.TIME64NS) for side in (left, right)]
    pairs = [
        (a, b)
        for a, kind in left.relation.items()
        for b, other in right.relation.items()
        if kind.data is other.data and kind.data in (DataType.STRING, DataType.BOOLEAN, DataType.UINT128)
    ]
    if not all(times):
        return left
    keys = draw(st.lists(st.sampled_from(pairs), max_size=2, unique=True)) if pairs else []
    keys.append((draw(st.sampled_from(times[0])).name, draw(st.sampled_from(times[1])).name))
    # Of rows with equal times any may be taken: only what these have in common is looked at.
    outputs = [(0, name, f"l{i}") for i, name in enumerate(left.relation)]
    outputs += [(1, name, f"r{i}") for i, name in enumerate(dict.fromkeys(b for _, b in keys))]
    within = draw(st.none() | st.sampled_from([0, 3, 2**63 - 1]))
    return Join(left, right, "as_of", tuple(a for a, _ in keys), tuple(b for _, b in keys), tuple(outputs), within)


@st.composite
def _sort(draw: st.DrawFn, node: Node) -> Node:
    # By all columns: rows that are equal in some could change places.
    names = draw(st.permutations(list(node.relation)))
    return Sort(node, tuple((name, draw(st.booleans())) for name in names), draw(st.none() | st.integers(0, 20)))


@st.composite
def plans(draw: st.DrawFn, sources: list[Node], max_steps: int = 6, *, limits: bool = False) -> Node:
    """A node over the sources, some shared. Without `limits` the answer does not depend on the order of rows."""
    nodes = list(sources)
    for _ in range(draw(st.integers(1, max_steps))):
        node = draw(st.sampled_from(nodes))
        step = draw(
            st.sampled_from(
                [
                    "map",
                    "filter",
                    "aggregate",
                    "join",
                    "union",
                    "as_of",
                    "sort",
                    "explode",
                    *(["limit"] if limits else []),
                ]
            )
        )
        if len(node.relation) > 40:
            step = "aggregate"
        match step:
            case "map":
                node = draw(_map(node))
            case "filter":
                node = Filter(node, draw(conditions(node)))
            case "aggregate":
                node = draw(_aggregate(node))
            case "join":
                other = draw(st.sampled_from(nodes))
                node = draw(_join(node, other)) if len(other.relation) <= 40 else node
            case "as_of":
                other = draw(st.sampled_from(nodes))
                node = draw(_as_of(node, other)) if len(other.relation) <= 40 else node
            case "union":
                node = Union((node, Filter(node, draw(conditions(node)))))
            case "sort":
                node = draw(_sort(node))
            case "explode":
                texts = _columns(node, DataType.STRING)
                node = Explode(node, draw(st.sampled_from(texts)).name) if texts else node
            case _:
                node = Limit(node, draw(st.integers(0, 20)), per_agent=draw(st.booleans()))
        nodes.append(node)
    return nodes[-1]


def relation(**columns: DataType) -> Relation:
    """A relation without meanings."""
    return {name: ColumnType(data) for name, data in columns.items()}
