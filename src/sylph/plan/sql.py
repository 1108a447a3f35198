"""Plans as DuckDB SQL, written directly as text.

Every node becomes part of a `Block`, one SELECT. A node joins its input's block where SQL's order of evaluation allows
(filter, then map, then limit); otherwise the block is closed as a common table expression. A node that is read twice
is always closed; it is materialised when it is more than a scan, so that it is computed once and has one answer.
Leaves are named relations which the runner provides: see `Statement`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sylph.functions.declare import Lookup
from sylph.plan.errors import PlanError
from sylph.plan.expressions import AggregateCall, Call, ColumnRef, Expression, Literal
from sylph.plan.literals import ZERO_SQL, literal_sql, quote, value_sql
from sylph.plan.lookups import Joins, has_lookup, join, zero_rejecting
from sylph.plan.naming import RANK, Leaf, Naming
from sylph.plan.nodes import (
    Aggregate,
    Explode,
    Filter,
    Join,
    Limit,
    Map,
    MergeAggregate,
    Node,
    PartialAggregate,
    Remote,
    Sort,
    Source,
    TableFunctionSource,
    Union,
    state_name,
)
from sylph.plan.order import seen_orders, sorted_nodes
from sylph.plan.templates import constants_sql, fill
from sylph.plan.walk import conjuncts, expressions, inputs, postorder, references, substitute
from sylph.tables.entities import ENTITIES
from sylph.tables.types import DataType, Relation

_HEAVY = Aggregate | Join | Limit | Sort | Explode | Union | PartialAggregate | MergeAggregate

#: By `Join.how`: in SQL, and whether the left and the right side may have no row.
_JOINS = {
    "inner": ("INNER", False, False),
    "left": ("LEFT", False, True),
    "outer": ("FULL", True, True),
    "as_of": ("ASOF LEFT", False, True),
}

#: Longest SQL of one call: templates may name an argument twice, so nesting them can grow fast.
MAX_EXPRESSION = 200_000
#: Longest SQL of all calls of a statement together.
MAX_STATEMENT = 16_000_000


@dataclass(frozen=True, slots=True)
class Statement:
    """One query. Its result has `relation`'s columns in order, under any names.

    `leaves` are the relations it reads, by the name under which it reads them, and their columns by the names in
    `names`: SQL ignores case, plans do not. A source is its rows of the time range asked for, so that the text is the
    same for any. `entities` are the metadata entities with the columns read of each, by the name under which these are
    read; `kernels` the native functions that it calls by name. `again`: whether DuckDB can run it twice once prepared.
    `body` lacks the leading WITH, so that the runner can put definitions before it.
    """

    tables: str
    body: str
    relation: Relation
    leaves: Mapping[str, Leaf]
    names: Mapping[str, str]
    entities: Mapping[str, tuple[str, list[str]]]
    kernels: frozenset[str]
    again: bool

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
    joins: Joins = field(default_factory=dict)
    where: list[str] = field(default_factory=list)
    tail: str = ""
    limit: int | None = None
    #: Whether rows carry their place in an order, as column `RANK`.
    ranked: bool = False


def statement(
    root: Node, constants: Mapping[str, str | int] | None = None, naming: Naming | None = None, *, ordered: bool = True
) -> Statement:
    """SQL that gives the rows of `root`, on the node with these `templates.CONSTANTS`.

    Without `ordered`, rows may come in any order. Raises PlanError for what cannot be said.
    """
    return _Writer(root, constants_sql(constants or {}), naming, ordered=ordered).statement()


class _Writer:
    def __init__(self, root: Node, constants: Mapping[str, str], naming: Naming | None, *, ordered: bool) -> None:
        self._root = root
        self._sorts = ordered
        self._nodes = postorder([root])
        self._constants = constants
        self._naming = naming or Naming(self._nodes)
        self._names = self._naming.columns
        self._leaves: dict[str, Leaf] = {}
        self._entities: dict[str, tuple[str, list[str]]] = {}
        self._kernels: set[str] = set()
        self._tables: list[str] = []
        self._written = 0
        self._blocks: dict[int, _Block] = {}
        self._uses = {id(node): 0 for node in self._nodes}
        for node in self._nodes:
            for child in inputs(node):
                self._uses[id(child)] += 1
        self._ordered = seen_orders(self._nodes, root)
        self._sorted = sorted_nodes(self._nodes)
        #: Sorts under look-ups, by which rows must be put in order again.
        self._ranked = {
            self._sorted[id(node)]
            for node in self._nodes
            if self._ordered[id(node)]
            and id(node) in self._sorted
            # What is read twice is kept in any order.
            and (self._uses[id(node)] > 1 or any(map(has_lookup, expressions(node))))
        }
        self._heavy: set[int] = set()

    def statement(self) -> Statement:
        for node in self._nodes:
            heavy = isinstance(node, _HEAVY)
            if heavy or any(id(child) in self._heavy for child in inputs(node)):
                self._heavy.add(id(node))
            block = self._block(node)
            if self._uses[id(node)] > 1:
                block = self._close(block, materialised=id(node) in self._heavy)
            self._blocks[id(node)] = block
        top = self._blocks[id(self._root)]
        if top.ranked:
            top = self._close(top)
            top.ranked, top.tail = False, f" ORDER BY i.{quote(RANK)}"
        elif self._sorts and self._shuffled() and "time_" in self._root.relation:
            top = self._close(top)
            top.tail = f" ORDER BY i.{self._name('time_')}"
        body = self._render(top)
        return Statement(
            ", ".join(self._tables),
            body,
            self._root.relation,
            self._leaves,
            self._names,
            self._entities,
            frozenset(self._kernels),
            # DuckDB 2.0 fails with an internal error when the plan of an ASOF join runs for the second time.
            not any(isinstance(node, Join) and node.how == "as_of" for node in self._nodes),
        )

    def _shuffled(self) -> bool:
        """Whether rows come in another order than the tables': a join keeps none, and agents answer when they can."""
        return any(
            self._ordered[id(node)] and (self._arrives(node) or any(map(has_lookup, expressions(node))))
            for node in self._nodes
            if id(node) not in self._sorted
        )

    def _arrives(self, node: Node) -> bool:
        return isinstance(node, Remote) and not self._naming.kept.get(node.name)

    def _earliest_needs_order(self, node: Node, block: _Block) -> bool:
        """Whether the first rows by time are not the first to be read: they were kept, or came, in any order."""
        kept = None if block.outputs is None else block.outputs.get("time_")
        if block.select is not None or (block.outputs is not None and not _is_column(kept, "time_")):
            return False
        while isinstance(node, Map | Filter):
            node = node.input
        return self._arrives(node) and "time_" in node.relation

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
                return self._limit(node)
            case Sort():
                return self._sort(node)
            case Explode():
                return self._explode(node)
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
            return _Block(block.source, block.relation, ranked=block.ranked)
        return block

    def _leaf(self, node: Leaf) -> _Block:
        name = self._naming.leaf(node)
        self._leaves[name] = node
        return _Block(quote(name), node.relation)

    def _map(self, node: Map) -> _Block:
        block = self._take(node.input)
        looks_up = any(map(has_lookup, expressions(node)))
        if block.outputs is not None or block.select is not None or (block.limit is not None and looks_up):
            block = self._close(block)
        block.outputs = dict(node.outputs)
        block.relation = node.relation
        return block

    def _filter(self, node: Filter) -> _Block:
        block = self._take(node.input)
        if block.limit is not None or block.select is not None:
            block = self._close(block)
        terms = conjuncts(node.condition)
        if block.outputs is not None:
            outputs = block.outputs
            early: list[Expression] = []
            late: list[Expression] = []
            for term in terms:
                (early if all(_cheap(outputs[name]) for name in references(term)) else late).append(term)
            self._demand(block, [substitute(term, outputs) for term in early])
            terms = late
            if terms:
                block = self._close(block)
        self._demand(block, terms)
        return block

    def _demand(self, block: _Block, terms: list[Expression]) -> None:
        for term in terms:
            inner = zero_rejecting(term)
            if inner is not None and inner.overload.lookup is not None:
                args = [self._expression(arg, block) for arg in inner.args]
                join(block.joins, inner.function, inner.overload.lookup, args).inner = True
            block.where.append(self._expression(term, block))

    def _limit(self, node: Limit) -> _Block:
        block = self._take(node.input)
        if block.ranked and block.limit is None:
            block.tail = f" ORDER BY i.{quote(RANK)}"
        elif block.limit is None and self._earliest_needs_order(node.input, block):
            block.tail = f" ORDER BY i.{self._name('time_')}"
        block.limit = node.rows if block.limit is None else min(block.limit, node.rows)
        return block

    def _sort(self, node: Sort) -> _Block:
        block = self._plain(node.input)
        order = []
        for name, ascending in node.keys:
            column = f"i.{self._name(name)}"
            if node.relation[name].data is DataType.FLOAT64:
                order.append(f"isnan({column})")
            order.append(column if ascending else f"{column} DESC")
        block.relation, block.ranked, block.limit = node.relation, False, node.rows
        block.tail = " ORDER BY " + ", ".join(order)
        if id(node) in self._ranked:
            block.select = [f"i.{self._name(name)}" for name in node.relation]
            block.select.append(f"row_number() OVER ({block.tail.strip()}) AS {quote(RANK)}")
            if node.rows is None:
                block.tail = ""
        block = self._close(block)
        block.ranked = id(node) in self._ranked
        return block

    def _explode(self, node: Explode) -> _Block:
        block = self._plain(node.input)
        block.select = []
        for name in node.relation:
            column = f"i.{self._name(name)}"
            if name == node.column:
                elements = f"json_extract_string(TRY_CAST({column} AS JSON), '$[*]')"
                column = f"coalesce(unnest({elements}), '') AS {self._name(name)}"
            block.select.append(column)
        if block.ranked:
            block.select.append(f"i.{quote(RANK)}")
        block.relation = node.relation
        return block

    def _plain(self, node: Node) -> _Block:
        """The block of an input as a relation whose columns can be selected."""
        block = self._take(node)
        if block.outputs is not None or block.select is not None or block.limit is not None:
            block = self._close(block)
        return block

    def _aggregate(self, node: Aggregate | PartialAggregate | MergeAggregate) -> _Block:
        if not node.relation:
            raise PlanError("an aggregate needs a group or an output", "add a column to groupby() or agg()")
        block = self._plain(node.input)
        select = [f"i.{self._name(name)}" for name in node.groups]
        for name, call in node.outputs:
            select.extend(f"{sql} AS {self._name(as_)}" for as_, sql in self._aggregate_outputs(node, name, call))
        block.select = select
        block.relation, block.ranked = node.relation, False
        if node.groups:
            block.tail = " GROUP BY " + ", ".join(f"i.{self._name(name)}" for name in node.groups)
        return block

    def _aggregate_outputs(
        self, node: Aggregate | PartialAggregate | MergeAggregate, name: str, call: AggregateCall
    ) -> list[tuple[str, str]]:
        overload = call.overload
        # What is merged has lost the arguments.
        args = [] if isinstance(node, MergeAggregate) else [f"i.{self._name(arg.name)}" for arg in call.args]
        if isinstance(node, Aggregate):
            return [(name, self._fill(overload.sql, args))]
        if isinstance(node, PartialAggregate):
            return [(state_name(name, i), self._fill(template, args)) for i, template in enumerate(overload.partial)]
        states = [f"i.{self._name(state_name(name, i))}" for i in range(len(overload.merge))]
        merged = [f"({self._fill(template, [state])})" for template, state in zip(overload.merge, states, strict=True)]
        return [(name, self._fill(overload.final, merged))]

    def _join(self, node: Join) -> _Block:
        left, right = (self._close(self._take(side)) for side in (node.left, node.right))
        if node.how not in _JOINS:
            raise PlanError(f"join how={node.how!r} is not one of {', '.join(_JOINS)}")
        kind, *optional = _JOINS[node.how]
        near = ""
        if node.tolerance is not None:
            # The difference of two times may not fit 64 bits.
            left_time, right_time = f"l.{self._name(node.left_on[-1])}", f"r.{self._name(node.right_on[-1])}"
            near = f"{left_time}::HUGEINT - {right_time} <= {value_sql(node.tolerance, DataType.INT64)}"
        select = []
        relations = (node.left.relation, node.right.relation)
        for side, column, name in node.outputs:
            value = f"{'lr'[side]}.{self._name(column)}"
            if optional[side]:
                zero = ZERO_SQL[relations[side][column].data]
                value = f"CASE WHEN {near} THEN {value} ELSE {zero} END" if near else f"coalesce({value}, {zero})"
            select.append(f"{value} AS {self._name(name)}")
        equal = len(node.left_on) - (node.how == "as_of")
        keys = " AND ".join(
            f"l.{self._name(a)} {'=' if i < equal else '>='} r.{self._name(b)}"
            for i, (a, b) in enumerate(zip(node.left_on, node.right_on, strict=True))
        )
        on = keys or "TRUE"
        text = f"SELECT {', '.join(select)} FROM {left.source} AS l {kind} JOIN {right.source} AS r ON {on}"
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
                    return self._lookup(expression, overload.lookup, block)
                texts = [
                    f"({self._expression(arg, block)})" if isinstance(arg, Call) else self._expression(arg, block)
                    for arg in args
                ]
                if overload.kernel is not None:
                    self._kernels.add(overload.kernel)
                    text = f"{overload.kernel}({', '.join(texts)})"
                else:
                    template = overload.sql or ""
                    if overload.fast is not None and not any(isinstance(arg, Call) for arg in args):
                        template = overload.fast
                    text = self._fill(template, texts)
                self._written += len(text)
                if self._written > MAX_STATEMENT:
                    raise PlanError("the expressions become too much SQL", "compute less in one table")
                if len(text) > MAX_EXPRESSION:
                    raise PlanError(
                        f"an expression around {function!r} becomes {len(text)} characters of SQL",
                        "assign a part of it to a column of its own",
                    )
                return text

    def _fill(self, template: str, args: Sequence[str]) -> str:
        return fill(template, args, self._constants)

    def _lookup(self, call: Call, lookup: Lookup, block: _Block) -> str:
        args = [self._expression(arg, block) for arg in call.args]
        value = self._looked_up(call.function, lookup, args, block)
        if lookup.otherwise:
            args = args[2 if lookup.at else 1 :]
            for other in lookup.otherwise:
                chained = self._looked_up(call.function, other, args, block)
                args = [chained]
            value = f"coalesce(nullif({value}, {ZERO_SQL[call.type.data]}), {args[0]})"
        return value

    def _looked_up(self, function: str, lookup: Lookup, args: list[str], block: _Block) -> str:
        found = join(block.joins, function, lookup, args)
        zero = ZERO_SQL[ENTITIES[lookup.entity][lookup.value].data]
        value = f"{found.alias}.{quote(lookup.value)}"
        return value if found.inner else f"coalesce({value}, {zero})"

    # -- text -------------------------------------------------------------------------------------------------

    def _name(self, name: str) -> str:
        return quote(self._names[name])

    def _table(self, text: str, *, materialised: bool = False) -> str:
        name = f"t{len(self._tables)}"
        self._tables.append(f"{name} AS {'' if materialised else 'NOT '}MATERIALIZED ({text})")
        return name

    def _close(self, block: _Block, *, materialised: bool = False) -> _Block:
        plain = block.outputs is None and block.select is None and not block.where and block.limit is None
        if plain and not block.joins and not block.tail and not materialised:
            return _Block(block.source, block.relation, ranked=block.ranked)
        table = self._table(self._render(block), materialised=materialised)
        return _Block(table, block.relation, ranked=block.ranked)

    def _render(self, block: _Block) -> str:
        if block.select is not None:
            select = block.select
        elif block.outputs is not None:
            select = [
                f"{self._expression(value, block)} AS {self._name(name)}" for name, value in block.outputs.items()
            ]
        else:
            select = [f"i.{self._name(name)}" for name in block.relation]
        if block.ranked and block.select is None:
            select.append(f"i.{quote(RANK)}")
        joins = "".join(one.text(self._entities) for one in block.joins.values())
        where = f" WHERE {' AND '.join(f'({term})' for term in block.where)}" if block.where else ""
        limit = "" if block.limit is None else f" LIMIT {block.limit}"
        return f"SELECT {', '.join(select)} FROM {block.source} AS i{joins}{where}{block.tail}{limit}"


def _is_column(expression: Expression | None, name: str) -> bool:
    return isinstance(expression, ColumnRef) and expression.name == name


def _cheap(expression: Expression) -> bool:
    """Whether an expression may be computed twice."""
    return not isinstance(expression, Call) or (
        expression.overload.lookup is not None and all(not isinstance(arg, Call) for arg in expression.args)
    )
