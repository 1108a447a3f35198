"""How a PxL function is declared: overloads by exact types, a semantic rule, and how it runs.

A scalar overload runs in exactly one of three ways: as a DuckDB SQL template, as a look-up in a metadata entity,
or as a native Arrow kernel. Templates are DuckDB SQL with `{0}`, `{1}` ... for the arguments, which are already
parenthesised where needed, and `{asid}`, `{hostname}` ... for constants of the node that runs the query. They are
filled in as text (a literal brace is doubled), so that compiling a script needs no SQL parser. No value is ever null:
a template must map what could be null to the type's zero value. A template may call the kernels of
`sylph.functions.kernels` by their SQL names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from sylph.tables.types import DataType, Relation, SemanticType


class Placement(StrEnum):
    """Where a function may run."""

    ANYWHERE = "anywhere"
    #: Only before the first blocking operator: it needs what only the data's own agent knows.
    AGENT = "agent"
    #: Only after the first blocking operator: it needs what only the broker knows.
    BROKER = "broker"


#: Value of a literal argument. TIME64NS is int ns; UINT128 is an int.
LiteralValue = bool | int | float | str

#: Semantic type of the result, from those of the arguments.
SemanticRule = Callable[[tuple[SemanticType, ...]], SemanticType]


def no_meaning(_arguments: tuple[SemanticType, ...]) -> SemanticType:
    """The default rule: the result means nothing in particular."""
    return SemanticType.ST_NONE


@dataclass(frozen=True, slots=True)
class Lookup:
    """`value` of the row of metadata entity `entity` whose `key` column equals the argument; zero when absent.

    With `at` (a second argument, TIME64NS), the row whose [start_time, stop_time) contains that time; without it, of
    several rows for one key, the one that is current (stop_time 0), else the one that stopped last.

    When the row is absent or its value is the zero value, `otherwise` is tried: a chain of look-ups, the first on the
    call's remaining arguments, every other on the result of the one before.
    """

    entity: str
    key: str
    value: str
    at: bool = False
    otherwise: tuple[Lookup, ...] = ()


@dataclass(frozen=True, slots=True)
class Overload:
    """One scalar signature. `init` are literal-only leading arguments, available to templates like the others.

    `variadic` repeats `args[-2:]` any number of times up to `variadic` times.
    """

    args: tuple[DataType, ...]
    result: DataType
    sql: str | None = None
    lookup: Lookup | None = None
    #: SQL name of a kernel of `sylph.functions.kernels`: Arrow arrays in, one Arrow array out.
    kernel: str | None = None
    init: tuple[DataType, ...] = ()
    #: A faster template that names its arguments more than once. Use it when every argument is a column or a
    #: literal; nested calls would double the text at each level. `render.scalar` does that.
    fast: str | None = None
    #: Makes the overload for the values of the `init` literals, for SQL that depends on them; `registry` calls it.
    specialize: Callable[[Overload, tuple[LiteralValue, ...]], Overload] | None = None

    def __post_init__(self) -> None:
        if sum(way is not None for way in (self.sql, self.lookup, self.kernel)) != 1:
            raise ValueError("an overload runs as SQL, as a look-up or as a kernel: exactly one")


@dataclass(frozen=True, slots=True)
class AggregateOverload:
    """One aggregate signature.

    `sql` computes the result in one step over rows. Split over nodes, each agent computes every `partial` template
    over its rows (`{0}` ... are the arguments), the broker combines each resulting state column with the `merge`
    template of the same position (`{0}` is the state column), and `final` turns the merged states
    (`{0}`, `{1}` ...) into the result.
    """

    args: tuple[DataType, ...]
    result: DataType
    sql: str
    partial: tuple[str, ...]
    merge: tuple[str, ...]
    final: str

    def __post_init__(self) -> None:
        if len(self.partial) != len(self.merge):
            raise ValueError("every partial state needs one merge template")


@dataclass(frozen=True, slots=True)
class Example:
    """A PxL expression with its value, shown in docs and run as a test: `px.abs(-1)` gives `1`."""

    expression: str
    value: bool | int | float | str


@dataclass(frozen=True, slots=True)
class Scalar:
    """A scalar function: one value for each row."""

    name: str
    doc: str
    overloads: tuple[Overload, ...]
    semantic: SemanticRule = no_meaning
    placement: Placement = Placement.ANYWHERE
    examples: tuple[Example, ...] = ()
    #: Argument names for docs; a0, a1 ... when not given.
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Option:
    """A literal that decides how an aggregate computes; `default` None means that it must be given.

    With `numbers` a script writes a list of numbers, which is kept as the text of a JSON array.
    """

    name: str
    data: DataType
    default: LiteralValue | None = None
    numbers: bool = False


class ByTime(StrEnum):
    """Whether an aggregate takes `time_` as its last argument, without being told."""

    NEVER = "never"
    IF_THERE = "if there"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An aggregate function: one value for each group of rows. `error` states the bound of an approximate result.

    With `options`, `specialize` gives the overload for their values, and raises ValueError for values that it cannot
    take. `beyond` marks what Pixie does not have.
    """

    name: str
    doc: str
    overloads: tuple[AggregateOverload, ...]
    semantic: SemanticRule = no_meaning
    error: str = ""
    parameters: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    specialize: Callable[[AggregateOverload, tuple[LiteralValue, ...]], AggregateOverload] | None = None
    by_time: ByTime = ByTime.NEVER
    beyond: bool = False
    #: Over the rows of `sylph.functions.example_rows`.
    examples: tuple[Example, ...] = ()


class Executor(StrEnum):
    """Who answers a table function."""

    ONE_KELVIN = "UDTF_ONE_KELVIN"
    ALL_AGENTS = "UDTF_ALL_AGENTS"
    ALL_PEM = "UDTF_ALL_PEM"


@dataclass(frozen=True, slots=True)
class Argument:
    """A literal argument of a table function; `default` None means that it must be given."""

    name: str
    data: DataType
    default: bool | int | float | str | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class TableFunction:
    """A function that makes a table. Its rows come from the provider registered under the same name in `query`."""

    name: str
    doc: str
    executor: Executor
    relation: Relation
    arguments: tuple[Argument, ...] = field(default=())
