"""Aggregates in one step and in parts over random shards give the same."""

import json
import math
from bisect import bisect_left, bisect_right
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sylph.functions.declare import AggregateOverload
from sylph.functions.registry import AGGREGATES
from sylph.tables.types import DUCKDB_TYPES, DataType
from tests.functions.test_scalars import column

QUANTILES = (0.01, 0.10, 0.25, 0.50, 0.75, 0.90, 0.99)
KEYS = ("p01", "p10", "p25", "p50", "p75", "p90", "p99")
VALUES = {
    DataType.BOOLEAN: st.booleans(),
    DataType.INT64: st.integers(-(1 << 63), (1 << 63) - 1) | st.integers(-5, 5),
    DataType.TIME64NS: st.integers(-(1 << 63), (1 << 63) - 1),
    DataType.FLOAT64: st.floats() | st.integers(-3, 3).map(float),
    DataType.STRING: st.text(st.characters(codec="utf-8"), max_size=5),
    DataType.UINT128: st.binary(min_size=16, max_size=16),
}
SHARDED = [
    pytest.param(name, overload, id=f"{name}-{overload.args[0].name}")
    for name, function in AGGREGATES.items()
    for overload in function.overloads
    if len(overload.args) == 1 and name[0] != "_" and not function.beyond
]
QUICK = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def arguments(overload: AggregateOverload, rows: list) -> pa.Table:
    """Columns a, b ... of an overload's arguments; rows are tuples when there are several."""
    several = len(overload.args) > 1
    columns = [column([row[i] for row in rows] if several else rows, data) for i, data in enumerate(overload.args)]
    return pa.table(columns, list("abc"[: len(columns)]))


def direct(duck, overload: AggregateOverload, rows: list, where: str = "true") -> Any:
    duck.register("input", arguments(overload, rows))
    query = f"SELECT v, typeof(v) FROM (SELECT {overload.sql.format(*'abc')} AS v FROM input WHERE {where})"
    [(value, kind)] = duck.execute(query).fetchall()
    assert kind == DUCKDB_TYPES[overload.result]
    return value


def in_parts(duck, overload: AggregateOverload, shards: list[list]) -> Any:
    states = []
    for shard in shards:
        partial = ", ".join(f"{template.format(*'abc')} AS s{i}" for i, template in enumerate(overload.partial))
        with duck.cursor() as cursor:
            cursor.register("shard", arguments(overload, shard))
            states.append(cursor.sql(f"SELECT {partial} FROM shard").to_arrow_table())
    duck.register("states", pa.concat_tables(states))
    merged = [f"({template.format(f's{i}')})" for i, template in enumerate(overload.merge)]
    query = f"SELECT v, typeof(v) FROM (SELECT {overload.final.format(*merged)} AS v FROM states)"
    [(value, kind)] = duck.execute(query).fetchall()
    assert kind == DUCKDB_TYPES[overload.result]
    return value


def same(one: Any, other: Any) -> bool:
    if isinstance(one, float):
        return (
            (math.isnan(one) and math.isnan(other))
            or one == other
            or math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
        )
    return bool(one == other)


@QUICK
@given(data=st.data())
@pytest.mark.parametrize(("name", "overload"), SHARDED)
def test_parts_give_what_one_step_gives(duck, name, overload, data):
    values = VALUES[overload.args[0]]
    # Sums of floats that do not depend on the order.
    if name in ("sum", "mean") and overload.args[0] is DataType.FLOAT64:
        values = st.integers(-1000, 1000).map(lambda n: n / 8)
    elif name == "mean" and overload.args[0] is DataType.INT64:
        values = st.integers(-(1 << 46), 1 << 46)
    shards = data.draw(st.lists(st.lists(values, max_size=12), min_size=1, max_size=5))
    rows = [row for shard in shards for row in shard]
    whole, parts = direct(duck, overload, rows), in_parts(duck, overload, shards)
    if name == "quantiles":
        check_quantiles(rows, whole)
        check_quantiles(rows, parts)
    elif name in ("any", "sample"):
        zero = {DataType.STRING: "", DataType.BOOLEAN: False}.get(overload.args[0], 0)
        texts = {str(row if not isinstance(row, bytes) else row.hex()) for row in rows}
        for value in (whole, parts):
            text = str(value).replace("-", "") if overload.args[0] is DataType.UINT128 else str(value)
            assert text in texts if rows else text in (str(zero), "0.0", "0" * 32)
    else:
        assert same(whole, parts)


def check_quantiles(rows: list, text: str, tolerance: float = 0.02) -> None:
    values = json.loads(text)
    assert tuple(values) == KEYS
    assert all(isinstance(value, float) for value in values.values())
    finite = sorted(float(row) for row in rows if math.isfinite(row))
    if not finite:
        assert set(values.values()) == {0.0}
        return
    for point, key in zip(QUANTILES, KEYS, strict=True):
        value = values[key]
        slack = abs(value) * 1e-9
        low = bisect_left(finite, value - slack) / len(finite)
        high = bisect_right(finite, value + slack) / len(finite)
        step = 1.0 / len(finite)
        assert low - tolerance - step <= point <= high + tolerance + step, (key, value)


@pytest.mark.parametrize("shards", [1, 7, 40])
@pytest.mark.parametrize("shape", ["uniform", "exponential", "sorted", "two values", "heavy tail"])
def test_quantiles_of_many_rows_keep_the_stated_error(duck, shape, shards):
    rows = {
        "uniform": "random() * 1e6",
        "exponential": "-ln(1 - random()) * 1e5",
        "sorted": "CAST(i AS DOUBLE)",
        "two values": "CASE WHEN i % 3 = 0 THEN 1.0 ELSE 1e9 END",
        "heavy tail": "1000.0 / (1.0 - random())",
    }[shape]
    duck.execute("SELECT setseed(0.5)").fetchall()
    drawn = [row[0] for row in duck.execute(f"SELECT CAST({rows} AS DOUBLE) FROM range(50000) t(i)").fetchall()]
    overload = AGGREGATES["quantiles"].overloads[1]
    cut = (
        [drawn[i::shards] for i in range(shards)]
        if shape != "sorted"
        else [drawn[i * 50000 // shards : (i + 1) * 50000 // shards] for i in range(shards)]
    )
    check_quantiles(drawn, direct(duck, overload, drawn))
    check_quantiles(drawn, in_parts(duck, overload, cut))


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("count", DataType.STRING, 0),
        ("sum", DataType.INT64, 0),
        ("sum", DataType.FLOAT64, 0.0),
        ("mean", DataType.INT64, math.nan),
        ("max", DataType.INT64, -(1 << 63)),
        ("min", DataType.INT64, (1 << 63) - 1),
        ("max", DataType.FLOAT64, -math.inf),
        ("min", DataType.FLOAT64, math.inf),
        ("any", DataType.STRING, ""),
    ],
)
def test_of_no_rows(duck, name, data, expected):
    [overload] = [overload for overload in AGGREGATES[name].overloads if overload.args == (data,)]
    assert same(direct(duck, overload, []), expected)
    assert same(in_parts(duck, overload, [[], []]), expected)


def test_sums_wrap_and_booleans_count(duck):
    sums = {overload.args[0]: overload for overload in AGGREGATES["sum"].overloads}
    assert direct(duck, sums[DataType.INT64], [(1 << 63) - 1, 1]) == -(1 << 63)
    assert direct(duck, sums[DataType.BOOLEAN], [True, False, True]) == 2
    means = {overload.args[0]: overload for overload in AGGREGATES["mean"].overloads}
    assert direct(duck, means[DataType.BOOLEAN], [True, False]) == 0.5


def test_nan_is_neither_least_nor_greatest(duck):
    for name, expected in (("min", 1.0), ("max", 2.0)):
        [overload] = [one for one in AGGREGATES[name].overloads if one.args == (DataType.FLOAT64,)]
        assert direct(duck, overload, [math.nan, 1.0, 2.0, math.nan]) == expected


def test_sample_is_uniform(duck):
    [overload] = AGGREGATES["sample"].overloads
    hits = {"a": 0, "b": 0, "c": 0}
    for _ in range(600):
        hits[in_parts(duck, overload, [["a", "b"], ["c"]])] += 1
    assert all(130 < count < 270 for count in hits.values()), hits
