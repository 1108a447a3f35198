"""Operators of the language: arithmetic, logic, comparison, choice.

Integers wrap modulo 2^64 as C's do. DuckDB raises on overflow instead, and its `TRY` costs 20 µs for each row that
fails, so wrapping arithmetic goes through HUGEINT; the `fast` templates do so only for operands large enough.
"""

from __future__ import annotations

from sylph.functions.declare import Example, Overload, Scalar
from sylph.functions.semantics import SUMMABLE, keeps, keeps_branches, ratio
from sylph.functions.signature import sql, wrap_int64

EPSILON = "2.220446049250313e-16"
#: Overloads of equality: the mixed ones compare after conversion, like C.
_EQUAL_EXACT = "(I,I)->B (S,S)->B (B,B)->B (T,T)->B (U,U)->B"
_EQUAL_BOOLEAN = "(B,I)->B (I,B)->B"
_EQUAL_MIXED = "(I,F)->B (F,I)->B"


def _wrapping(signatures: str, operator: str, limit: int) -> tuple[Overload, ...]:
    """Integer `operator`; operands within [-limit, limit) cannot overflow and take the short way."""
    wrapped = wrap_int64(f"CAST({{0}} AS HUGEINT) {operator} {{1}}")
    fits = f"{{0}} BETWEEN {-limit} AND {limit - 1} AND {{1}} BETWEEN {-limit} AND {limit - 1}"
    return sql(signatures, wrapped, fast=f"CASE WHEN {fits} THEN {{0}} {operator} {{1}} ELSE {wrapped} END")


_FLOATS = "(F,F)->F (F,I)->F (I,F)->F"


def _float(operator: str) -> tuple[Overload, ...]:
    return sql(_FLOATS, f"CAST({{0}} AS DOUBLE) {operator} CAST({{1}} AS DOUBLE)")


def _comparison(operator: str, nan_side: int) -> tuple[Overload, ...]:
    """DuckDB sorts nan above everything; in PxL, as in C, a comparison with nan is false."""
    return sql("(I,I)->B (T,T)->B (S,S)->B", f"{{0}} {operator} {{1}}") + sql(
        "(F,F)->B", f"({{0}} {operator} {{1}} AND NOT isnan({{{nan_side}}}))"
    )


FUNCTIONS = (
    Scalar(
        "select",
        "The second argument where the first is true, otherwise the third.",
        sql("(B,B,B)->B (B,I,I)->I (B,F,F)->F (B,T,T)->T (B,S,S)->S", "CASE WHEN {0} THEN {1} ELSE {2} END"),
        keeps_branches,
        examples=(Example("px.select(True, 'yes', 'no')", "yes"), Example("px.select(False, 1, 2)", 2)),
        parameters=("condition", "then", "otherwise"),
    ),
    Scalar(
        "add",
        "Sum of two numbers or times, or two strings joined. Integers wrap at 64 bits.",
        _wrapping("(I,I)->I (T,I)->T (I,T)->T", "+", 1 << 62) + _float("+") + sql("(S,S)->S", "{0} || {1}"),
        keeps(SUMMABLE),
        examples=(
            Example("px.add(1, 2)", 3),
            Example("px.add('a', 'b')", "ab"),
            Example("px.add(9223372036854775807, 1)", -(1 << 63)),
        ),
    ),
    Scalar(
        "subtract",
        "Difference of two numbers; of two times, the nanoseconds between them. Integers wrap at 64 bits.",
        _wrapping("(I,I)->I (T,I)->T (T,T)->I (I,T)->I", "-", 1 << 62) + _float("-"),
        keeps(SUMMABLE),
        examples=(Example("px.subtract(5, 7)", -2), Example("px.subtract(1.5, 1)", 0.5)),
    ),
    Scalar(
        "divide",
        "True division: always a FLOAT64. Division by zero gives inf, -inf or nan.",
        sql("(I,I)->F (F,I)->F (I,F)->F (F,F)->F", "CAST({0} AS DOUBLE) / CAST({1} AS DOUBLE)"),
        ratio,
        examples=(Example("px.divide(7, 2)", 3.5), Example("px.divide(1, 0)", float("inf"))),
    ),
    Scalar(
        "multiply",
        "Product of two numbers. Integers wrap at 64 bits.",
        _wrapping("(I,I)->I", "*", 1 << 31) + _float("*"),
        examples=(Example("px.multiply(6, 7)", 42), Example("px.multiply(2, 0.5)", 1.0)),
    ),
    Scalar(
        "modulo",
        "Remainder of a division that truncates, so that it has the sign of the dividend; 0 when the divisor is 0.",
        sql("(T,I)->I (T,T)->I (I,T)->I (I,I)->I", "CASE WHEN {1} IN (0, -1) THEN 0 ELSE {0} % {1} END"),
        examples=(
            Example("px.modulo(7, 3)", 1),
            Example("px.modulo(-7, 3)", -1),
            Example("px.modulo(7, 0)", 0),
        ),
    ),
    Scalar(
        "logicalOr",
        "True when either argument is; a non-zero integer is true.",
        sql("(I,I)->B", "({0} <> 0 OR {1} <> 0)") + sql("(B,B)->B", "({0} OR {1})"),
        examples=(Example("px.logicalOr(True, False)", True), Example("px.logicalOr(0, 0)", False)),
    ),
    Scalar(
        "logicalAnd",
        "True when both arguments are; a non-zero integer is true.",
        sql("(I,I)->B", "({0} <> 0 AND {1} <> 0)") + sql("(B,B)->B", "({0} AND {1})"),
        examples=(Example("px.logicalAnd(True, False)", False), Example("px.logicalAnd(2, -1)", True)),
    ),
    Scalar(
        "logicalNot",
        "True when the argument is false or 0.",
        sql("(I)->B", "({0} = 0)") + sql("(B)->B", "(NOT {0})"),
        examples=(Example("px.logicalNot(True)", False), Example("px.logicalNot(0)", True)),
    ),
    Scalar(
        "negate",
        "The number with its sign changed.",
        sql(
            "(I)->I",
            wrap_int64("-CAST({0} AS HUGEINT)"),
            fast="CASE WHEN {0} > (-9223372036854775807 - 1) THEN -{0} ELSE {0} END",
        )
        + sql("(F)->F", "-{0}"),
        examples=(Example("px.negate(3)", -3),),
    ),
    Scalar(
        "invert",
        "Every bit of the integer flipped.",
        sql("(I)->I", "~{0}"),
        examples=(Example("px.invert(0)", -1),),
    ),
    Scalar(
        "equal",
        "Equality. Two floats are equal when they differ by less than the machine epsilon (2.2e-16).",
        sql(_EQUAL_EXACT, "({0} = {1})")
        + sql(_EQUAL_BOOLEAN, "(CAST({0} AS BIGINT) = CAST({1} AS BIGINT))")
        + sql(_EQUAL_MIXED, "(CAST({0} AS DOUBLE) = CAST({1} AS DOUBLE))")
        + sql("(F,F)->B", f"(abs({{0}} - {{1}}) < {EPSILON})"),
        examples=(Example("px.equal('a', 'a')", True), Example("px.equal(1, 1.5)", False)),
    ),
    Scalar(
        "notEqual",
        "Inequality: the opposite of `equal`.",
        sql(_EQUAL_EXACT, "({0} <> {1})")
        + sql(_EQUAL_BOOLEAN, "(CAST({0} AS BIGINT) <> CAST({1} AS BIGINT))")
        + sql(_EQUAL_MIXED, "(CAST({0} AS DOUBLE) <> CAST({1} AS DOUBLE))")
        + sql("(F,F)->B", f"(NOT abs({{0}} - {{1}}) < {EPSILON})"),
        examples=(Example("px.notEqual(1, 2)", True),),
    ),
    Scalar(
        "approxEqual",
        "Whether two floats differ by less than the machine epsilon (2.2e-16).",
        sql("(F,F)->B", f"(abs({{0}} - {{1}}) < {EPSILON})"),
        examples=(Example("px.approxEqual(0.5, 0.5)", True), Example("px.approxEqual(0.5, 0.6)", False)),
    ),
    Scalar(
        "greaterThan",
        "Whether the first argument is greater. Strings compare by their bytes; nothing compares with nan.",
        _comparison(">", 0),
        examples=(Example("px.greaterThan(2, 1)", True), Example("px.greaterThan('b', 'a')", True)),
    ),
    Scalar(
        "greaterThanEqual",
        "Whether the first argument is greater than the second or the same.",
        _comparison(">=", 0),
        examples=(Example("px.greaterThanEqual(2, 2)", True),),
    ),
    Scalar(
        "lessThan",
        "Whether the first argument is less.",
        _comparison("<", 1),
        examples=(Example("px.lessThan(2.0, 1.0)", False),),
    ),
    Scalar(
        "lessThanEqual",
        "Whether the first argument is less than the second or the same.",
        _comparison("<=", 1),
        examples=(Example("px.lessThanEqual(1.0, 1.0)", True),),
    ),
)
