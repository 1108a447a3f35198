"""Plans as bytes, to travel between broker and agents: JSON, validated on receipt as if it came from an enemy.

Nodes are a list, inputs before consumers, named by position. What is received names tables, functions and columns;
their types are derived here from this side's own declarations, so that no peer can make a column something else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sylph.functions.declare import AggregateOverload, Argument, Overload
from sylph.functions.registry import TABLE_FUNCTIONS, FunctionError, resolve_aggregate, resolve_scalar
from sylph.plan.errors import PlanError
from sylph.plan.expressions import AggregateCall, Call, ColumnRef, Expression, Literal, LiteralValue
from sylph.plan.literals import value_sql
from sylph.plan.nodes import (
    STATE,
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
    Sink,
    Sort,
    Source,
    TableFunctionSource,
    Union,
)
from sylph.plan.placement import check_agent_part
from sylph.plan.walk import inputs, postorder, roots
from sylph.tables.declare import Table
from sylph.tables.types import ColumnType, DataType, Relation, SemanticType

#: Version of the form; another one is refused.
VERSION = 1

MAX_BYTES = 4 * 2**20
MAX_NODES = 10_000
MAX_SINKS = 1_000
MAX_COLUMNS = 5_000
MAX_DEPTH = 100
#: Operators in a row. DuckDB refuses plans of about twice that.
MAX_OPERATORS = 300
MAX_EXPRESSIONS = 200_000
MAX_NAME = 4_096


# -- out ------------------------------------------------------------------------------------------------------------


def encode(plan: Plan) -> bytes:
    """The plan as bytes."""
    nodes = postorder(roots(plan))
    place = {id(node): i for i, node in enumerate(nodes)}
    return json.dumps(
        {
            "version": VERSION,
            "nodes": [_node_out(node, [place[id(child)] for child in inputs(node)]) for node in nodes],
            "sinks": [[place[id(sink.input)], sink.name] for sink in plan.sinks],
            "max_output_rows": plan.max_output_rows,
            "analyze": plan.analyze,
        },
        separators=(",", ":"),
        ensure_ascii=False,
    ).encode(errors="surrogatepass")


def _node_out(node: Node, children: list[int]) -> list[Any]:
    match node:
        case Source(table, relation, start, end, streaming):
            return ["source", table, list(relation), start, end, streaming]
        case TableFunctionSource(function, arguments, relation):
            return ["function", function, {k: _value_out(v) for k, v in arguments.items()}, list(relation)]
        case Map():
            return ["map", children[0], [[name, _out(value)] for name, value in node.outputs]]
        case Filter():
            return ["filter", children[0], _out(node.condition)]
        case Limit():
            return ["limit", children[0], node.rows, node.per_agent]
        case Sort():
            return ["sort", children[0], [list(key) for key in node.keys], node.rows]
        case Explode():
            return ["explode", children[0], node.column]
        case Aggregate() | PartialAggregate() | MergeAggregate():
            outputs = [
                [
                    name,
                    call.function,
                    [[arg.name, *_type_out(arg.type)] for arg in call.args],
                    call.type.semantic,
                    [_value_out(option) for option in call.options],
                ]
                for name, call in node.outputs
            ]
            return [_AGGREGATES[type(node)], children[0], list(node.groups), outputs]
        case Join():
            keys = [list(node.left_on), list(node.right_on)]
            return ["join", children[0], children[1], node.how, *keys, [list(output) for output in node.outputs]]
        case Union():
            return ["union", children]
        case Remote(name, relation):
            return ["remote", name, [[column, *_type_out(kind)] for column, kind in relation.items()]]


_AGGREGATES = {Aggregate: "aggregate", PartialAggregate: "partial", MergeAggregate: "merge"}


def _type_out(kind: ColumnType) -> list[int]:
    return [int(kind.data), int(kind.semantic)]


def _out(expression: Expression) -> list[Any]:
    match expression:
        case ColumnRef(name, kind):
            return ["c", name, int(kind.semantic)]
        case Literal(value, kind):
            return ["l", _value_out(value), *_type_out(kind)]
        case Call(function, args, _, kind):
            return ["f", function, [_out(arg) for arg in args], int(kind.semantic)]


def _value_out(value: LiteralValue) -> object:
    # JSON has no infinities, and numbers beyond 2^53 are not safe in it everywhere.
    if isinstance(value, float) and not isinstance(value, bool):
        return {"f": value.hex()}
    if isinstance(value, int) and not isinstance(value, bool):
        return {"i": str(int(value))}
    return value


# -- in -------------------------------------------------------------------------------------------------------------


def decode(data: bytes, tables: Mapping[str, Table]) -> Plan:
    """The plan in `data`, over `tables`. Raises PlanError, and nothing else, whatever the bytes."""
    if len(data) > MAX_BYTES:
        raise PlanError(f"a plan of {len(data)} bytes is larger than {MAX_BYTES}")
    try:
        form = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise PlanError(f"not a plan: {type(error).__name__}") from None
    form = _fields(form, "plan", {"version", "nodes", "sinks", "max_output_rows", "analyze"})
    if form["version"] != VERSION:
        raise PlanError(f"a plan of version {form['version']!r}; this is version {VERSION}", "update both sides")
    return _Reader(tables).plan(form)


def decode_part(data: bytes, tables: Mapping[str, Table]) -> Plan:
    """As `decode`, for an agent: its part of a plan, and nothing that only a broker does. Raises PlanError."""
    plan = decode(data, tables)
    check_agent_part(plan)
    return plan


class _Reader:
    def __init__(self, tables: Mapping[str, Table]) -> None:
        self._tables = tables
        self._nodes: list[Node] = []
        self._depths: dict[int, int] = {}
        self._expressions = 0

    def plan(self, form: Mapping[str, Any]) -> Plan:
        for item in _list(form["nodes"], "nodes", MAX_NODES):
            node = self._node(_list(item, "node", 8))
            depth = 1 + max((self._depths[id(child)] for child in inputs(node)), default=0)
            if depth > MAX_OPERATORS:
                raise PlanError(f"more than {MAX_OPERATORS} operators in a row", "do more in each operator")
            self._depths[id(node)] = depth
            self._nodes.append(node)
        sinks = []
        for item in _list(form["sinks"], "sinks", MAX_SINKS):
            place, name = _exactly(item, "sink", 2)
            sinks.append(Sink(self._input(place), _name(name)))
        if len({sink.name for sink in sinks}) != len(sinks):
            raise PlanError("two sinks have one name")
        rows = _int(form["max_output_rows"], "max_output_rows", 0, 2**31)
        return Plan(tuple(sinks), rows, analyze=_bool(form["analyze"], "analyze"))

    def _input(self, place: object) -> Node:
        # Only nodes read so far, so that no plan can be a circle.
        return self._nodes[_int(place, "input", 0, len(self._nodes) - 1)]

    def _node(self, item: list[Any]) -> Node:
        kind = item[0] if item else None
        make = {
            "source": self._source,
            "function": self._function,
            "map": self._map,
            "filter": self._filter,
            "limit": self._limit,
            "sort": self._sort,
            "explode": self._explode,
            "aggregate": self._aggregate,
            "partial": self._aggregate,
            "merge": self._aggregate,
            "join": self._join,
            "union": self._union,
            "remote": self._remote,
        }.get(kind if isinstance(kind, str) else "")
        if make is None:
            raise PlanError(f"unknown operator {kind!r:.50}")
        node = make(item)
        if not node.relation:
            raise PlanError(f"operator {kind!r} gives no columns")
        if len(node.relation) > MAX_COLUMNS:
            raise PlanError(f"operator {kind!r} gives more than {MAX_COLUMNS} columns")
        return node

    def _source(self, item: list[Any]) -> Node:
        _, name, columns, start, end, streaming = _exactly(item, "source", 6)
        table = self._tables.get(_name(name))
        if table is None:
            raise PlanError(f"there is no table {name!r}")
        relation = {column: _column(table.relation, column) for column in _names(columns)}
        return Source(table.name, relation, _time(start), _time(end), _bool(streaming, "streaming"))

    def _function(self, item: list[Any]) -> Node:
        _, name, arguments, columns = _exactly(item, "function", 4)
        function = TABLE_FUNCTIONS.get(_name(name))
        if function is None:
            raise PlanError(f"there is no table function {name!r}")
        given = _mapping(arguments, "arguments")
        if unknown := set(given) - {argument.name for argument in function.arguments}:
            raise PlanError(f"table function {name!r} has no argument {min(unknown)!r:.50}")
        values = {argument.name: _argument(argument, given) for argument in function.arguments}
        return TableFunctionSource(
            function.name, values, {column: _column(function.relation, column) for column in _names(columns)}
        )

    def _map(self, item: list[Any]) -> Node:
        _, place, outputs = _exactly(item, "map", 3)
        node = self._input(place)
        pairs = [_exactly(output, "output", 2) for output in _list(outputs, "outputs", MAX_COLUMNS)]
        _distinct([name for name, _ in pairs])
        return Map(node, tuple((_name(name), self._expression(value, node.relation, 0)) for name, value in pairs))

    def _filter(self, item: list[Any]) -> Node:
        _, place, condition = _exactly(item, "filter", 3)
        node = self._input(place)
        value = self._expression(condition, node.relation, 0)
        if value.type.data is not DataType.BOOLEAN:
            raise PlanError(f"a filter's condition is {value.type.data.name}, not BOOLEAN")
        return Filter(node, value)

    def _limit(self, item: list[Any]) -> Node:
        _, place, rows, per_agent = _exactly(item, "limit", 4)
        return Limit(self._input(place), _int(rows, "rows", 0, 2**63 - 1), _bool(per_agent, "per_agent"))

    def _sort(self, item: list[Any]) -> Node:
        _, place, keys, rows = _exactly(item, "sort", 4)
        node = self._input(place)
        pairs = [_exactly(key, "key", 2) for key in _list(keys, "keys", 64)]
        if not pairs:
            raise PlanError("a sort needs a key")
        _distinct([name for name, _ in pairs])
        for name, _ in pairs:
            _column(node.relation, name)
        chosen = tuple((_name(name), _bool(ascending, "ascending")) for name, ascending in pairs)
        return Sort(node, chosen, None if rows is None else _int(rows, "rows", 0, 2**63 - 1))

    def _explode(self, item: list[Any]) -> Node:
        _, place, column = _exactly(item, "explode", 3)
        node = self._input(place)
        if _column(node.relation, column).data is not DataType.STRING:
            raise PlanError(f"column {column!r:.50} is not STRING and holds no JSON array")
        return Explode(node, _name(column))

    def _aggregate(self, item: list[Any]) -> Node:
        kind, place, groups, outputs = _exactly(item, "aggregate", 4)
        node = self._input(place)
        names = _names(groups)
        for name in names:
            _column(node.relation, name)
        calls = []
        for output in _list(outputs, "outputs", MAX_COLUMNS):
            name, function, args, semantic, given_options = _exactly(output, "output", 5)
            columns = []
            for arg in _list(args, "arguments", 64):
                column, data, meaning = _exactly(arg, "argument", 3)
                given = ColumnType(_enum(DataType, data), _enum(SemanticType, meaning))
                # At the broker the arguments are gone: only their states have come.
                if kind != "merge" and _column(node.relation, column).data is not given.data:
                    raise PlanError(f"column {column!r} is not {given.data.name}")
                columns.append(ColumnRef(_name(column), given))
            options = tuple(_value(option) for option in _list(given_options, "options", 8))
            overload, derived = _aggregate_overload(_name(function), columns, options)
            call_type = ColumnType(derived.data, _enum(SemanticType, semantic))
            calls.append((_name(name), AggregateCall(function, tuple(columns), overload, call_type, options)))
        _distinct([*names, *(name for name, _ in calls)])
        if kind == "aggregate":
            return Aggregate(node, tuple(names), tuple(calls))
        if kind == "partial":
            return PartialAggregate(node, tuple(names), tuple(calls))
        merge = MergeAggregate(node, tuple(names), tuple(calls))
        for name, call in calls:
            for i in range(len(call.overload.merge)):
                if node.relation.get(f"{name}#{i}") != STATE:
                    raise PlanError(f"state {i} of {name!r} does not come in")
        return merge

    def _join(self, item: list[Any]) -> Node:
        _, left_place, right_place, how, left_on, right_on, outputs = _exactly(item, "join", 7)
        sides = (self._input(left_place), self._input(right_place))
        if how not in ("inner", "left", "outer", "as_of"):
            raise PlanError(f"unknown join {how!r:.50}")
        left, right = ([_name(key) for key in _list(keys, "keys", 64)] for keys in (left_on, right_on))
        if len(left) != len(right) or not left:
            raise PlanError("a join needs the same number of columns on both sides, at least one")
        for a, b in zip(left, right, strict=True):
            if _column(sides[0].relation, a).data is not _column(sides[1].relation, b).data:
                raise PlanError(f"join columns {a!r} and {b!r} have different types")
        if how == "as_of" and sides[0].relation[left[-1]].data is not DataType.TIME64NS:
            raise PlanError("the last key of an as_of join is not TIME64NS")
        chosen = []
        for output in _list(outputs, "outputs", MAX_COLUMNS):
            side, column, name = _exactly(output, "output", 3)
            side = _int(side, "side", 0, 1)
            _column(sides[side].relation, column)
            chosen.append((side, column, _name(name)))
        _distinct([name for _, _, name in chosen])
        return Join(sides[0], sides[1], how, tuple(left), tuple(right), tuple(chosen))

    def _union(self, item: list[Any]) -> Node:
        _, places = _exactly(item, "union", 2)
        nodes = tuple(self._input(place) for place in _list(places, "inputs", MAX_NODES))
        if not nodes:
            raise PlanError("a union of nothing")
        first = {name: kind.data for name, kind in nodes[0].relation.items()}
        for node in nodes[1:]:
            if {name: kind.data for name, kind in node.relation.items()} != first:
                raise PlanError("a union's inputs have different columns")
        return Union(nodes)

    def _remote(self, item: list[Any]) -> Node:
        _, name, columns = _exactly(item, "remote", 3)
        relation = {}
        for column in _list(columns, "columns", MAX_COLUMNS):
            label, data, semantic = _exactly(column, "column", 3)
            relation[_name(label)] = ColumnType(_enum(DataType, data), _enum(SemanticType, semantic))
        return Remote(_name(name), relation)

    def _expression(self, item: object, relation: Relation, depth: int) -> Expression:
        self._expressions += 1
        if depth > MAX_DEPTH or self._expressions > MAX_EXPRESSIONS:
            raise PlanError("an expression is too deep, or there are too many")
        parts = _list(item, "expression", 4)
        match parts:
            case ["c", name, semantic]:
                kind = _column(relation, name)
                return ColumnRef(_name(name), ColumnType(kind.data, _enum(SemanticType, semantic)))
            case ["l", value, data, semantic]:
                kind = ColumnType(_enum(DataType, data), _enum(SemanticType, semantic))
                literal = Literal(_value(value), kind)
                value_sql(literal.value, kind.data)
                return literal
            case ["f", function, args, semantic]:
                values = tuple(self._expression(arg, relation, depth + 1) for arg in _list(args, "arguments", 1_000))
                types = tuple(value.type for value in values)
                literals = tuple(value.value if isinstance(value, Literal) else None for value in values)
                overload, derived = _scalar_overload(_name(function), types, literals)
                return Call(function, values, overload, ColumnType(derived.data, _enum(SemanticType, semantic)))
        raise PlanError("not an expression")


def _aggregate_overload(
    name: str, columns: list[ColumnRef], options: tuple[LiteralValue, ...]
) -> tuple[AggregateOverload, ColumnType]:
    try:
        return resolve_aggregate(name, tuple(column.type for column in columns), options)
    except FunctionError as error:
        raise PlanError(str(error), error.hint) from None


def _scalar_overload(
    name: str, types: tuple[ColumnType, ...], literals: tuple[LiteralValue | None, ...]
) -> tuple[Overload, ColumnType]:
    try:
        return resolve_scalar(name, types, literals)
    except FunctionError as error:
        raise PlanError(str(error), error.hint) from None


def _fields(form: object, what: str, names: set[str]) -> Mapping[str, Any]:
    mapping = _mapping(form, what)
    if set(mapping) != names:
        raise PlanError(f"{what} has other fields than {', '.join(sorted(names))}")
    return mapping


def _mapping(form: object, what: str) -> dict[str, Any]:
    if not isinstance(form, dict):
        raise PlanError(f"{what} is not an object")
    return form


def _list(form: object, what: str, most: int) -> list[Any]:
    if not isinstance(form, list):
        raise PlanError(f"{what} is not a list")
    if len(form) > most:
        raise PlanError(f"{what} has more than {most} items")
    return form


def _exactly(form: object, what: str, count: int) -> list[Any]:
    items = _list(form, what, count)
    if len(items) != count:
        raise PlanError(f"{what} has {len(items)} items, not {count}")
    return items


def _int(form: object, what: str, least: int, most: int) -> int:
    if not isinstance(form, int) or isinstance(form, bool) or not least <= form <= most:
        raise PlanError(f"{what} is not an integer from {least} to {most}")
    return form


def _bool(form: object, what: str) -> bool:
    if not isinstance(form, bool):
        raise PlanError(f"{what} is not true or false")
    return form


def _time(form: object) -> int | None:
    return None if form is None else _int(form, "time", -(2**63), 2**63 - 1)


def _name(form: object) -> str:
    if not isinstance(form, str) or len(form) > MAX_NAME:
        raise PlanError(f"not a name: {form!r:.50}")
    try:
        form.encode()
    except UnicodeEncodeError:
        raise PlanError("a name is not valid Unicode") from None
    return form


def _names(form: object) -> list[str]:
    names = [_name(item) for item in _list(form, "names", MAX_COLUMNS)]
    _distinct(names)
    return names


def _distinct(names: list[Any]) -> None:
    seen: set[str] = set()
    for name in names:
        if _name(name) in seen:
            raise PlanError(f"column {name!r:.50} is there twice")
        seen.add(name)


def _column(relation: Relation, name: object) -> ColumnType:
    kind = relation.get(_name(name))
    if kind is None:
        raise PlanError(f"there is no column {name!r:.50}")
    return kind


def _enum(kind: Any, number: object) -> Any:
    try:
        return kind(_int(number, kind.__name__, 0, 2**16))
    except ValueError:
        raise PlanError(f"{number!r} is no {kind.__name__}") from None


def _value(form: object) -> LiteralValue:
    match form:
        case bool() | str():
            return form
        case {"i": str(text), **rest} if not rest and len(text) <= 40 and text.lstrip("-").isascii():
            try:
                return int(text)
            except ValueError:
                pass
        case {"f": str(text), **rest} if not rest and len(text) <= 60:
            try:
                return float.fromhex(text)
            except (ValueError, OverflowError):
                pass
        case _:
            pass
    raise PlanError(f"not a value: {form!r:.50}")


def _argument(argument: Argument, given: Mapping[str, Any]) -> LiteralValue:
    if argument.name in given:
        value = _value(given[argument.name])
    elif argument.default is not None:
        value = argument.default
    else:
        raise PlanError(f"argument {argument.name!r} is missing")
    if not (argument.data is DataType.UINT128 and isinstance(value, str)):
        value_sql(value, argument.data)
    return value
