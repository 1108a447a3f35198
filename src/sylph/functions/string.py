"""Strings. They count in bytes: `length`, `find` and `substring` speak of UTF-8 bytes, not of characters."""

from __future__ import annotations

from sylph.functions.declare import Example, Scalar
from sylph.functions.signature import sql

_UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LOWER = _UPPER.lower()
#: Hex digits of the bytes that a slice takes, then without the parts of characters that it cut at either end.
_SLICE = "hex(encode({0})[least({1}, 2147483647) + 1 : least({1}, 2147483647) + least({2}, 2147483647)])"
_WHOLE = (
    f"regexp_replace(regexp_replace({_SLICE}, '^(?:[89AB].)+', ''),"
    " '(?:[CD].|E.(?:[89AB].)?|F.(?:[89AB].){{0,2}})$', '')"
)

#: The bytes of a vertical tab and a form feed are written in hex: DuckDB does not know their escapes.
_TRIM = "trim({0}, E' \\t\\n\\r\\x0b\\x0c')"


def _ascii_case(function: str, source: str, target: str) -> str:
    """Case of ASCII letters only; DuckDB's own function also changes the letters of other scripts."""
    letters = f"translate({{0}}, '{source}', '{target}')"
    return f"CASE WHEN strlen({{0}}) = length({{0}}) THEN {function}({{0}}) ELSE {letters} END"


FUNCTIONS = (
    Scalar(
        "contains",
        "Whether the second string occurs in the first.",
        sql("(S,S)->B", "contains({0}, {1})"),
        examples=(Example("px.contains('/api/v1', 'api')", True), Example("px.contains('', 'x')", False)),
        parameters=("text", "part"),
    ),
    Scalar(
        "length",
        "Bytes in the string.",
        sql("(S)->I", "strlen({0})"),
        examples=(Example("px.length('abc')", 3), Example("px.length('é')", 2)),
    ),
    Scalar(
        "find",
        "Byte position of the first occurrence of the second string in the first, -1 when there is none.",
        sql(
            "(S,S)->I",
            "CASE WHEN {1} = '' THEN 0 WHEN strlen({0}) = length({0}) THEN strpos({0}, {1}) - 1"
            " WHEN contains({0}, {1}) THEN strlen(split_part({0}, {1}, 1)) ELSE -1 END",
        ),
        examples=(
            Example("px.find('abc', 'c')", 2),
            Example("px.find('éc', 'c')", 2),
            Example("px.find('abc', 'x')", -1),
        ),
        parameters=("text", "part"),
    ),
    Scalar(
        "substring",
        "So many bytes of the string from a byte position. Empty when the position lies outside the string or the"
        " length is negative. Text stays valid: a character that the cut would split is left out.",
        sql(
            "(S,I,I)->S",
            "CASE WHEN {1} < 0 OR {2} < 0 OR {1} >= strlen({0}) THEN ''"
            " WHEN strlen({0}) = length({0}) THEN substring({0}, least({1}, 2147483647) + 1, least({2}, 2147483647))"
            f" ELSE decode(unhex({_WHOLE})) END",
        ),
        examples=(
            Example("px.substring('abcdef', 1, 3)", "bcd"),
            Example("px.substring('abc', 5, 1)", ""),
            Example("px.substring('aé', 0, 2)", "a"),
        ),
        parameters=("text", "position", "length"),
    ),
    Scalar(
        "tolower",
        "ASCII letters in lower case.",
        sql("(S)->S", _ascii_case("lower", _UPPER, _LOWER)),
        examples=(Example("px.tolower('GET É')", "get É"),),
    ),
    Scalar(
        "toupper",
        "ASCII letters in upper case.",
        sql("(S)->S", _ascii_case("upper", _LOWER, _UPPER)),
        examples=(Example("px.toupper('get é')", "GET é"),),
    ),
    Scalar(
        "trim",
        "The string without ASCII white space at its ends.",
        # Most text has none, as its first and last character tell; DuckDB's trim of a set of characters is slow.
        sql("(S)->S", _TRIM, fast=f"CASE WHEN {{0}}[1] > ' ' AND {{0}}[-1] > ' ' THEN {{0}} ELSE {_TRIM} END"),
        examples=(Example("px.trim('  a b ')", "a b"), Example("px.trim('very')", "very")),
    ),
    Scalar(
        "strip_prefix",
        "The second string without the first, where it begins with it.",
        sql("(S,S)->S", "CASE WHEN starts_with({1}, {0}) THEN substring({1}, length({0}) + 1) ELSE {1} END"),
        examples=(Example("px.strip_prefix('/api', '/api/v1')", "/v1"), Example("px.strip_prefix('x', 'abc')", "abc")),
        parameters=("prefix", "text"),
    ),
    Scalar(
        "atoi",
        "The integer that the string spells in decimal, the second argument when it spells none that fits.",
        sql("(S,I)->I", r"coalesce(TRY_CAST(regexp_extract({0}, '^\s*([+-]?[0-9]+)\s*$', 1) AS BIGINT), {1})"),
        examples=(Example("px.atoi('12', 0)", 12), Example("px.atoi('1.5', -1)", -1)),
        parameters=("text", "default"),
    ),
    Scalar(
        "itoa",
        "The integer in decimal.",
        sql("(I)->S", "CAST({0} AS VARCHAR)"),
        examples=(Example("px.itoa(-7)", "-7"),),
    ),
)
