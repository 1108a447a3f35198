"""Plan nodes: a small typed DAG. A node is immutable, knows its relation, and is compared by identity.

The compiler builds it from `Source` up to `Sink`; rules rewrite it; `split` cuts it into an agent and a broker part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sylph.plan.expressions import AggregateCall, Expression, LiteralValue
from sylph.tables.types import ColumnType, DataType, Relation


@dataclass(frozen=True, eq=False, slots=True)
class Source:
    """Rows of a table with `start` <= time_ <= `end` (ns, None: no bound). `relation` holds the columns read."""

    table: str
    relation: Relation
    start: int | None = None
    end: int | None = None
    streaming: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class TableFunctionSource:
    """Rows of a table function called with literal arguments."""

    function: str
    arguments: Mapping[str, LiteralValue]
    relation: Relation


@dataclass(frozen=True, eq=False, slots=True)
class Map:
    """Exactly `outputs`, in order: kept columns are `ColumnRef`s."""

    input: Node
    outputs: tuple[tuple[str, Expression], ...]
    relation: Relation = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "relation", {name: value.type for name, value in self.outputs})


@dataclass(frozen=True, eq=False, slots=True)
class Filter:
    """Rows for which the BOOLEAN `condition` is true."""

    input: Node
    condition: Expression
    relation: Relation = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "relation", self.input.relation)


@dataclass(frozen=True, eq=False, slots=True)
class Limit:
    """The first `rows` rows; with `per_agent`, of every agent rather than overall."""

    input: Node
    rows: int
    per_agent: bool = False
    relation: Relation = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "relation", self.input.relation)


@dataclass(frozen=True, eq=False, slots=True)
class Sort:
    """All rows in the order of `keys`, (column, whether ascending) from the first; with `rows`, the first so many.

    nan comes after every other value, ascending or not.
    """

    input: Node
    keys: tuple[tuple[str, bool], ...]
    rows: int | None = None
    relation: Relation = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "relation", self.input.relation)


@dataclass(frozen=True, eq=False, slots=True)
class Explode:
    """A row for each element of the JSON array in STRING `column`, with the element as text in its place.

    What is no array, and an empty one, has no rows; null is the empty text.
    """

    input: Node
    column: str
    relation: Relation = field(init=False)

    def __post_init__(self) -> None:
        relation = dict(self.input.relation)
        relation[self.column] = ColumnType(DataType.STRING)
        object.__setattr__(self, "relation", relation)


@dataclass(frozen=True, eq=False, slots=True)
class Aggregate:
    """One row for each distinct value of `groups`; without groups, exactly one row."""

    input: Node
    groups: tuple[str, ...]
    outputs: tuple[tuple[str, AggregateCall], ...]
    relation: Relation = field(init=False)

    def __post_init__(self) -> None:
        relation = {name: self.input.relation[name] for name in self.groups}
        relation.update((name, value.type) for name, value in self.outputs)
        object.__setattr__(self, "relation", relation)


@dataclass(frozen=True, eq=False, slots=True)
class Join:
    """`how` is inner, left, outer (a right join is a left join with its sides swapped) or as_of.

    Without keys each row of the left goes with each row of the right.

    as_of gives each row of the left once, with the row of the right that is equal in all keys but the last and has in
    that one the greatest value not above the left's: of several such rows any one. With `tolerance` (ns), that value is
    at most so much below the left's, else there is no such row.

    `outputs` names each result column as (side, input column, output name), side 0 or 1. A side that has no row
    gives its types' zero values.
    """

    left: Node
    right: Node
    how: str
    left_on: tuple[str, ...]
    right_on: tuple[str, ...]
    outputs: tuple[tuple[int, str, str], ...]
    tolerance: int | None = None
    relation: Relation = field(init=False)

    def __post_init__(self) -> None:
        sides = (self.left.relation, self.right.relation)
        object.__setattr__(self, "relation", {name: sides[side][column] for side, column, name in self.outputs})


@dataclass(frozen=True, eq=False, slots=True)
class Union:
    """Rows of all inputs, columns matched by name; in time order when there is a `time_`."""

    inputs: tuple[Node, ...]
    relation: Relation = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "relation", self.inputs[0].relation)


@dataclass(frozen=True, eq=False, slots=True)
class Remote:
    """Rows that the agents' sink `name` sends to the broker. Made by `split`, never by the compiler."""

    name: str
    relation: Relation


@dataclass(frozen=True, eq=False, slots=True)
class PartialAggregate:
    """The agent's half of an `Aggregate`: one row a group, holding each output's states.

    State `i` of output `x` is column `x#i`; its type is the engine's own, hence DATA_TYPE_UNKNOWN.
    """

    input: Node
    groups: tuple[str, ...]
    outputs: tuple[tuple[str, AggregateCall], ...]
    relation: Relation = field(init=False)

    def __post_init__(self) -> None:
        relation = {name: self.input.relation[name] for name in self.groups}
        for name, call in self.outputs:
            relation.update((state_name(name, i), STATE) for i in range(len(call.overload.partial)))
        object.__setattr__(self, "relation", relation)


@dataclass(frozen=True, eq=False, slots=True)
class MergeAggregate:
    """The broker's half of an `Aggregate`: merges the states of `PartialAggregate`s and finishes them."""

    input: Node
    groups: tuple[str, ...]
    outputs: tuple[tuple[str, AggregateCall], ...]
    relation: Relation = field(init=False)

    def __post_init__(self) -> None:
        relation = {name: self.input.relation[name] for name in self.groups}
        relation.update((name, value.type) for name, value in self.outputs)
        object.__setattr__(self, "relation", relation)


#: Type of an aggregate's state column.
STATE = ColumnType(DataType.DATA_TYPE_UNKNOWN)


def state_name(output: str, index: int) -> str:
    """Name of the column that holds one state of an aggregate's output."""
    return f"{output}#{index}"


@dataclass(frozen=True, eq=False, slots=True)
class Sink:
    """A result table of the script."""

    input: Node
    name: str


Node = (
    Source
    | TableFunctionSource
    | Map
    | Filter
    | Limit
    | Sort
    | Explode
    | Aggregate
    | Join
    | Union
    | Remote
    | PartialAggregate
    | MergeAggregate
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a script asks for: its sinks in order, and the flags that govern its run."""

    sinks: tuple[Sink, ...]
    max_output_rows: int = 10_000
    explain: bool = False
    analyze: bool = False
