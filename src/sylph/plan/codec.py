"""Plans as bytes, to travel between broker and agents: JSON, validated on receipt as if it came from an enemy.

Nodes are a list, inputs before consumers, named by position. What is received names tables, functions and columns;
their types are derived here from this side's own declarations, so that no peer can make a column something else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sylph.functions.declare import AggregateOverload, Overload
from sylph.functions.registry import TABLE_FUNCTIONS, FunctionError, resolve_aggregate, resolve_scalar
from sylph.plan import forms
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
    state_name,
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
MAX_DEPTH = 100
#: Operators in a row: twice those of a script, since rules and the split add some. DuckDB refuses plans of a few more.
MAX_OPERATORS = 600
MAX_EXPRESSIONS = 200_000


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
            return ["function", function, {k: forms.value_out(v) for k, v in arguments.items()}, list(relation)]
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
                    [forms.value_out(option) for option in call.options],
                ]
                for name, call in node.outputs
            ]
            return [_AGGREGATES[type(node)], children[0], list(node.groups), outputs]
        case Join():
            keys = [list(node.left_on), list(node.right_on)]
            outputs = [list(output) for output in node.outputs]
            return ["join", children[0], children[1], node.how, *keys, outputs, node.tolerance]
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
            return ["l", forms.value_out(value), *_type_out(kind)]
        case Call(function, args, _, kind):
            return ["f", function, [_out(arg) for arg in args], int(kind.semantic)]


# -- in -------------------------------------------------------------------------------------------------------------


def decode(data: bytes, tables: Mapping[str, Table]) -> Plan:
    """The plan in `data`, over `tables`. Raises PlanError, and nothing else, whatever the bytes."""
    if len(data) > MAX_BYTES:
        raise PlanError(f"a plan of {len(data)} bytes is larger than {MAX_BYTES}")
    try:
        form = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise PlanError(f"not a plan: {type(error).__name__}") from None
    form = forms.fields(form, "plan", {"version", "nodes", "sinks", "max_output_rows", "analyze"})
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
        for item in forms.array(form["nodes"], "nodes", MAX_NODES):
            node = self._node(forms.array(item, "node", 8))
            depth = 1 + max((self._depths[id(child)] for child in inputs(node)), default=0)
            if depth > MAX_OPERATORS:
                raise PlanError(f"more than {MAX_OPERATORS} operators in a row", "do more in each operator")
            self._depths[id(node)] = depth
            self._nodes.append(node)
        sinks = []
        for item in forms.array(form["sinks"], "sinks", MAX_SINKS):
            place, name = forms.exactly(item, "sink", 2)
            sinks.append(Sink(self._input(place), forms.name(name)))
        if len({sink.name for sink in sinks}) != len(sinks):
            raise PlanError("two sinks have one name")
        rows = forms.integer(form["max_output_rows"], "max_output_rows", 0, 2**63 - 1)
        return Plan(tuple(sinks), rows, analyze=forms.boolean(form["analyze"], "analyze"))

    def _input(self, place: object) -> Node:
        # Only nodes read so far, so that no plan can be a circle.
        return self._nodes[forms.integer(place, "input", 0, len(self._nodes) - 1)]

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
        if len(node.relation) > forms.MAX_COLUMNS:
            raise PlanError(f"operator {kind!r} gives more than {forms.MAX_COLUMNS} columns")
        return node

    def _source(self, item: list[Any]) -> Node:
        _, name, columns, start, end, streaming = forms.exactly(item, "source", 6)
        table = self._tables.get(forms.name(name))
        if table is None:
            raise PlanError(f"there is no table {name!r}")
        relation = {column: forms.column(table.relation, column) for column in forms.names(columns)}
        return Source(table.name, relation, forms.time(start), forms.time(end), forms.boolean(streaming, "streaming"))

    def _function(self, item: list[Any]) -> Node:
        _, name, arguments, columns = forms.exactly(item, "function", 4)
        function = TABLE_FUNCTIONS.get(forms.name(name))
        if function is None:
            raise PlanError(f"there is no table function {name!r}")
        given = forms.mapping(arguments, "arguments")
        if unknown := set(given) - {argument.name for argument in function.arguments}:
            raise PlanError(f"table function {name!r} has no argument {min(unknown)!r:.50}")
        values = {argument.name: forms.argument(argument, given) for argument in function.arguments}
        return TableFunctionSource(
            function.name, values, {column: forms.column(function.relation, column) for column in forms.names(columns)}
        )

    def _map(self, item: list[Any]) -> Node:
        _, place, outputs = forms.exactly(item, "map", 3)
        node = self._input(place)
        pairs = [forms.exactly(output, "output", 2) for output in forms.array(outputs, "outputs", forms.MAX_COLUMNS)]
        forms.distinct([name for name, _ in pairs])
        return Map(node, tuple((forms.name(name), self._expression(value, node.relation, 0)) for name, value in pairs))

    def _filter(self, item: list[Any]) -> Node:
        _, place, condition = forms.exactly(item, "filter", 3)
        node = self._input(place)
        value = self._expression(condition, node.relation, 0)
        if value.type.data is not DataType.BOOLEAN:
            raise PlanError(f"a filter's condition is {value.type.data.name}, not BOOLEAN")
        return Filter(node, value)

    def _limit(self, item: list[Any]) -> Node:
        _, place, rows, per_agent = forms.exactly(item, "limit", 4)
        return Limit(
            self._input(place), forms.integer(rows, "rows", 0, 2**63 - 1), forms.boolean(per_agent, "per_agent")
        )

    def _sort(self, item: list[Any]) -> Node:
        _, place, keys, rows = forms.exactly(item, "sort", 4)
        node = self._input(place)
        pairs = [forms.exactly(key, "key", 2) for key in forms.array(keys, "keys", forms.MAX_COLUMNS)]
        if not pairs:
            raise PlanError("a sort needs a key")
        forms.distinct([name for name, _ in pairs])
        for name, _ in pairs:
            forms.column(node.relation, name)
        chosen = tuple((forms.name(name), forms.boolean(ascending, "ascending")) for name, ascending in pairs)
        return Sort(node, chosen, None if rows is None else forms.integer(rows, "rows", 0, 2**63 - 1))

    def _explode(self, item: list[Any]) -> Node:
        _, place, column = forms.exactly(item, "explode", 3)
        node = self._input(place)
        if forms.column(node.relation, column).data is not DataType.STRING:
            raise PlanError(f"column {column!r:.50} is not STRING and holds no JSON array")
        return Explode(node, forms.name(column))

    def _aggregate(self, item: list[Any]) -> Node:
        kind, place, groups, outputs = forms.exactly(item, "aggregate", 4)
        node = self._input(place)
        names = forms.names(groups)
        for name in names:
            forms.column(node.relation, name)
        calls = []
        for output in forms.array(outputs, "outputs", forms.MAX_COLUMNS):
            name, function, args, semantic, given_options = forms.exactly(output, "output", 5)
            columns = []
            for arg in forms.array(args, "arguments", 64):
                column, data, meaning = forms.exactly(arg, "argument", 3)
                given = ColumnType(forms.enum(DataType, data), forms.enum(SemanticType, meaning))
                # At the broker the arguments are gone: only their states have come.
                if kind != "merge" and forms.column(node.relation, column).data is not given.data:
                    raise PlanError(f"column {column!r} is not {given.data.name}")
                columns.append(ColumnRef(forms.name(column), given))
            options = tuple(forms.value(option) for option in forms.array(given_options, "options", 8))
            overload, derived = _aggregate_overload(forms.name(function), columns, options)
            call_type = ColumnType(derived.data, forms.enum(SemanticType, semantic))
            calls.append((forms.name(name), AggregateCall(function, tuple(columns), overload, call_type, options)))
        forms.distinct([*names, *(name for name, _ in calls)])
        if kind == "aggregate":
            return Aggregate(node, tuple(names), tuple(calls))
        if kind == "partial":
            return PartialAggregate(node, tuple(names), tuple(calls))
        merge = MergeAggregate(node, tuple(names), tuple(calls))
        for name, call in calls:
            for i in range(len(call.overload.merge)):
                if node.relation.get(state_name(name, i)) != STATE:
                    raise PlanError(f"state {i} of {name!r} does not come in")
        return merge

    def _join(self, item: list[Any]) -> Node:
        _, left_place, right_place, how, left_on, right_on, outputs, tolerance = forms.exactly(item, "join", 8)
        sides = (self._input(left_place), self._input(right_place))
        if how not in ("inner", "left", "outer", "as_of"):
            raise PlanError(f"unknown join {how!r:.50}")
        left, right = (
            [forms.name(key) for key in forms.array(keys, "keys", forms.MAX_COLUMNS)] for keys in (left_on, right_on)
        )
        if len(left) != len(right):
            raise PlanError("a join needs the same number of columns on both sides")
        for a, b in zip(left, right, strict=True):
            if forms.column(sides[0].relation, a).data is not forms.column(sides[1].relation, b).data:
                raise PlanError(f"join columns {a!r} and {b!r} have different types")
        if how == "as_of" and not left:
            raise PlanError("an as_of join needs a time to compare")
        if how == "as_of" and sides[0].relation[left[-1]].data is not DataType.TIME64NS:
            raise PlanError("the last key of an as_of join is not TIME64NS")
        chosen = []
        for output in forms.array(outputs, "outputs", forms.MAX_COLUMNS):
            side, column, name = forms.exactly(output, "output", 3)
            side = forms.integer(side, "side", 0, 1)
            forms.column(sides[side].relation, column)
            chosen.append((side, column, forms.name(name)))
        forms.distinct([name for _, _, name in chosen])
        if tolerance is not None and how != "as_of":
            raise PlanError(f"a join {how!r} has no tolerance")
        within = None if tolerance is None else forms.integer(tolerance, "tolerance", 0, 2**63 - 1)
        return Join(sides[0], sides[1], how, tuple(left), tuple(right), tuple(chosen), within)

    def _union(self, item: list[Any]) -> Node:
        _, places = forms.exactly(item, "union", 2)
        nodes = tuple(self._input(place) for place in forms.array(places, "inputs", MAX_NODES))
        if not nodes:
            raise PlanError("a union of nothing")
        first = {name: kind.data for name, kind in nodes[0].relation.items()}
        for node in nodes[1:]:
            if {name: kind.data for name, kind in node.relation.items()} != first:
                raise PlanError("a union's inputs have different columns")
        return Union(nodes)

    def _remote(self, item: list[Any]) -> Node:
        _, name, columns = forms.exactly(item, "remote", 3)
        relation = {}
        for column in forms.array(columns, "columns", forms.MAX_COLUMNS):
            label, data, semantic = forms.exactly(column, "column", 3)
            relation[forms.name(label)] = ColumnType(forms.enum(DataType, data), forms.enum(SemanticType, semantic))
        return Remote(forms.name(name), relation)

    def _expression(self, item: object, relation: Relation, depth: int) -> Expression:
        self._expressions += 1
        if depth > MAX_DEPTH or self._expressions > MAX_EXPRESSIONS:
            raise PlanError("an expression is too deep, or there are too many")
        parts = forms.array(item, "expression", 4)
        match parts:
            case ["c", name, semantic]:
                kind = forms.column(relation, name)
                return ColumnRef(forms.name(name), ColumnType(kind.data, forms.enum(SemanticType, semantic)))
            case ["l", value, data, semantic]:
                kind = ColumnType(forms.enum(DataType, data), forms.enum(SemanticType, semantic))
                literal = Literal(forms.value(value), kind)
                value_sql(literal.value, kind.data)
                return literal
            case ["f", function, args, semantic]:
                values = tuple(
                    self._expression(arg, relation, depth + 1) for arg in forms.array(args, "arguments", 1_000)
                )
                types = tuple(value.type for value in values)
                literals = tuple(value.value if isinstance(value, Literal) else None for value in values)
                overload, derived = _scalar_overload(forms.name(function), types, literals)
                return Call(function, values, overload, ColumnType(derived.data, forms.enum(SemanticType, semantic)))
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
