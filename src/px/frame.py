"""DataFrame, its columns, and what they can do. Every method here is one that PxL has, with its meaning."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeAlias, overload

from px.outside import outside

#: What a column may be set to, or compared and computed with.
Value: TypeAlias = "Column | bool | int | float | str"
#: A point in time: `-5m`, `2020-07-13 18:02:05.00 +0000`, ns since the epoch, or none.
TimeLike: TypeAlias = "str | int | None"

#: A type, or its name: `px.STRING`, `px.Bytes`, `"numeric"`.
SelectedType: TypeAlias = "type[bool | int | float | str] | str"

#: Keys of `df.ctx`.
Key: TypeAlias = Literal[
    "asid",
    "cmd",
    "cmdline",
    "container",
    "container_id",
    "container_name",
    "deployment",
    "deployment_id",
    "deployment_name",
    "host",
    "hostname",
    "namespace",
    "node",
    "node_name",
    "pid",
    "pod",
    "pod_id",
    "pod_name",
    "replica_set",
    "replica_set_id",
    "replicaset",
    "replicaset_id",
    "replicaset_name",
    "service",
    "service_id",
    "service_name",
]


class Column:
    """A column, or an expression over columns and literals: one value for each row."""

    def __add__(self, other: Operand) -> Column:
        """Sum; of strings, one after the other."""
        raise outside("+")

    def __radd__(self, other: Operand) -> Column:
        """Sum; of strings, one after the other."""
        raise outside("+")

    def __sub__(self, other: Operand) -> Column:
        """Difference; of two times, ns."""
        raise outside("-")

    def __rsub__(self, other: Operand) -> Column:
        """Difference; of two times, ns."""
        raise outside("-")

    def __mul__(self, other: Operand) -> Column:
        """Product."""
        raise outside("*")

    def __rmul__(self, other: Operand) -> Column:
        """Product."""
        raise outside("*")

    def __truediv__(self, other: Operand) -> Column:
        """Quotient, always a float."""
        raise outside("/")

    def __rtruediv__(self, other: Operand) -> Column:
        """Quotient, always a float."""
        raise outside("/")

    def __mod__(self, other: Operand) -> Column:
        """Remainder, with the sign of the left side."""
        raise outside("%")

    def __rmod__(self, other: Operand) -> Column:
        """Remainder, with the sign of the left side."""
        raise outside("%")

    def __neg__(self) -> Column:
        """The negative."""
        raise outside("-")

    def __eq__(self, other: object) -> Column:  # type: ignore[override]
        """Whether both are equal."""
        raise outside("==")

    def __ne__(self, other: object) -> Column:  # type: ignore[override]
        """Whether they differ."""
        raise outside("!=")

    def __lt__(self, other: Operand) -> Column:
        """Whether this is less."""
        raise outside("<")

    def __le__(self, other: Operand) -> Column:
        """Whether this is less or equal."""
        raise outside("<=")

    def __gt__(self, other: Operand) -> Column:
        """Whether this is greater."""
        raise outside(">")

    def __ge__(self, other: Operand) -> Column:
        """Whether this is greater or equal."""
        raise outside(">=")

    def __pos__(self) -> Column:
        """The same."""
        raise outside("+")

    def __invert__(self) -> Column:
        """All bits inverted."""
        raise outside("~")

    def __int__(self) -> int:
        """As a type cast: px.Bytes(column)."""
        raise outside("int")

    def __float__(self) -> float:
        """As a type cast: px.Percent(column)."""
        raise outside("float")

    __hash__ = None  # type: ignore[assignment]


class Aggregated(Column):
    """What an aggregate gives for each group: `px.sum('a')`."""


#: Column names, then an aggregate that is not called: `('latency', px.mean)`.
AggregateForm: TypeAlias = (
    tuple[str, Callable[..., Aggregated]]
    | tuple[str, str, Callable[..., Aggregated]]
    | tuple[str, str, str, Callable[..., Aggregated]]
)
#: What is computed with: aggregates as tuples too.
Operand: TypeAlias = "Value | AggregateForm"
#: An output of agg(): `('latency', px.mean)`, `px.mean('latency')`, or what is computed of such, which casts, `if` and
#: f-strings make a plain value to a type checker.
Aggregation: TypeAlias = "Value | AggregateForm"


class Context:
    """`df.ctx`: who a row belongs to."""

    @overload
    def __getitem__(self, key: Key) -> Column: ...
    @overload
    def __getitem__(self, key: str) -> Column: ...
    def __getitem__(self, key: str) -> Column:
        """The pod, service, node ... of each row, found from columns such as `upid` or `pod_id`."""
        raise outside("ctx")


class Grouped:
    """A DataFrame after groupby or rolling."""

    def rolling(self, window: str | int, on: str = "time_") -> Grouped:
        """Windows of this width, within each group; agg() must follow."""
        raise outside("rolling")

    def agg(self, **outputs: Aggregation) -> DataFrame:
        """One row for each group: the group's columns, then each output in order."""
        raise outside("agg")


class Rolling(Grouped):
    """A DataFrame after rolling."""

    def groupby(self, by: Sequence[str] | str) -> Grouped:
        """Groups within each window; agg() must follow."""
        raise outside("groupby")


class DataFrame:
    """Rows of a table. Operations make a new DataFrame; setting a column rebinds the name.

    `start_time` and `end_time` bound `time_`, both inclusive.
    """

    def __init__(
        self,
        table: str,
        select: Sequence[str] | str = (),
        start_time: TimeLike = None,
        end_time: TimeLike = None,
    ) -> None:
        raise outside("DataFrame")

    @property
    def ctx(self) -> Context:
        """Who a row belongs to: `df.ctx['pod']`."""
        raise outside("ctx")

    def __getattr__(self, name: str) -> Column:
        """The column of that name."""
        raise outside(name)

    def __setattr__(self, name: str, value: Value) -> None:
        """Set a column: replaced in its place, or added at the end."""
        raise outside(name)

    @overload
    def __getitem__(self, key: str) -> Column: ...
    @overload
    def __getitem__(self, key: list[str] | tuple[str, ...] | Column | bool) -> DataFrame: ...
    def __getitem__(self, key: str | list[str] | tuple[str, ...] | Column | bool) -> Column | DataFrame:
        """`df['a']`: a column; `df[['a', 'b']]`: only these columns; `df[condition]`: the rows where it holds."""
        raise outside("[]")

    def __setitem__(self, key: str, value: Value) -> None:
        """Set a column: `df['two words'] = 1`."""
        raise outside("[]")

    def filter(self, condition: Column | bool) -> DataFrame:
        """The rows where `condition` holds."""
        raise outside("filter")

    def drop(self, columns: Sequence[str] | str) -> DataFrame:
        """All columns but these."""
        raise outside("drop")

    def head(self, n: int = 5, _pem_only: int = 0) -> DataFrame:
        """The first `n` rows."""
        raise outside("head")

    def rename(self, columns: Mapping[str, str]) -> DataFrame:
        """The same columns, some with new names: `df.rename({'old': 'new'})`."""
        raise outside("rename")

    def distinct(self, columns: Sequence[str] | str = ()) -> DataFrame:
        """The distinct values of these columns together; of all columns when none is named."""
        raise outside("distinct")

    def sort(self, by: Sequence[str] | str, ascending: bool | Sequence[bool] = True) -> DataFrame:
        """All rows in the order of these columns; nan comes last, rows with equal values in the order of `time_`."""
        raise outside("sort")

    def top(self, n: int, by: Sequence[str] | str, ascending: bool | Sequence[bool] = False) -> DataFrame:
        """The `n` rows with the greatest values of these columns, greatest first; with `ascending`, the least."""
        raise outside("top")

    def select(self, types: SelectedType | Sequence[SelectedType]) -> DataFrame:
        """Columns by what they hold: `px.STRING`, `px.Bytes`, `'numeric'`, `'duration_ns'`, or a list of such."""
        raise outside("select")

    def explode(self, column: str) -> DataFrame:
        """A row for each element of the JSON array in `column`, as text; no row for an empty one or for no array."""
        raise outside("explode")

    def groupby(self, by: Sequence[str] | str) -> Grouped:
        """Groups of rows with equal values in these columns; agg() must follow."""
        raise outside("groupby")

    def agg(self, **outputs: Aggregation) -> DataFrame:
        """One row for all rows together."""
        raise outside("agg")

    @overload
    def merge(
        self,
        right: DataFrame,
        how: Literal["inner", "left", "right", "outer"],
        left_on: Sequence[str] | str,
        right_on: Sequence[str] | str,
        suffixes: Sequence[str] = ("_x", "_y"),
    ) -> DataFrame: ...
    @overload
    def merge(
        self,
        right: DataFrame,
        how: Literal["inner", "left", "right", "outer"],
        *,
        on: Sequence[str] | str,
        suffixes: Sequence[str] = ("_x", "_y"),
    ) -> DataFrame: ...
    @overload
    def merge(
        self,
        right: DataFrame,
        how: Literal["as_of"],
        left_on: Sequence[str] | str | None = None,
        right_on: Sequence[str] | str | None = None,
        suffixes: Sequence[str] = ("_x", "_y"),
        on: Sequence[str] | str | None = None,
        tolerance: str | int | None = None,
    ) -> DataFrame: ...
    def merge(
        self,
        right: DataFrame,
        how: Literal["inner", "left", "right", "outer", "as_of"],
        left_on: Sequence[str] | str | None = None,
        right_on: Sequence[str] | str | None = None,
        suffixes: Sequence[str] = ("_x", "_y"),
        on: Sequence[str] | str | None = None,
        tolerance: str | int | None = None,
    ) -> DataFrame:
        """Rows of both with equal keys: the left's columns, then the right's. A missing side gives 0, "" or False.

        `as_of` gives every row of the left, with the right's row that has equal keys and the nearest `time_` that is
        not later, and at most `tolerance` (`'5s'`, or ns) earlier.
        """
        raise outside("merge")

    def append(self, objs: DataFrame | Sequence[DataFrame]) -> DataFrame:
        """The rows of all, which have the same columns; in time order when there is a `time_`."""
        raise outside("append")

    def rolling(self, window: str | int, on: str = "time_") -> Rolling:
        """Windows of time such as '10s', one after another; agg() must follow. `time_` becomes the window's start."""
        raise outside("rolling")

    def stream(self) -> DataFrame:
        """Rows as they come, without end, or windows of rolling() when they close; px.display() must follow."""
        raise outside("stream")
