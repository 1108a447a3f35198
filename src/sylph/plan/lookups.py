"""Look-ups of metadata in SQL: each is a join with the entity's relation, `entity_<name>`."""

from __future__ import annotations

from dataclasses import dataclass

from sylph.functions.declare import Lookup
from sylph.plan.errors import PlanError
from sylph.plan.expressions import Call, Expression, Literal
from sylph.plan.literals import quote
from sylph.plan.walk import subexpressions
from sylph.tables.entities import ENTITIES

_FOREVER = "9223372036854775807::BIGINT"


@dataclass(slots=True)
class LookupJoin:
    """A join of one SELECT. `key` and `at` are SQL, `values` the columns looked up, in order.

    `inner`: rows that find nothing are left out.
    """

    alias: str
    lookup: Lookup
    key: str
    at: str
    values: dict[str, None]
    inner: bool = False

    def text(self, read: dict[str, tuple[str, list[str]]]) -> str:
        """The join in SQL. Adds to `read` the entity and the columns that it reads, by the name under which it does."""
        lookup = self.lookup
        relation = ENTITIES[lookup.entity]
        chosen = dict.fromkeys((lookup.key, *self.values))
        # Not the entity's own key: of several rows the current one, else the one that stopped last.
        ambiguous = not lookup.at and (lookup.key != next(iter(relation)) or lookup.entity == "address")
        timed = bool(lookup.at) or (ambiguous and "stop_time" in relation)
        wanted = {*chosen, "start_time", "stop_time"} if timed else {*chosen}
        columns_read = [name for name in relation if name in wanted]
        name = f"entity_{lookup.entity}({','.join(columns_read)})"
        read[name] = lookup.entity, columns_read
        kind = "INNER" if self.inner else "LEFT"
        table = quote(name)
        key = quote(lookup.key)
        on = f"{self.alias}.{key} = {self.key}"
        columns = ", ".join(map(quote, chosen))
        if lookup.at:
            # Each row holds until it stopped or the next one began, so that at most one holds at any time.
            following = f"lead(start_time) OVER (PARTITION BY {key} ORDER BY start_time, stop_time)"
            end = f"least(CASE stop_time WHEN 0 THEN {_FOREVER} ELSE stop_time END, coalesce({following}, {_FOREVER}))"
            table = f'(SELECT {columns}, start_time AS "#from", {end} AS "#to" FROM {table})'
            at, alias = self.at, self.alias
            return f' {kind} JOIN {table} AS {alias} ON {on} AND {at} >= {alias}."#from" AND {at} < {alias}."#to"'
        if ambiguous:
            order = [key]
            if timed:
                order += ["stop_time = 0 DESC", "stop_time DESC", "start_time DESC"]
            table = f"(SELECT DISTINCT ON ({key}) {columns} FROM {table} ORDER BY {', '.join(order)})"
        return f" {kind} JOIN {table} AS {self.alias} ON {on}"


#: The joins of one SELECT, by entity, key column, and the SQL of key and time.
Joins = dict[tuple[str, str, str, str], LookupJoin]


def join(joins: Joins, function: str, lookup: Lookup, args: list[str]) -> LookupJoin:
    """The join for a look-up by `args` (SQL), a new one or one that looks up by the same. Raises PlanError."""
    relation = ENTITIES.get(lookup.entity, {})
    for column in (lookup.key, lookup.value):
        if column not in relation:
            raise PlanError(f"function {function!r} looks up {lookup.entity}.{column}, which does not exist")
    key = args[0]
    at = args[1] if lookup.at else ""
    place = (lookup.entity, lookup.key, key, at)
    found = joins.get(place)
    if found is None:
        found = joins[place] = LookupJoin(f"m{len(joins)}", lookup, key, at, {})
    found.values[lookup.value] = None
    return found


def has_lookup(expression: Expression) -> bool:
    """Whether anything in the expression is looked up."""
    return any(isinstance(item, Call) and item.overload.lookup is not None for item in subexpressions(expression))


def zero_rejecting(term: Expression) -> Call | None:
    """The look-up in a condition that a missing row cannot meet: `pod != ""`, `pod == "x"`."""
    if not (isinstance(term, Call) and term.function in ("equal", "notEqual") and len(term.args) == 2):
        return None
    for value, other in (term.args, term.args[::-1]):
        if not (isinstance(value, Call) and isinstance(other, Literal)):
            continue
        if value.overload.lookup is not None and not value.overload.lookup.otherwise:
            is_zero = not other.value
            if value.type.data == other.type.data and is_zero == (term.function == "notEqual"):
                return value
    return None
