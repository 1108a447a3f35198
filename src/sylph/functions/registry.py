"""All functions by name, and the choice of an overload by the exact types of the arguments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TypeVar

from sylph.functions import (
    aggregates,
    clustering,
    collecting,
    hexadecimal,
    json,
    math,
    metadata_pod,
    metadata_process,
    metadata_service,
    model,
    net,
    operators,
    pii,
    pprof,
    process,
    protocols,
    regex,
    sql,
    statistics,
    string,
    tables,
    uri,
)
from sylph.functions.declare import (
    Aggregate,
    AggregateOverload,
    LiteralValue,
    Overload,
    Scalar,
    TableFunction,
)
from sylph.tables.types import ColumnType, DataType

Declared = TypeVar("Declared", Scalar, Aggregate, TableFunction)


class FunctionError(ValueError):
    """A call that no declared function answers. `hint` says what to do about it, where that is known."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def _by_name(*families: Iterable[Declared]) -> Mapping[str, Declared]:
    functions: dict[str, Declared] = {}
    for family in families:
        for function in family:
            if function.name in functions:
                raise ValueError(f"function {function.name!r} is declared twice")
            functions[function.name] = function
    return MappingProxyType(functions)


#: Scalar functions by name.
SCALARS: Mapping[str, Scalar] = _by_name(
    operators.FUNCTIONS,
    math.FUNCTIONS,
    string.FUNCTIONS,
    hexadecimal.FUNCTIONS,
    json.FUNCTIONS,
    regex.FUNCTIONS,
    sql.FUNCTIONS,
    uri.FUNCTIONS,
    pii.FUNCTIONS,
    clustering.FUNCTIONS,
    model.FUNCTIONS,
    metadata_process.FUNCTIONS,
    process.FUNCTIONS,
    metadata_pod.FUNCTIONS,
    metadata_service.FUNCTIONS,
    net.FUNCTIONS,
    protocols.FUNCTIONS,
)

#: Aggregate functions by name.
AGGREGATES: Mapping[str, Aggregate] = _by_name(
    aggregates.FUNCTIONS,
    statistics.FUNCTIONS,
    collecting.FUNCTIONS,
    clustering.AGGREGATES,
    model.AGGREGATES,
    pprof.AGGREGATES,
)

#: Table functions by name.
TABLE_FUNCTIONS: Mapping[str, TableFunction] = _by_name(tables.FUNCTIONS)


def nearest(name: str, names: Iterable[str]) -> str:
    """The name that `name` was most likely meant to be, or ""."""
    from difflib import get_close_matches

    folded = {candidate.lower(): candidate for candidate in names}
    matches = get_close_matches(name.lower(), folded, 1, 0.7)
    return folded[matches[0]] if matches else ""


def signature(args: tuple[DataType, ...], init: tuple[DataType, ...] = ()) -> str:
    """Types of a call as messages show them: `[STRING, INT64]`."""
    return f"[{', '.join(data.name for data in init + args)}]"


def _unknown(kind: str, name: str, names: Iterable[str]) -> FunctionError:
    similar = nearest(name, names)
    return FunctionError(f"there is no {kind} function '{name}'", f"did you mean '{similar}'?" if similar else "")


#: How a value of one type is made one of another.
_CONVERSIONS: Mapping[tuple[DataType, DataType], str] = {
    (DataType.INT64, DataType.FLOAT64): "x * 1.0",
    (DataType.INT64, DataType.STRING): "px.itoa(x)",
    (DataType.INT64, DataType.TIME64NS): "px.int64_to_time(x)",
    (DataType.INT64, DataType.BOOLEAN): "x != 0",
    (DataType.FLOAT64, DataType.INT64): "px.floor(x)",
    (DataType.FLOAT64, DataType.STRING): "px.round(x, 2)",
    (DataType.STRING, DataType.INT64): "px.atoi(x, 0)",
    (DataType.STRING, DataType.BOOLEAN): "x != ''",
    (DataType.STRING, DataType.UINT128): "px.uint128('...')",
    (DataType.TIME64NS, DataType.INT64): "px.time_to_int64(x)",
    (DataType.BOOLEAN, DataType.INT64): "px.select(x, 1, 0)",
    (DataType.UINT128, DataType.STRING): "px.upid_to_string(x)",
}
_PLACES = ("first", "second", "third", "fourth")
#: More overloads than these are not listed when it is known what to do.
_FEW = 4


def _no_overload(
    kind: str, name: str, given: tuple[DataType, ...], existing: list[tuple[DataType, ...]]
) -> FunctionError:
    types = " or ".join(signature(one) for one in existing)
    counts = sorted({len(one) for one in existing})
    if len(given) not in counts:
        plural = "argument" if counts == [1] else "arguments"
        hint = f"'{name}' takes {' or '.join(map(str, counts))} {plural}, not {len(given)}: {types}"
    elif name == "invert" and given == (DataType.BOOLEAN,):
        hint = "'not' reverses a condition"
    else:
        hint = f"'{name}' takes {types}"
        if ways := _ways(given, existing):
            advice = f"there are no implicit casts: make {', or '.join(ways)}"
            hint = f"{advice}; {hint}" if len(existing) <= _FEW else advice
        elif any(_would_take(one, given) for one in existing):
            hint += "; there are no implicit casts: multiply an INT64 by 1.0 to make it a FLOAT64"
    return FunctionError(f"could not find {kind} '{name}' with arguments {signature(given)}", hint)


def _ways(given: tuple[DataType, ...], existing: list[tuple[DataType, ...]]) -> list[str]:
    """What makes one of the arguments such that an overload takes them all."""
    ways = []
    for place, (label, data) in enumerate(zip(_PLACES, given, strict=False)):
        for (source, target), way in _CONVERSIONS.items():
            if source is data and (*given[:place], target, *given[place + 1 :]) in existing:
                article = "an" if target is DataType.INT64 else "a"
                ways.append(f"the {label if len(given) > 1 else 'argument'} {article} {target.name} with {way}")
                break
    return ways


def _would_take(types: tuple[DataType, ...], given: tuple[DataType, ...]) -> bool:
    """Whether an overload of these types would take what is given if it were floats where it is integers."""
    return len(types) == len(given) and all(
        one is other or (one is DataType.FLOAT64 and other is DataType.INT64)
        for one, other in zip(types, given, strict=True)
    )


def _accepts(overload: Overload, given: tuple[DataType, ...]) -> bool:
    return overload.init + overload.args == given


def resolve_scalar(
    name: str, arguments: tuple[ColumnType, ...], literals: tuple[LiteralValue | None, ...] = ()
) -> tuple[Overload, ColumnType]:
    """Overload and result type of a call; `arguments` are all of them, init arguments first.

    `literals` holds the value of each leading argument that is a literal (None: it is not one). Raises FunctionError
    for an unknown function, for types that no overload takes, and for an init argument that is no literal or no good.
    """
    function = SCALARS.get(name)
    if function is None:
        raise _unknown("scalar", name, SCALARS)
    given = tuple(argument.data for argument in arguments)
    for overload in function.overloads:
        if _accepts(overload, given):
            break
    else:
        raise _no_overload("scalar function", name, given, [one.init + one.args for one in function.overloads])
    init = len(overload.init)
    if init:
        values = literals[:init]
        if len(values) < init or any(value is None for value in values):
            raise FunctionError(
                f"the first {'argument' if init == 1 else f'{init} arguments'} of '{name}' must be a literal",
                "write the value itself, not a column",
            )
        if overload.specialize is not None:
            try:
                overload = overload.specialize(overload, tuple(value for value in values if value is not None))
            except ValueError as error:
                raise FunctionError(str(error)) from None
    semantic = function.semantic(tuple(argument.semantic for argument in arguments[init:]))
    return overload, ColumnType(overload.result, semantic)


def resolve_aggregate(
    name: str, arguments: tuple[ColumnType, ...], options: tuple[LiteralValue, ...] = ()
) -> tuple[AggregateOverload, ColumnType]:
    """Overload and result type of an aggregate over columns of these types; options left out have their defaults.

    Raises FunctionError.
    """
    function = AGGREGATES.get(name)
    if function is None:
        raise _unknown("aggregate", name, AGGREGATES)
    given = tuple(argument.data for argument in arguments)
    for overload in function.overloads:
        if overload.args == given:
            break
    else:
        raise _no_overload("aggregate function", name, given, [one.args for one in function.overloads])
    values = _options(function, options)
    if function.specialize is not None:
        try:
            overload = function.specialize(overload, values)
        except ValueError as error:
            raise FunctionError(str(error)) from None
    semantic = function.semantic(tuple(argument.semantic for argument in arguments))
    return overload, ColumnType(overload.result, semantic)


_PYTHON = {DataType.BOOLEAN: bool, DataType.INT64: int, DataType.FLOAT64: float, DataType.STRING: str}


def _options(function: Aggregate, given: tuple[LiteralValue, ...]) -> tuple[LiteralValue, ...]:
    """A value for each option. Raises FunctionError."""
    name = function.name
    if len(given) > len(function.options):
        raise FunctionError(f"'{name}' takes {len(function.options)} options, not {len(given)}")
    values = []
    for position, option in enumerate(function.options):
        value = given[position] if position < len(given) else option.default
        if value is None:
            raise FunctionError(f"'{name}' needs {option.name}", f"write px.{name}({option.name}=...)")
        if type(value) is not _PYTHON[option.data]:
            kind = "a list of numbers" if option.numbers else option.data.name
            raise FunctionError(f"'{option.name}' of '{name}' must be {kind}")
        values.append(value)
    return tuple(values)
