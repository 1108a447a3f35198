"""Every overload runs on every combination of normal, edge and hostile values: no error, no null, the declared type."""

import itertools

import pyarrow as pa
import pytest
import sqlglot

from sylph.functions.declare import Overload
from sylph.functions.registry import SCALARS
from sylph.tables.types import DUCKDB_TYPES, DataType, arrow_type
from tests.functions.support import call_sql, literal

HUGE = (1 << 63) - 1
VALUES = {
    DataType.BOOLEAN: [True, False],
    DataType.INT64: [0, 1, -1, 5, -7, 200, 1 << 31, 1 << 40, HUGE, -HUGE - 1],
    DataType.TIME64NS: [0, 1, -1, 1_700_000_000_000_000_000, HUGE, -HUGE - 1],
    DataType.FLOAT64: [0.0, -0.0, 1.5, -2.5, 1e300, -1e300, 5e-324, float("inf"), float("-inf"), float("nan"), 9.3e18],
    DataType.UINT128: [bytes(16), b"\xff" * 16, b"\x80" + bytes(15), bytes(8) + b"\xff" * 8, bytes(range(16))],
    DataType.STRING: [
        "",
        "a",
        "*",
        "a.b*c\\",
        "é",
        "日本語 text 😀",
        "\x00\x01\x7f\x80",
        "x" * 3_000,
        '{"a": 1, "b": 1.5, "": null, "*": [1, {"c": "d"}]}',
        '["ns/a", "ns/b", 3, null]',
        "[" * 3000,
        '{"a":"\\ud800"}',
        "'; DROP TABLE t; --",
        "-9223372036854775809",
        "00ff",
        "10.0.0.1",
        "::ffff:1.2.3.4",
        "http://[::1]:99999/%zz?#",
        "SELECT 'a', 1 FROM \"t\" WHERE x = $1 -- ",
        "(",
    ],
}
INITS = ["a.b", "(", "(?i)(a)|(b)", "[[:alpha:]]{1,3}", ""]
MAX_ROWS = 1500
RULES = ['{"r1": "a+", "bad": "(", "o\'}{x": ".*"}', "{}"]


def init_values(name: str, overload: Overload) -> list[tuple[str, ...]]:
    if not overload.init:
        return [()]
    return [(value,) for value in (RULES if name == "_match_regex_rule" else INITS)]


CASES = [
    pytest.param(name, overload, init, id=f"{name}-{','.join(t.name for t in overload.args)}-{index}")
    for name, function in SCALARS.items()
    for overload in function.overloads
    if overload.lookup is None and name != "nslookup"  # asks the network: see test_kernels
    for index, init in enumerate(init_values(name, overload))
]


def rows_of(args: tuple[DataType, ...]) -> list[tuple]:
    """All combinations for up to three arguments; of more, each row takes the next value of every argument."""
    values = [VALUES[data] for data in args]
    if len(args) <= 3:
        rows = list(itertools.product(*values)) or [()]
        return rows[:: len(rows) // MAX_ROWS + 1]
    longest = max(len(value) for value in values)
    return [tuple(value[(row + shift) % len(value)] for shift, value in enumerate(values)) for row in range(longest)]


def column(values: list, data: DataType) -> pa.Array:
    if data is DataType.UINT128:
        return pa.ExtensionArray.from_storage(pa.uuid(), pa.array(values, pa.binary(16)))
    return pa.array(values, arrow_type(data))


@pytest.mark.parametrize(("name", "overload", "init"), CASES)
@pytest.mark.parametrize("simple", [True, False], ids=["columns", "nested"])
def test_any_value_gives_a_value(duck, name, overload, init, simple):
    rows = rows_of(overload.args)
    columns = [column([row[i] for row in rows], data) for i, data in enumerate(overload.args)]
    table = pa.table([*columns, pa.array(range(len(rows)))], [*(f"c{i}" for i in range(len(columns))), "row"])
    if init:
        overload = overload.specialize(overload, init)
    arguments = [literal(value, DataType.STRING) for value in init]
    arguments += [f"c{i}" if simple else f"coalesce(c{i}, c{i})" for i in range(len(columns))]
    sql = call_sql(overload, arguments)
    sqlglot.parse_one(f"SELECT {sql}", dialect="duckdb")
    duck.register("hostile", table)
    result = duck.execute(
        f"SELECT count(*), count(v), any_value(typeof(v)) FROM (SELECT {sql} AS v FROM hostile ORDER BY row)"
    ).fetchall()[0]
    assert result == (len(rows), len(rows), DUCKDB_TYPES[overload.result])


@pytest.mark.parametrize(("name", "overload", "init"), CASES)
def test_literal_arguments(duck, name, overload, init):
    """Constant folding must not raise either."""
    if init:
        overload = overload.specialize(overload, init)
    for row in rows_of(overload.args)[-30:]:
        values = [
            "00000000-0000-0000-ffff-ffffffffffff" if data is DataType.UINT128 else value
            for value, data in zip(row, overload.args, strict=True)
        ]
        if any(isinstance(value, str) and "\x00" in value for value in values):
            continue  # no SQL literal can hold it
        arguments = [literal(value, data) for value, data in zip(values, overload.args, strict=True)]
        sql = call_sql(overload, [*(literal(value, DataType.STRING) for value in init), *arguments])
        assert duck.execute(f"SELECT {sql}").fetchall()[0][0] is not None
