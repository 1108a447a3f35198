"""Mathematics: logarithms, powers, rounding, bins; and times as integers."""

from __future__ import annotations

from dataclasses import replace

from sylph.functions.declare import Example, Scalar
from sylph.functions.semantics import MEASURES, keeps
from sylph.functions.signature import sql, wrap_int64

_SMALLEST = "(-9223372036854775807 - 1)"


def _to_int(value: str) -> str:
    """A float as an int64. What no int64 can hold (nan, inf, 1e30) is the smallest one, as the hardware gives."""
    return f"coalesce(TRY_CAST({value} AS BIGINT), {_SMALLEST})"


def _divisor(argument: str) -> str:
    """Bins of size 0 and -1 hold one integer each; DuckDB would raise on the first and may on the second."""
    return f"CASE WHEN {argument} IN (0, -1) THEN 1 ELSE {argument} END"


FUNCTIONS = (
    Scalar(
        "log",
        "Logarithm of the second argument to the base of the first.",
        sql("(F,F)->F (F,I)->F (I,F)->F (I,I)->F", "ln(CAST({1} AS DOUBLE)) / ln(CAST({0} AS DOUBLE))"),
        examples=(Example("px.log(2, 8)", 3.0),),
        parameters=("base", "value"),
    ),
    Scalar(
        "ln",
        "Natural logarithm; -inf for 0 and nan for negative numbers.",
        sql("(F)->F (I)->F", "ln(CAST({0} AS DOUBLE))"),
        examples=(Example("px.ln(1)", 0.0),),
    ),
    Scalar(
        "log2",
        "Logarithm to base 2.",
        sql("(F)->F (I)->F", "log2(CAST({0} AS DOUBLE))"),
        examples=(Example("px.log2(8)", 3.0),),
    ),
    Scalar(
        "log10",
        "Logarithm to base 10.",
        sql("(F)->F (I)->F", "log10(CAST({0} AS DOUBLE))"),
        examples=(Example("px.log10(1000)", 3.0),),
    ),
    Scalar(
        "pow",
        "The first argument to the power of the second, as a float.",
        sql("(F,F)->F (F,I)->F (I,F)->F (I,I)->F", "pow(CAST({0} AS DOUBLE), CAST({1} AS DOUBLE))"),
        examples=(Example("px.pow(2, 10)", 1024.0),),
        parameters=("base", "exponent"),
    ),
    Scalar(
        "exp",
        "Euler's number to the power of the argument.",
        sql("(F)->F (I)->F", "exp(CAST({0} AS DOUBLE))"),
        examples=(Example("px.exp(0)", 1.0),),
    ),
    Scalar(
        "abs",
        "Absolute value. The smallest integer has none and stays as it is.",
        sql("(F)->F", "abs({0})")
        + sql(
            "(I)->I",
            wrap_int64("abs(CAST({0} AS HUGEINT))"),
            fast=f"CASE WHEN {{0}} > {_SMALLEST} THEN abs({{0}}) ELSE {{0}} END",
        ),
        keeps(MEASURES),
        examples=(Example("px.abs(-1)", 1), Example("px.abs(-1.5)", 1.5)),
    ),
    Scalar(
        "sqrt",
        "Square root; nan for negative numbers.",
        sql("(F)->F (I)->F", "sqrt(CAST({0} AS DOUBLE))"),
        examples=(Example("px.sqrt(9)", 3.0),),
    ),
    Scalar(
        "ceil",
        "The next integer above. What no INT64 can hold gives the smallest INT64.",
        sql("(F)->I", _to_int("ceil({0})")),
        examples=(Example("px.ceil(1.2)", 2), Example("px.ceil(-1.2)", -1)),
    ),
    Scalar(
        "floor",
        "The next integer below. What no INT64 can hold gives the smallest INT64.",
        sql("(F)->I", _to_int("floor({0})")),
        examples=(Example("px.floor(1.8)", 1), Example("px.floor(-1.2)", -2)),
    ),
    Scalar(
        "bin",
        "The value brought towards zero to a multiple of the size: value - value % size. A size of 0 changes nothing.",
        tuple(
            # The remainder alone is quicker than dividing and multiplying.
            replace(overload, fast=f"{{0}} - {{0}} % ({_divisor('{1}')})")
            for overload in sql(
                "(I,I)->I (T,T)->T (I,T)->I (T,I)->T", f"({{0}} // ({_divisor('{1}')})) * ({_divisor('{1}')})"
            )
        )
        + sql("(F,I)->I", f"({_to_int('trunc({0})')} // ({_divisor('{1}')})) * ({_divisor('{1}')})"),
        examples=(Example("px.bin(17, 5)", 15), Example("px.bin(17.9, 5)", 15), Example("px.bin(-7, 5)", -5)),
        parameters=("value", "size"),
    ),
    Scalar(
        "round",
        "The number as text with so many decimals (0 to 100; a negative count means 6, as in printf).",
        sql("(F,I)->S", "format('{{:.{{}}f}}', {0}, CASE WHEN {1} < 0 THEN 6 ELSE least({1}, 100) END)"),
        examples=(Example("px.round(3.14159, 2)", "3.14"), Example("px.round(2.0, 0)", "2")),
        parameters=("value", "decimals"),
    ),
    Scalar(
        "time_to_int64",
        "A time as nanoseconds since the epoch.",
        sql("(T)->I", "{0}"),
        examples=(Example("px.time_to_int64(px.int64_to_time(5))", 5),),
    ),
    Scalar(
        "int64_to_time",
        "Nanoseconds since the epoch as a time.",
        sql("(I)->T", "{0}"),
        examples=(Example("px.int64_to_time(1500)", 1500),),
    ),
)
