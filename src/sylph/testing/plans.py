"""Building plans by hand: `col`, `lit` and `call` give typed expressions, resolved like the compiler resolves them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sylph.functions.registry import resolve_aggregate, resolve_scalar
from sylph.plan.expressions import AggregateCall, Call, ColumnRef, Expression, Literal, LiteralValue
from sylph.plan.nodes import Aggregate, Filter, Join, Map, Node, Plan, Sink, Source
from sylph.tables import TABLES
from sylph.tables.types import ColumnType, DataType

_TYPES = {bool: DataType.BOOLEAN, int: DataType.INT64, float: DataType.FLOAT64, str: DataType.STRING}


def source(table: str, columns: Iterable[str] = (), start: int | None = None, end: int | None = None) -> Source:
    """A table, or some columns of it."""
    relation = TABLES[table].relation
    return Source(table, {name: relation[name] for name in columns} or relation, start, end)


def col(node: Node, name: str) -> ColumnRef:
    """A column of a node."""
    return ColumnRef(name, node.relation[name])


def lit(value: LiteralValue, data: DataType | None = None) -> Literal:
    """A literal, of the Python value's own type if none is given."""
    return Literal(value, ColumnType(data or _TYPES[type(value)]))


def call(function: str, *args: Expression) -> Call:
    """A scalar function of expressions."""
    literals = tuple(arg.value if isinstance(arg, Literal) else None for arg in args)
    overload, kind = resolve_scalar(function, tuple(arg.type for arg in args), literals)
    return Call(function, args, overload, kind)


def keep(node: Node, *names: str) -> Map:
    """Some columns of a node."""
    return Map(node, tuple((name, col(node, name)) for name in names))


def assign(node: Node, **values: Expression) -> Map:
    """All columns of a node, with some replaced or added."""
    outputs: dict[str, Expression] = {name: col(node, name) for name in node.relation}
    return Map(node, tuple({**outputs, **values}.items()))


def where(node: Node, condition: Expression) -> Filter:
    """Rows that meet a condition."""
    return Filter(node, condition)


def agg(node: Node, groups: Iterable[str] = (), /, **outputs: tuple[str, str]) -> Aggregate:
    """`agg(node, ["service"], mean=("latency", "mean"))`."""
    calls = []
    for name, (column, function) in outputs.items():
        overload, kind = resolve_aggregate(function, (node.relation[column],))
        calls.append((name, AggregateCall(function, (col(node, column),), overload, kind)))
    return Aggregate(node, tuple(groups), tuple(calls))


def join(left: Node, right: Node, how: str, *keys: str, suffixes: tuple[str, str] = ("_x", "_y")) -> Join:
    """A merge on keys that both sides have, with the compiler's column names."""
    outputs = [(0, n, n + suffixes[0] if n in right.relation else n) for n in left.relation]
    outputs += [(1, n, n + suffixes[1] if n in left.relation else n) for n in right.relation]
    return Join(left, right, how, keys, keys, tuple(outputs))


def plan(*nodes: Node, max_output_rows: int = 10_000, **named: Node) -> Plan:
    """Sinks `output`, `output_1` ... and named ones."""
    sinks = [Sink(node, f"output_{i}" if i else "output") for i, node in enumerate(nodes)]
    both: Mapping[str, Node] = named
    return Plan((*sinks, *(Sink(node, name) for name, node in both.items())), max_output_rows)
