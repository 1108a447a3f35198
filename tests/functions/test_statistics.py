"""Aggregates that Pixie does not have: against Python's own answer, in one step and in parts."""

import itertools
import json
import math
import statistics
import uuid
from bisect import bisect_left, bisect_right

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sylph.functions.declare import AggregateOverload, LiteralValue
from sylph.functions.registry import AGGREGATES, FunctionError, resolve_aggregate
from sylph.functions.statistics import KEPT
from sylph.tables.types import ColumnType, DataType
from tests.functions.test_aggregates import VALUES, direct, in_parts, same

QUICK = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
TIME = DataType.TIME64NS
ALL = tuple(data for data in DataType if data is not DataType.DATA_TYPE_UNKNOWN)
NUMBERS = (DataType.INT64, DataType.FLOAT64)


def overload(name: str, *args: DataType, options: tuple[LiteralValue, ...] = ()) -> AggregateOverload:
    return resolve_aggregate(name, tuple(map(ColumnType, args)), options)[0]


def shards(values: st.SearchStrategy) -> st.SearchStrategy[list[list]]:
    return st.lists(st.lists(values, max_size=12), min_size=1, max_size=5)


def both(duck, chosen: AggregateOverload, drawn: list[list]) -> list:
    return [direct(duck, chosen, [row for shard in drawn for row in shard]), in_parts(duck, chosen, drawn)]


@QUICK
@given(data=st.data())
@pytest.mark.parametrize("kind", NUMBERS)
def test_percentile(duck, kind, data):
    drawn, q = data.draw(shards(VALUES[kind])), data.draw(st.sampled_from([0.0, 0.01, 0.5, 0.95, 1.0]))
    finite = sorted(float(row) for shard in drawn for row in shard if math.isfinite(row))
    for value in both(duck, overload("percentile", kind, options=(q,)), drawn):
        if not finite:
            assert value == 0.0
            continue
        slack = abs(value) * 1e-9
        low = bisect_left(finite, value - slack) / len(finite)
        high = bisect_right(finite, value + slack) / len(finite)
        step = 1 / len(finite) + 0.02
        assert low - step <= q <= high + step, (finite, value)


@QUICK
@given(data=st.data())
@pytest.mark.parametrize("kind", NUMBERS)
def test_stddev(duck, kind, data):
    values = st.integers(-1000, 1000).map(lambda n: n if kind is DataType.INT64 else n / 8)
    odd = st.sampled_from([math.inf, -math.inf, math.nan, 1e200]) if kind is DataType.FLOAT64 else st.nothing()
    drawn = data.draw(shards(values | odd))
    rows = [float(row) for shard in drawn for row in shard if abs(row) <= 1000]
    expected = statistics.stdev(rows) if len(rows) > 1 else math.nan
    for value in both(duck, overload("stddev", kind), drawn):
        assert same(value, expected)


@QUICK
@given(data=st.data())
@pytest.mark.parametrize("kind", ALL)
def test_count_distinct(duck, kind, data):
    drawn = data.draw(shards(VALUES[kind]))
    # All nan are one value, and 0.0 is -0.0.
    rows = {repr(row + 0.0) if kind is DataType.FLOAT64 else row for shard in drawn for row in shard}
    assert both(duck, overload("count_distinct", kind), drawn) == [len(rows)] * 2


@pytest.mark.parametrize("count", [KEPT - 1, 20_000, 300_000])
@pytest.mark.parametrize("kind", [DataType.INT64, DataType.STRING])
def test_many_distinct_values_are_estimated(duck, kind, count):
    rows = [number if kind is DataType.INT64 else f"/users/{number}" for number in range(count)]
    drawn = [rows[: count // 2], rows[count // 3 :], []]
    one, parts = both(duck, overload("count_distinct", kind), drawn)
    assert one == parts
    # Three standard errors.
    assert abs(one - count) <= (0 if count < KEPT else 0.048 * count)


@QUICK
@given(data=st.data())
@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("name", ["first", "last"])
def test_first_and_last(duck, name, kind, data):
    times = st.integers(0, 5) | st.sampled_from([-(1 << 63), (1 << 63) - 1])
    drawn = data.draw(shards(st.tuples(VALUES[kind], times)))
    rows = [row for shard in drawn for row in shard]
    one, parts = both(duck, overload(name, kind, TIME), drawn)
    assert same(one, parts)
    if not rows:
        assert one == {DataType.STRING: "", DataType.UINT128: uuid.UUID(int=0)}.get(kind, 0)
        return
    at = (min if name == "first" else max)(time for _, time in rows)
    candidates = [uuid.UUID(bytes=value) if kind is DataType.UINT128 else value for value, time in rows if time == at]
    assert any(same(one, value) for value in candidates)


def test_of_several_first_rows_the_least_value(duck):
    chosen = overload("first", DataType.STRING, TIME)
    assert both(duck, chosen, [[("b", 1), ("z", 0)], [("y", 0), ("a", 3)]]) == ["y", "y"]


def as_json(value, kind: DataType):
    if kind is DataType.UINT128:
        return str(uuid.UUID(bytes=value))
    return None if kind is DataType.FLOAT64 and not math.isfinite(value) else value


@QUICK
@given(data=st.data())
@pytest.mark.parametrize("kind", ALL)
def test_collect(duck, kind, data):
    drawn = data.draw(shards(VALUES[kind]))
    timed, count = [], 0
    for shard in drawn:
        timed.append([(value, count + i) for i, value in enumerate(shard)])
        count += len(shard)
    limit = data.draw(st.integers(1, 20))
    expected = [as_json(value, kind) for shard in drawn for value in shard][:limit]
    for text in both(duck, overload("collect", kind, TIME, options=(limit,)), timed[::-1]):
        assert json.loads(text) == expected
    one, parts = both(duck, overload("collect", kind, options=(limit,)), drawn)
    found = json.loads(one)
    assert json.loads(parts) == found
    assert len(found) == min(limit, count)
    if kind in (DataType.INT64, TIME, DataType.BOOLEAN):
        assert found == sorted(value for shard in drawn for value in shard)[:limit]


def buckets(bounds: list[float], rows: list[float]) -> list[dict]:
    ends = [None, *bounds, None]
    return [
        {
            "lower": low,
            "upper": high,
            "count": sum((low is None or row > low) and (high is None or row <= high) for row in rows),
        }
        for low, high in itertools.pairwise(ends)
    ]


@QUICK
@given(data=st.data())
@pytest.mark.parametrize("kind", NUMBERS)
def test_histogram(duck, kind, data):
    drawn = data.draw(shards(VALUES[kind]))
    rows = [float(row) for shard in drawn for row in shard if not math.isnan(row)]
    bounds = sorted(data.draw(st.lists(st.integers(-4, 4).map(lambda n: n / 2), min_size=1, max_size=5, unique=True)))
    for text in both(duck, overload("histogram", kind, options=(json.dumps(bounds),)), drawn):
        assert json.loads(text) == buckets(bounds, rows)
    series = [float(f"{factor}e{power}") for power in range(-6, 19) for factor in (1, 2, 5)]
    for text in both(duck, overload("histogram", kind), drawn):
        assert json.loads(text) == [bucket for bucket in buckets(series, rows) if bucket["count"]]


@pytest.mark.parametrize(
    ("name", "args", "options", "message"),
    [
        ("percentile", (DataType.INT64,), (), "'percentile' needs q"),
        ("percentile", (DataType.INT64,), (99.0,), "fraction from 0.0 to 1.0"),
        ("percentile", (DataType.INT64,), (math.nan,), "fraction from 0.0 to 1.0"),
        ("percentile", (DataType.INT64,), ("0.5",), "must be FLOAT64"),
        ("percentile", (DataType.STRING,), (0.5,), "could not find aggregate function 'percentile'"),
        ("mean", (DataType.INT64,), (0.5,), "takes 0 options"),
        ("collect", (DataType.INT64,), (0,), "from 1 to 1000"),
        ("collect", (DataType.INT64,), (True,), "must be INT64"),
        ("first", (DataType.INT64,), (), "could not find aggregate function 'first'"),
        ("histogram", (DataType.INT64,), ("[2, 1]",), "ascending"),
        ("histogram", (DataType.INT64,), ("[]",), "from 1 to 200"),
        ("histogram", (DataType.INT64,), ("[1, 1e999]",), "finite"),
        ("histogram", (DataType.INT64,), (f"[{'9' * 400}]",), "finite"),
        ("histogram", (DataType.INT64,), ("[true]",), "list of numbers"),
        ("histogram", (DataType.INT64,), ("[" * 5000,), "list of numbers"),
    ],
)
def test_options_that_cannot_be_taken(name, args, options, message):
    with pytest.raises(FunctionError, match=message.replace("[", r"\[")):
        overload(name, *args, options=options)


def test_those_with_options_say_what_they_take():
    for function in AGGREGATES.values():
        assert bool(function.options) == (function.specialize is not None), function.name
