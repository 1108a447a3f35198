"""Plans as DuckDB SQL, written directly as text.

Every node becomes part of a `Block`, one SELECT. A node joins its input's block where SQL's order of evaluation allows
(filter, then map, then limit); otherwise the block is closed as a common table expression. A node that is read twice
is always closed; it is materialised when it is more than a scan, so that it is computed once and has one answer.
Leaves are named relations which the runner provides: see `Statement`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sylph.functions.declare import Lookup
from sylph.plan.errors import PlanError
from sylph.plan.expressions import AggregateCall, Call, ColumnRef, Expression, Literal
from sylph.plan.literals import ZERO_SQL, literal_sql, quote, value_sql
from sylph.plan.nodes import (
    Aggregate,
    Filter,
    Join,
    Limit,
    Map,
    MergeAggregate,
    Node,
    PartialAggregate,
    Remote,
    Source,
    TableFunctionSource,
    Union,
    state_name,
)
from sylph.plan.templates import CONSTANTS, fill
from sylph.plan.walk import conjuncts, inputs, postorder, references, substitute
from sylph.tables.entities import ENTITIES
from sylph.tables.types import DataType, Relation

Leaf = Source | TableFunctionSource | Remote

_LEAVES = (Source, TableFunctionSource, Remote)


@dataclass(frozen=True, slots=True)
class Statement:
    """One query. Its result has `relation`'s columns in order, under names that may differ in suffix.

    `leaves` are the relations it reads, by the name under which it reads them; `entities` the metadata entities, read
    as `entity_<name>`. `body` lacks the leading WITH, so that the runner can put definitions before it.
    """

    tables: str
    body: str
    relation: Relation
    leaves: Mapping[str, Leaf]
    entities: frozenset[str]

    def text(self, definitions: Mapping[str, str] | None = None) -> str:
        """The statement, with named definitions (SELECTs) that its leaves resolve to."""
        parts = [f"{quote(name)} AS NOT MATERIALIZED ({text})" for name, text in (definitions or {}).items()]
        if self.tables:
            parts.append(self.tables)
        return (f"WITH {', '.join(parts)} " if parts else "") + self.body


@dataclass(slots=True)
class _Block:
    """A SELECT being built. `outputs` None means all columns of `source` as they are."""

    source: str
    relation: Relation
    outputs: dict[str, Expression] | None = None
    select: list[str] | None = None
    joins: dict[tuple[str, str, str, str], _LookupJoin] = field(default_factory=dict)
    where: list[str] = field(default_factory=list)
    tail: str = ""
    limit: int | None = None


@dataclass(slots=True)
class _LookupJoin:
    alias: str
    lookup: Lookup
    key: str
    at: str
    values: dict[str, None]
    inner: bool = False


def statement(root: Node, constants: Mapping[str, str | int] | None = None) -> Statement:
    """SQL that gives the rows of `root`. Raises PlanError for what SQL cannot express here, such as kernels.

    `constants` are this node's own facts (`templates.CONSTANTS`); one that is missing is its type's zero value.
    """
    return _Writer(root, constants or {}).statement()


class _Writer:
    def __init__(self, root: Node, constants: Mapping[str, str | int]) -> None:
        self._root = root
        self._nodes = postorder([root])
        self._constants = {
            name: value_sql(constants[name], data) if name in constants else ZERO_SQL[data]
            for name, data in CONSTANTS.items()
        }
        self._names = _physical_names(self._nodes)
        self._leaves: dict[str, Leaf] = {}
        self._entities: set[str] = set()
        self._tables: list[str] = []
        self._blocks: dict[int, _Block] = {}
        self._uses = {id(node): 0 for node in self._nodes}
        for node in self._nodes:
            for child in inputs(node):
                self._uses[id(child)] += 1
        self._ordered = _ordered(self._nodes, root)
        self._heavy: set[int] = set()

    def statement(self) -> Statement:
        for node in self._nodes:
            heavy = isinstance(node, Aggregate | Join | Limit | Union | PartialAggregate | MergeAggregate)
            if heavy or any(id(child) in self._heavy for child in inputs(node)):
                self._heavy.add(id(node))
            block = self._block(node)
            if self._uses[id(node)] > 1:
                block = self._close(block, materialised=id(node) in self._heavy)
            self._blocks[id(node)] = block
        body = self._render(self._blocks[id(self._root)])
        return Statement(", ".join(self._tables), body, self._root.relation, self._leaves, frozenset(self._entities))

    # -- nodes ------------------------------------------------------------------------------------------------

    def _block(self, node: Node) -> _Block:
        match node:
            case Source() | TableFunctionSource() | Remote():
                return self._leaf(node)
            case Map():
                return self._map(node)
            case Filter():
                return self._filter(node)
            case Limit():
                block = self._take(node.input)
                block.limit = node.rows if block.limit is None else min(block.limit, node.rows)
                return block
            case Aggregate() | PartialAggregate() | MergeAggregate():
                return self._aggregate(node)
            case Join():
                return self._join(node)
            case Union():
                return self._union(node)

    def _take(self, node: Node) -> _Block:
        """The block of an input. It may be changed: a shared one is already closed, and a fresh scan is given."""
        block = self._blocks[id(node)]
        if self._uses[id(node)] > 1:
            return _Block(block.source, block.relation)
        return block

    def _leaf(self, node: Leaf) -> _Block:
        if isinstance(node, Source):
            label = node.table
        else:
            label = node.function if isinstance(node, TableFunctionSource) else node.name
        name = f"{label}_{len(self._leaves)}"
        self._leaves[name] = node
        block = _Block(quote(name), node.relation)
        if isinstance(node, Source):
            # `time_` is there whether or not it is among the columns read.
            if node.start is not None:
                block.where.append(f"i.time_ >= {value_sql(node.start, DataType.TIME64NS)}")
            if node.end is not None:
                block.where.append(f"i.time_ <= {value_sql(node.end, DataType.TIME64NS)}")
        if any(self._names[column] != column for column in node.relation):
            block.select = [f"i.{quote(column)} AS {self._name(column)}" for column in node.relation]
            block = self._close(block)
        return block

    def _map(self, node: Map) -> _Block:
        block = self._take(node.input)
        if block.outputs is not None or block.select is not None or (block.limit is not None and _looks_up(node)):
            block = self._close(block)
        block.outputs = dict(node.outputs)
        block.relation = node.relation
        return block

    def _filter(self, node: Filter) -> _Block:
        block = self._take(node.input)
        condition = node.condition
        if block.limit is not None or block.select is not None:
            block = self._close(block)
        elif block.outputs is not None:
            if all(_cheap(block.outputs[name]) for name in references(condition)):
                condition = substitute(condition, block.outputs)
            else:
                block = self._close(block)
        for term in conjuncts(condition):
            inner = _zero_rejecting(term)
            # A literal may have turned the column into a constant; it still is a condition.
            block.where.append(self._expression(term, block))
            if inner is not None:
                self._lookup_join(inner, block).inner = True
        return block

    def _aggregate(self, node: Aggregate | PartialAggregate | MergeAggregate) -> _Block:
        if not node.relation:
            raise PlanError("an aggregate needs a group or an output", "add a column to groupby() or agg()")
        block = self._take(node.input)
        if block.outputs is not None or block.select is not None or block.limit is not None:
            block = self._close(block)
        select = [f"i.{self._name(name)}" for name in node.groups]
        for name, call in node.outputs:
            select.extend(f"{sql} AS {self._name(as_)}" for as_, sql in self._aggregate_outputs(node, name, call))
        block.select = select
        block.relation = node.relation
        if node.groups:
            block.tail = " GROUP BY " + ", ".join(f"i.{self._name(name)}" for name in node.groups)
        return block

    def _aggregate_outputs(
        self, node: Aggregate | PartialAggregate | MergeAggregate, name: str, call: AggregateCall
    ) -> list[tuple[str, str]]:
        args = [f"i.{self._name(arg.name)}" for arg in call.args]
        overload = call.overload
        if isinstance(node, Aggregate):
            return [(name, fill(overload.sql, args, self._constants))]
        if isinstance(node, PartialAggregate):
            return [
                (state_name(name, i), fill(template, args, self._constants))
                for i, template in enumerate(overload.partial)
            ]
        states = [f"i.{self._name(state_name(name, i))}" for i in range(len(overload.merge))]
        merged = [
            f"({fill(template, [state], self._constants)})"
            for template, state in zip(overload.merge, states, strict=True)
        ]
        return [(name, fill(overload.final, merged, self._constants))]

    def _join(self, node: Join) -> _Block:
        left, right = (self._close(self._take(side)) for side in (node.left, node.right))
        optional = {"inner": (False, False), "left": (False, True), "outer": (True, True)}
        if node.how not in optional:
            raise PlanError(f"join how={node.how!r} is not one of inner, left, outer")
        select = []
        relations = (node.left.relation, node.right.relation)
        for side, column, name in node.outputs:
            value = f"{'lr'[side]}.{self._name(column)}"
            if optional[node.how][side]:
                value = f"coalesce({value}, {ZERO_SQL[relations[side][column].data]})"
            select.append(f"{value} AS {self._name(name)}")
        keys = " AND ".join(
            f"l.{self._name(a)} = r.{self._name(b)}" for a, b in zip(node.left_on, node.right_on, strict=True)
        )
        kind = {"inner": "INNER", "left": "LEFT", "outer": "FULL"}[node.how]
        text = f"SELECT {', '.join(select)} FROM {left.source} AS l {kind} JOIN {right.source} AS r ON {keys}"
        return _Block(self._table(text), node.relation)

    def _union(self, node: Union) -> _Block:
        columns = ", ".join(self._name(name) for name in node.relation)
        parts = [f"SELECT {columns} FROM {self._close(self._take(child)).source}" for child in node.inputs]
        text = " UNION ALL ".join(parts)
        if "time_" in node.relation and self._ordered[id(node)]:
            text = f"SELECT {columns} FROM ({text}) ORDER BY {self._name('time_')}"
        return _Block(self._table(text), node.relation)

    # -- expressions ------------------------------------------------------------------------------------------

    def _expression(self, expression: Expression, block: _Block) -> str:
        match expression:
            case ColumnRef(name):
                return f"i.{self._name(name)}"
            case Literal():
                return literal_sql(expression)
            case Call(function, args, overload):
                if overload.lookup is not None:
                    join = self._lookup_join(expression, block)
                    column = ENTITIES[overload.lookup.entity][overload.lookup.value]
                    zero = ZERO_SQL[column.data]
                    value = f"{join.alias}.{quote(overload.lookup.value)}"
                    if overload.lookup.at:
                        # The latest row that began before the time, if it had not ended by then.
                        stop = f"{join.alias}.stop_time"
                        value = f"CASE WHEN {stop} = 0 OR {join.at} < {stop} THEN {value} END"
                    return f"coalesce({value}, {zero})"
                if overload.sql is None:
                    raise PlanError(f"function {function!r} runs as the kernel {overload.kernel!r}, not as SQL")
                texts = [
                    f"({self._expression(arg, block)})" if isinstance(arg, Call) else self._expression(arg, block)
                    for arg in args
                ]
                return fill(overload.sql, texts, self._constants)

    def _lookup_join(self, call: Call, block: _Block) -> _LookupJoin:
        lookup = call.overload.lookup
        assert lookup is not None
        if lookup.entity not in ENTITIES:
            raise PlanError(f"function {call.function!r} looks into the unknown entity {lookup.entity!r}")
        relation = ENTITIES[lookup.entity]
        for column in (lookup.key, lookup.value):
            if column not in relation:
                raise PlanError(f"function {call.function!r}: entity {lookup.entity!r} has no column {column!r}")
        key = self._expression(call.args[0], block)
        at = self._expression(call.args[1], block) if lookup.at else ""
        place = (lookup.entity, lookup.key, key, at)
        join = block.joins.get(place)
        if join is None:
            join = block.joins[place] = _LookupJoin(f"m{len(block.joins)}", lookup, key, at, {})
        join.values[lookup.value] = None
        return join

    # -- text -------------------------------------------------------------------------------------------------

    def _name(self, name: str) -> str:
        return quote(self._names[name])

    def _table(self, text: str, *, materialised: bool = False) -> str:
        name = f"t{len(self._tables)}"
        self._tables.append(f"{name} AS {'' if materialised else 'NOT '}MATERIALIZED ({text})")
        return name

    def _close(self, block: _Block, *, materialised: bool = False) -> _Block:
        plain = block.outputs is None and block.select is None and not block.where and block.limit is None
        if plain and not block.joins and not materialised:
            return _Block(block.source, block.relation)
        return _Block(self._table(self._render(block), materialised=materialised), block.relation)

    def _render(self, block: _Block) -> str:
        if block.select is not None:
            select = block.select
        elif block.outputs is not None:
            select = [
                f"{self._expression(value, block)} AS {self._name(name)}" for name, value in block.outputs.items()
            ]
        else:
            select = [f"i.{self._name(name)}" for name in block.relation]
        joins = "".join(self._render_lookup(join) for join in block.joins.values())
        where = f" WHERE {' AND '.join(f'({term})' for term in block.where)}" if block.where else ""
        limit = "" if block.limit is None else f" LIMIT {block.limit}"
        return f"SELECT {', '.join(select)} FROM {block.source} AS i{joins}{where}{block.tail}{limit}"

    def _render_lookup(self, join: _LookupJoin) -> str:
        lookup = join.lookup
        self._entities.add(lookup.entity)
        relation = ENTITIES[lookup.entity]
        kind = "INNER" if join.inner else "LEFT"
        table = quote(f"entity_{lookup.entity}")
        on = f"{join.alias}.{quote(lookup.key)} = {join.key}"
        if lookup.at:
            return f" ASOF {kind} JOIN {table} AS {join.alias} ON {on} AND {join.at} >= {join.alias}.start_time"
        if lookup.key != next(iter(relation)) or "ip" in relation:
            # Not the entity's own key: of several rows the living one, else the one that began last.
            order = [f"{quote(lookup.key)}"]
            if "stop_time" in relation:
                order += ["stop_time = 0 DESC", "start_time DESC"]
            columns = ", ".join(quote(name) for name in dict.fromkeys((lookup.key, *join.values)))
            key = quote(lookup.key)
            table = f"(SELECT DISTINCT ON ({key}) {columns} FROM {table} ORDER BY {', '.join(order)})"
        return f" {kind} JOIN {table} AS {join.alias} ON {on}"


def _physical_names(nodes: list[Node]) -> dict[str, str]:
    """A name for every column, distinct also where SQL ignores case."""
    taken: dict[str, int] = {}
    names: dict[str, str] = {}
    for node in nodes:
        for name in node.relation:
            if name not in names:
                key = name.casefold()
                taken[key] = taken.get(key, 0) + 1
                names[name] = name if taken[key] == 1 else f"{name}#case{taken[key]}"
    return names


def _ordered(nodes: list[Node], root: Node) -> dict[int, bool]:
    """Which nodes' row order can be seen: through aggregates and joins it cannot."""
    seen = {id(node): False for node in nodes}
    seen[id(root)] = True
    for node in reversed(nodes):
        if not isinstance(node, Map | Filter | Limit | Union):
            continue
        if seen[id(node)] or isinstance(node, Limit):
            for child in inputs(node):
                seen[id(child)] = True
    return seen


def _looks_up(node: Map) -> bool:
    return any(_has_lookup(value) for _, value in node.outputs)


def _has_lookup(expression: Expression) -> bool:
    return isinstance(expression, Call) and (
        expression.overload.lookup is not None or any(_has_lookup(arg) for arg in expression.args)
    )


def _cheap(expression: Expression) -> bool:
    """Whether an expression may be computed twice."""
    return not isinstance(expression, Call) or (
        expression.overload.lookup is not None and all(not isinstance(arg, Call) for arg in expression.args)
    )


def _zero_rejecting(term: Expression) -> Call | None:
    """The look-up in a condition that a missing row cannot meet: `pod != ""`, `pod == "x"`."""
    if not (isinstance(term, Call) and term.function in ("equal", "notEqual") and len(term.args) == 2):
        return None
    for value, other in (term.args, term.args[::-1]):
        if isinstance(value, Call) and value.overload.lookup is not None and isinstance(other, Literal):
            is_zero = not other.value
            if value.type.data == other.type.data and is_zero == (term.function == "notEqual"):
                return value
    return None
