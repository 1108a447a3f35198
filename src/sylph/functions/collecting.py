"""Aggregates that keep values as they are: the first, the last, a list."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from sylph.functions.declare import Aggregate, AggregateOverload, ByTime, Example, LiteralValue, Option
from sylph.functions.semantics import keeps_any
from sylph.functions.signature import LETTERS, aggregate
from sylph.tables.types import DUCKDB_TYPES, DataType

MAX_COLLECTED = 1000

_ZEROS = {
    "B": "false",
    "I": "0",
    "F": "0",
    "T": "0",
    "S": "''",
    "U": "'00000000-0000-0000-0000-000000000000'",
}
#: Of rows with equal times the lesser value comes first, so that any order of rows and nodes gives the same.
_ROW = "struct_pack(t := {{1}}, v := {value})"
#: What values are in a state: Arrow's own types, since DuckDB's for these cannot be in structs and lists there.
_PLAIN = {DataType.UINT128: "CAST({0} AS VARCHAR)", DataType.BOOLEAN: "CAST({0} AS TINYINT)"}


def _row(data: DataType) -> str:
    return _ROW.format(value=_PLAIN.get(data, "{0}"))


def _at_end(end: str) -> tuple[AggregateOverload, ...]:
    """The value of the first or last row: `end` is min or max."""
    overloads: tuple[AggregateOverload, ...] = ()
    for letter, zero in _ZEROS.items():
        kind = DUCKDB_TYPES[LETTERS[letter]]
        chosen = f"{end}({_row(LETTERS[letter])})"
        value = f"coalesce(CAST(({{state}}).v AS {kind}), {zero}::{kind})"
        overloads += aggregate(
            f"({letter},T)->{letter}",
            value.replace("{state}", chosen),
            (chosen,),
            (f"{end}({{0}})",),
            value.replace("{state}", "{0}"),
        )
    return overloads


@lru_cache(maxsize=256)
def _collect(overload: AggregateOverload, options: tuple[LiteralValue, ...]) -> AggregateOverload:
    (limit,) = options
    if not (isinstance(limit, int) and 1 <= limit <= MAX_COLLECTED):
        raise ValueError(f"collect() keeps from 1 to {MAX_COLLECTED} values, not {limit}")
    timed = len(overload.args) == 2
    element = "item.v" if timed else "item"
    data = overload.args[0]
    least = f"min({_row(data) if timed else _PLAIN.get(data, '{0}')}, {limit})"
    if data is DataType.FLOAT64:
        # JSON has no inf and no nan.
        element = f"CASE WHEN isfinite({element}) THEN {element} END"
    elif data is DataType.BOOLEAN:
        element = f"CAST({element} AS BOOLEAN)"
    text = f"coalesce(CAST(to_json(list_transform({{list}}, lambda item: {element})) AS VARCHAR), '[]')"
    return replace(
        overload,
        sql=text.replace("{list}", least),
        partial=(least,),
        merge=(f"list_sort(flatten(list({{0}})))[:{limit}]",),
        final=text.replace("{list}", "{0}"),
    )


def _lists() -> tuple[AggregateOverload, ...]:
    signatures = " ".join(f"({letter})->S ({letter},T)->S" for letter in _ZEROS)
    return tuple(_collect(one, (100,)) for one in aggregate(signatures, "", (), (), ""))


FUNCTIONS = (
    Aggregate(
        "first",
        "The value of the row with the least `time_`, which the DataFrame must have; the zero value of no rows. Of"
        " several such rows, the least value.",
        _at_end("min"),
        keeps_any,
        parameters=("value",),
        by_time=ByTime.ALWAYS,
        beyond=True,
        examples=(Example("px.first('path')", "/users/1"),),
    ),
    Aggregate(
        "last",
        "The value of the row with the greatest `time_`, which the DataFrame must have; the zero value of no rows. Of"
        " several such rows, the greatest value.",
        _at_end("max"),
        keeps_any,
        parameters=("value",),
        by_time=ByTime.ALWAYS,
        beyond=True,
        examples=(Example("px.last('n')", 4),),
    ),
    Aggregate(
        "collect",
        "The first values in the order of `time_` as a JSON array, at most `limit` (100, up to 1000); without `time_`,"
        " the least values in ascending order. inf and nan become null, UINT128 text.",
        _lists(),
        parameters=("value",),
        options=(Option("limit", DataType.INT64, 100),),
        specialize=_collect,
        by_time=ByTime.IF_THERE,
        beyond=True,
        examples=(
            Example("px.collect('n')", "[1,2,4]"),
            Example("px.collect('path', limit=2)", '["/users/1","/users/2"]'),
        ),
    ),
)
