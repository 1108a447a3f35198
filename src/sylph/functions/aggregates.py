"""Aggregates: one value for a group of rows, computable in parts.

Of no rows at all, `count` and `sum` are 0, `mean` is nan, `min` and `max` are the greatest and the smallest value of
their type (inf and -inf for floats), `any` and `sample` are the zero value, quantiles are all 0.0.
nan is no number to be least or greatest: `min`, `max` and `quantiles` pass over it.
"""

from __future__ import annotations

from sylph.functions import digest
from sylph.functions.declare import Aggregate, AggregateOverload, Example
from sylph.functions.semantics import MEASURES, RATES, keeps, keeps_any, quantiles_of
from sylph.functions.signature import LETTERS, aggregate, wrap_int64
from sylph.tables.types import DUCKDB_TYPES
from sylph.tables.types import SemanticType as St

_LARGEST = "9223372036854775807"
_SMALLEST = "(-9223372036854775807 - 1)"
_INF = "'inf'::DOUBLE"
_NAN = "'nan'::DOUBLE"


def _quantiles(signature: str) -> tuple[AggregateOverload, ...]:
    return aggregate(
        signature, digest.quantiles(digest.WHOLE), (digest.TO_SEND,), (digest.MERGED,), digest.quantiles("{0}")
    )


#: Over rows and over such sums: both wrap, so that any order gives the same.
_SUM_INT = wrap_int64("coalesce(sum({0}), 0)")
#: Nothing to wrap: binding the SQL that wraps costs a small query 0.5 ms.
_SUM_BOOL = "count(*) FILTER (WHERE {0})"
_SUM_FLOAT = "coalesce(sum({0}), 0.0::DOUBLE)"
_COUNT = "count(*)"
_MERGE_COUNT = "CAST(coalesce(sum({0}), 0) AS BIGINT)"


def _mean(signature: str, value: str) -> tuple[AggregateOverload, ...]:
    total = f"coalesce(sum({value}), 0.0::DOUBLE)"
    return aggregate(
        signature,
        f"coalesce(avg({value}), {_NAN})",
        (total, _COUNT),
        (_SUM_FLOAT, _MERGE_COUNT),
        "{0} / CAST({1} AS DOUBLE)",
    )


def _extreme(signatures: str, template: str) -> tuple[AggregateOverload, ...]:
    """Least or greatest value: the same template over rows and over the parts' results."""
    return aggregate(signatures, template, (template,), (template,), "{0}")


def _any(letter: str, zero: str) -> tuple[AggregateOverload, ...]:
    # A part without rows has no value to offer: its state is null, and `any_value` passes over it.
    return aggregate(
        f"({letter})->{letter}",
        f"coalesce(any_value({{0}}), {zero}::{DUCKDB_TYPES[LETTERS[letter]]})",
        ("any_value({0})",),
        ("any_value({0})",),
        f"coalesce({{0}}, {zero}::{DUCKDB_TYPES[LETTERS[letter]]})",
    )


FUNCTIONS = (
    Aggregate(
        "quantiles",
        "JSON text with the quantiles p01, p10, p25, p50, p75, p90 and p99, always as floats. inf and nan are passed"
        " over.",
        _quantiles("(I)->S") + _quantiles("(F)->S"),
        quantiles_of,
        error="A digest: the rank of each value is within 0.02 of the one asked for, direct or merged.",
        parameters=("value",),
        examples=(
            Example("px.quantiles('n')", '{"p01":1.0,"p10":1.0,"p25":1.25,"p50":2.0,"p75":3.5,"p90":4.0,"p99":4.0}'),
        ),
    ),
    Aggregate(
        "mean",
        "Arithmetic mean as a float; of booleans, the fraction that is true; nan of no rows.",
        _mean("(F)->F", "{0}") + _mean("(I)->F", "CAST({0} AS DOUBLE)") + _mean("(B)->F", "CAST({0} AS DOUBLE)"),
        keeps(MEASURES),
        parameters=("value",),
        examples=(
            Example("px.mean('ratio')", 1.5),
            Example("px.mean('ok')", 0.6666666666666666),
        ),
    ),
    Aggregate(
        "sum",
        "Sum; of booleans, how many are true. Integers wrap at 64 bits.",
        aggregate("(F)->F", _SUM_FLOAT, (_SUM_FLOAT,), (_SUM_FLOAT,), "{0}")
        + aggregate("(I)->I", _SUM_INT, (_SUM_INT,), (_SUM_INT,), "{0}")
        + aggregate("(B)->I", _SUM_BOOL, (_SUM_BOOL,), (_MERGE_COUNT,), "{0}"),
        keeps(RATES | {St.ST_BYTES, St.ST_PERCENT}),
        parameters=("value",),
        examples=(
            Example("px.sum('n')", 7),
            Example("px.sum('ok')", 2),
        ),
    ),
    Aggregate(
        "max",
        "Greatest value; of no rows, the smallest value of the type.",
        _extreme("(F)->F", f"coalesce(max({{0}}) FILTER (WHERE NOT isnan({{0}})), -{_INF})")
        + _extreme("(I)->I (T)->T", f"coalesce(max({{0}}), {_SMALLEST})"),
        keeps(MEASURES),
        parameters=("value",),
        examples=(Example("px.max('n')", 4),),
    ),
    Aggregate(
        "min",
        "Least value; of no rows, the greatest value of the type.",
        # nan is above inf in DuckDB, so it only shows when there is nothing else.
        _extreme("(F)->F", f"least(coalesce(min({{0}}), {_INF}), {_INF})")
        + _extreme("(I)->I (T)->T", f"coalesce(min({{0}}), {_LARGEST})"),
        keeps(MEASURES),
        parameters=("value",),
        examples=(Example("px.min('ratio')", 0.5),),
    ),
    Aggregate(
        "count",
        "Number of rows.",
        aggregate("(F)->I (I)->I (T)->I (B)->I (S)->I (U)->I", _COUNT, (_COUNT,), (_MERGE_COUNT,), "{0}"),
        parameters=("value",),
        examples=(Example("px.count('n')", 3),),
    ),
    Aggregate(
        "any",
        "Any one value of the group; the zero value of no rows.",
        _any("B", "false")
        + _any("I", "0")
        + _any("F", "0")
        + _any("T", "0")
        + _any("S", "''")
        + _any("U", "'00000000-0000-0000-0000-000000000000'"),
        keeps_any,
        parameters=("value",),
        examples=(Example("px.any('two')", 2),),
    ),
    Aggregate(
        "sample",
        "One value of the group, each row equally likely; empty of no rows.",
        aggregate(
            "(S)->S",
            "coalesce(min(struct_pack(rank := random(), value := {0})).value, '')",
            ("min(struct_pack(rank := random(), value := {0}))",),
            ("min({0})",),
            "coalesce(({0}).value, '')",
        ),
        parameters=("value",),
        examples=(Example("px.sample('method')", "GET"),),
    ),
)
