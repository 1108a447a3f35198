"""Typed expressions of a plan. Every expression knows its data type and semantic type when it is made."""

from __future__ import annotations

from dataclasses import dataclass

from sylph.functions.declare import AggregateOverload, Overload
from sylph.tables.types import ColumnType

#: A literal's Python value. TIME64NS is int ns; UINT128 is an int.
LiteralValue = bool | int | float | str


@dataclass(frozen=True, slots=True)
class ColumnRef:
    """A column of the operator's input."""

    name: str
    type: ColumnType


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant."""

    value: LiteralValue
    type: ColumnType


@dataclass(frozen=True, slots=True)
class Call:
    """A scalar function applied to arguments; the overload is already chosen."""

    function: str
    args: tuple[Expression, ...]
    overload: Overload
    type: ColumnType


Expression = ColumnRef | Literal | Call


@dataclass(frozen=True, slots=True)
class AggregateCall:
    """An aggregate function applied to columns of the operator's input."""

    function: str
    args: tuple[ColumnRef, ...]
    overload: AggregateOverload
    type: ColumnType
    #: Values of the function's options, for which `overload` is made.
    options: tuple[LiteralValue, ...] = ()
