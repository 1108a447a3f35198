"""What names in a script stand for while it is compiled. None of these is ever a row: a plan is made, not run."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sylph.plan.expressions import ColumnRef, Expression, Literal, LiteralValue
from sylph.plan.nodes import Node
from sylph.pxl.errors import Kind
from sylph.pxl.mutations import Probed
from sylph.tables.types import ColumnType, DataType, SemanticType

if TYPE_CHECKING:
    from sylph.pxl.interpreter import Interpreter

#: Characters of a text that count as one node of an expression.
_SHORT = 64

#: Columns of a DataFrame, by name, in order.
Columns = Mapping[str, ColumnRef]


class Fault(Exception):  # noqa: N818 - a control-flow signal that becomes a Diagnostic
    """Something is wrong at `node`, or where the current call is when `node` is None."""

    def __init__(self, message: str, kind: Kind, hint: str = "", node: ast.AST | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind
        self.hint = hint
        self.node = node


class Poisoned(Exception):  # noqa: N818 - a control-flow signal
    """A value depends on something already reported, or not known yet; nothing more is to be said about it."""


class Poison:
    """Stands for a name whose value could not be made."""

    __slots__ = ()


POISON = Poison()


@dataclass(frozen=True, slots=True)
class Scalar:
    """A literal or a column expression. `frame` is the columns it was made from, None when it uses none."""

    expression: Expression
    frame: Columns | None = None
    nodes: int = 1
    depth: int = 1
    #: Given its type by a cast, such as px.Pod(x).
    cast: bool = False

    @property
    def type(self) -> ColumnType:
        """Its data and semantic type."""
        return self.expression.type

    @property
    def literal(self) -> LiteralValue | None:
        """The constant, if it is one."""
        return self.expression.value if isinstance(self.expression, Literal) else None


@dataclass(frozen=True, eq=False, slots=True)
class Frame:
    """A DataFrame: a plan node and how to name its columns."""

    node: Node
    columns: Columns
    depth: int
    #: stream() was called: only display may follow.
    streaming: bool = False
    #: An error was reported for one of its columns, so a missing column is no news.
    tainted: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class Grouped:
    """A DataFrame after groupby or rolling: agg() must follow."""

    frame: Frame
    groups: tuple[str, ...]
    #: Width of rolling()'s windows, ns; 0 without.
    window: int = 0

    @property
    def method(self) -> str:
        """The method that made it, for messages."""
        return "rolling()" if self.window else "groupby()"


@dataclass(frozen=True, slots=True)
class Context:
    """`df.ctx`."""

    frame: Frame


@dataclass(frozen=True, slots=True)
class FunctionValue:
    """A PxL function by its registered name."""

    name: str


@dataclass(frozen=True, eq=False, slots=True)
class AggregateValue:
    """A called aggregate over columns, by name or as expressions.

    Without columns it only has its options: the last element of a tuple.
    """

    function: str
    columns: tuple[tuple[str | Scalar, ast.AST], ...]
    options: tuple[LiteralValue, ...]
    node: ast.AST


@dataclass(frozen=True, eq=False, slots=True)
class Computed:
    """What is computed of aggregates: `make` gives it when its operands have types; `size` and `depth` as a tree."""

    make: Callable[[list[Scalar]], Scalar]
    operands: tuple[Any, ...]
    nodes: tuple[ast.AST, ...]
    size: int
    depth: int


@dataclass(frozen=True, slots=True)
class TypeValue:
    """A type: an annotation or a cast. `type` is None for list."""

    name: str
    type: ColumnType | None


@dataclass(slots=True)
class Parameter:
    """One parameter of a built-in; `required` ones have no default."""

    name: str
    default: Any = None
    required: bool = True


@dataclass(slots=True)
class Bound:
    """Arguments of one call of a built-in, by parameter name, and where each is written."""

    interpreter: Interpreter
    call: ast.AST
    values: dict[str, Any] = field(default_factory=dict)
    nodes: dict[str, ast.AST] = field(default_factory=dict)
    #: Keyword arguments beyond the declared parameters.
    extra: dict[str, Any] = field(default_factory=dict)

    def node(self, name: str) -> ast.AST:
        """Where argument `name` is written; the call when it is not."""
        return self.nodes.get(name, self.call)

    def part(self, name: str, position: int) -> ast.AST:
        """Where element `position` of the list given as argument `name` is written."""
        return element(self.node(name), position)


@dataclass(frozen=True, eq=False, slots=True)
class Builtin:
    """A function of the compiler's own. `run` gets the bound arguments."""

    name: str
    run: Callable[[Bound], Any]
    parameters: tuple[Parameter, ...] = ()
    #: Any number of further keyword arguments.
    extra: bool = False


@dataclass(eq=False, slots=True)
class Module:
    """A module, or a namespace in one. A script may assign to its attributes; each compilation has its own."""

    name: str
    attributes: dict[str, Any]
    #: Makes attributes that are not in the dictionary; None for an unknown name.
    fallback: Callable[[str], Any] | None = None
    #: Names for "did you mean", beyond those in `attributes`.
    known: Callable[[], list[str]] | None = None

    def get(self, name: str) -> Any:
        """The attribute, None when there is none."""
        value = self.attributes.get(name)
        if value is None and self.fallback is not None:
            value = self.fallback(name)
            if value is not None:
                self.attributes[name] = value
        return value

    def names(self) -> list[str]:
        """All attribute names."""
        return [*self.attributes, *(self.known() if self.known else ())]


@dataclass(slots=True)
class Scope:
    """Names and their values; `parent` encloses it."""

    values: dict[str, Any]
    parent: Scope | None = None


@dataclass(eq=False, slots=True)
class UserFunction:
    """A function that the script defines."""

    name: str
    parameters: tuple[str, ...]
    annotations: Mapping[str, Any]
    definition: ast.FunctionDef
    scope: Scope
    defaults: Mapping[str, Any] = field(default_factory=dict)
    #: Defined in library source rather than in the user's script.
    foreign: bool = False
    #: What a decorator attached.
    attached: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, slots=True)
class ProbeFunction:
    """A function of the script that describes a probe."""

    target: str
    function: UserFunction


def element(node: ast.AST, position: int) -> ast.AST:
    """The node of one element of a list or tuple written in place; `node` itself when it is not one."""
    inner = node.value if isinstance(node, ast.keyword) else node
    if isinstance(inner, (ast.List, ast.Tuple)) and position < len(inner.elts):
        return inner.elts[position]
    return node


BOOLEAN = ColumnType(DataType.BOOLEAN)
INT64 = ColumnType(DataType.INT64)
FLOAT64 = ColumnType(DataType.FLOAT64)
STRING = ColumnType(DataType.STRING)
TIME64NS = ColumnType(DataType.TIME64NS)
UPID = ColumnType(DataType.UINT128, SemanticType.ST_UPID)


def literal(value: LiteralValue, type_: ColumnType | None = None) -> Scalar:
    """A constant; its type is that of the Python value unless given."""
    if type_ is None:
        if isinstance(value, bool):
            type_ = BOOLEAN
        elif isinstance(value, int):
            type_ = INT64
        elif isinstance(value, float):
            type_ = FLOAT64
        else:
            type_ = STRING
    return Scalar(Literal(value, type_), nodes=1 + _weight(value) if isinstance(value, str) else 1)


def _weight(text: str) -> int:
    """Nodes that a long text counts for."""
    return 0 if len(text) <= _SHORT else len(json.dumps(text, ensure_ascii=False)) // _SHORT


def describe(value: object) -> str:
    """What kind of thing `value` is, for messages."""
    if isinstance(value, Scalar):
        if isinstance(value.expression, Literal):
            return f"{value.type.data.name} literal"
        return f"{value.type.data.name} expression"
    names: list[tuple[type | tuple[type, ...], str]] = [
        (Frame, "DataFrame"),
        (Grouped, "grouped DataFrame"),
        (Context, "ctx"),
        ((FunctionValue, UserFunction, Builtin), "function"),
        ((AggregateValue, Computed), "aggregate"),
        (TypeValue, "type"),
        (Module, "module"),
        (Probed, "probed value"),
        (ProbeFunction, "probe function"),
        (list, "list"),
        (tuple, "tuple"),
        (dict, "dict"),
        (type(None), "None"),
    ]
    for kind, name in names:
        if isinstance(value, kind):
            return name
    return type(value).__name__.lower()


def article(value: object) -> str:
    """`describe(value)` with its article."""
    name = describe(value)
    if name == "None":
        return name
    return f"an {name}" if name[0] in "AEIOaeio" else f"a {name}"
