"""JSON in strings. Text that is no JSON gives the zero value; DuckDB's TRY would cost 20 µs for each such row."""

from __future__ import annotations

from sylph.functions.declare import Example, Overload, Scalar
from sylph.functions.signature import sql
from sylph.tables.types import DataType

#: Path of the object field that {1} names; constant keys fold. The quoted form cannot name these two keys, and the
#: pointer form would also index arrays.
_FIELD = (
    "CASE WHEN {1} IN ('', '*') THEN '/' || {1}"
    " ELSE '$.\"' || replace(replace({1}, '\\', '\\\\'), '\"', '\\\"') || '\"' END"
)
_VALUE = f"CAST(json_extract(TRY_CAST({{0}} AS JSON), {_FIELD}) AS VARCHAR)"
_PAIRS = 8


def _script_reference(pairs: int) -> Overload:
    # Joined by hand: json_object takes twice the time.
    given = ",',',".join(f"to_json({{{place}}}),':',to_json({{{place + 1}}})" for place in range(2, 2 + 2 * pairs, 2))
    args = f"'{{{{',{given}{',' if given else ''}'}}}}'"
    return Overload(
        args=(DataType.STRING,) * (2 + 2 * pairs),
        result=DataType.STRING,
        sql=f"""concat('{{{{"label":',to_json({{0}}),',"script":',to_json({{1}}),',"args":',{args},'}}}}')""",
    )


FUNCTIONS = (
    Scalar(
        "pluck",
        "A field of a JSON object as text: strings without quotes, nested values as JSON. Empty when the field is"
        " missing or null, or the text is no JSON object.",
        sql("(S,S)->S", f"coalesce(json_extract_string(TRY_CAST({{0}} AS JSON), {_FIELD}), '')"),
        examples=(
            Example("""px.pluck('{"a": "x", "b": [1, 2]}', 'a')""", "x"),
            Example("""px.pluck('{"a": "x", "b": [1, 2]}', 'b')""", "[1,2]"),
            Example("px.pluck('not json', 'a')", ""),
        ),
        parameters=("json", "key"),
    ),
    Scalar(
        "pluck_int64",
        "A field of a JSON object as an integer; 0 unless the field is one.",
        sql("(S,S)->I", f"coalesce(TRY_CAST(regexp_extract({_VALUE}, '^-?[0-9]+$') AS BIGINT), 0)"),
        examples=(
            Example("""px.pluck_int64('{"a": 7}', 'a')""", 7),
            Example("""px.pluck_int64('{"a": 7.5}', 'a')""", 0),
        ),
        parameters=("json", "key"),
    ),
    Scalar(
        "pluck_float64",
        "A field of a JSON object as a float; 0.0 unless it is written with a point or an exponent.",
        sql("(S,S)->F", f"coalesce(TRY_CAST(regexp_extract({_VALUE}, '^-?[0-9]+[.eE].*$') AS DOUBLE), 0.0::DOUBLE)"),
        examples=(
            Example("""px.pluck_float64('{"p50": 3.5}', 'p50')""", 3.5),
            Example("""px.pluck_float64('{"p50": 3}', 'p50')""", 0.0),
        ),
        parameters=("json", "key"),
    ),
    Scalar(
        "pluck_array",
        "An element of a JSON array as text, by its position from 0; empty when there is none.",
        sql(
            "(S,I)->S",
            "coalesce(json_extract_string(TRY_CAST({0} AS JSON),"
            " '$[' || CASE WHEN {1} < 0 THEN 4294967295 ELSE least({1}, 4294967295) END || ']'), '')",
        ),
        examples=(
            Example("""px.pluck_array('["a", "b"]', 1)""", "b"),
            Example("""px.pluck_array('["a", "b"]', -1)""", ""),
        ),
        parameters=("json", "index"),
    ),
    Scalar(
        "split",
        "The parts of the string between delimiters, as a JSON array.",
        sql("(S,S)->S", "CAST(to_json(string_split({0}, {1})) AS VARCHAR)"),
        examples=(Example("px.split('a,b', ',')", '["a","b"]'),),
        parameters=("text", "delimiter"),
    ),
    Scalar(
        "_script_reference",
        "JSON that a UI shows as a link to another script: label, script, then up to eight names and values of"
        " arguments.",
        tuple(_script_reference(pairs) for pairs in range(_PAIRS + 1)),
        examples=(
            Example(
                "px._script_reference('pod a', 'px/pod', 'pod', 'ns/a')",
                '{"label":"pod a","script":"px/pod","args":{"pod":"ns/a"}}',
            ),
        ),
        parameters=("label", "script"),
    ),
)
