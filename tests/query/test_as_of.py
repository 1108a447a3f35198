"""Each row with the nearest earlier one of another table, against a loop in Python."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sylph.plan.codec import decode, encode
from sylph.plan.errors import PlanError
from sylph.plan.nodes import Join, Node
from sylph.plan.text import plan_text
from sylph.pxl.compile import compile_script
from sylph.query.answer import Result, Rows
from sylph.query.engine import Engine
from sylph.query.sharded import ShardedEngine
from sylph.tables import TABLES
from sylph.tables.rows import Row, record_batch
from sylph.testing.dataset import MemoryDataset
from sylph.testing.plans import plan, source

SCRIPT = """
import px
left = px.DataFrame('http_events', select=['time_', 'upid', 'latency'])
right = px.DataFrame('process_stats', select=['time_', 'upid', 'rss_bytes'])
px.display(left.merge(right, how='as_of', on='upid'), 'by_process')
px.display(left.merge(right, how='as_of'), 'by_time')
px.display(left.merge(right, how='as_of', on='upid', tolerance=TOLERANCE), 'near_by_process')
px.display(left.merge(right, how='as_of', tolerance=TOLERANCE), 'near_by_time')
"""
#: Times of rows; those of the far ends are further apart than 64 bits can say.
TIMES = st.one_of(st.integers(-5, 50), st.sampled_from([-(2**63), 2**63 - 1]))

KEYS = st.sampled_from([0, 1, 2**127, 2**128 - 1])


def engine() -> Engine:
    return Engine(MemoryDataset(), running=1)


ONE, BROKER, NODES = engine(), engine(), [engine() for _ in range(3)]


def fill(target: Engine, left: list[Row], right: list[Row]) -> None:
    data = MemoryDataset()
    for name, rows in (("http_events", left), ("process_stats", right)):
        data.add(name, record_batch(TABLES[name].relation, rows))
    target.dataset = data


def tables(results: Iterator[Result]) -> dict[str, list[tuple[object, ...]]]:
    found: dict[str, list[tuple[object, ...]]] = {}
    for result in results:
        if isinstance(result, Rows):
            for row in result.batch.to_pylist():
                values = (row["time__x"], row["upid_x"].int, row["latency"], row["time__y"], row["upid_y"].int)
                found.setdefault(result.name, []).append((*values, row["rss_bytes"]))
    return {name: sorted(rows) for name, rows in found.items()}  # type: ignore[type-var]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.tuples(TIMES, KEYS), max_size=20),
    # No two rows at one time: which of them is taken would be open.
    st.lists(st.tuples(TIMES, KEYS), max_size=20, unique_by=lambda row: row[0]),
    st.sampled_from([0, 1, 7, 2**63 - 1]),
)
def test_the_nearest_earlier_row(lefts: list[tuple[int, int]], rights: list[tuple[int, int]], tolerance: int) -> None:
    left: list[Row] = [{"time_": time, "upid": upid, "latency": i} for i, (time, upid) in enumerate(sorted(lefts))]
    right: list[Row] = [
        {"time_": time, "upid": upid, "rss_bytes": i + 1} for i, (time, upid) in enumerate(sorted(rights))
    ]
    expected: dict[str, list[tuple[object, ...]]] = {}
    for name in ("by_process", "by_time", "near_by_process", "near_by_time") if left else ():
        for row in left:
            time = int(str(row["time_"]))
            earlier = [
                other
                for other in right
                if int(str(other["time_"])) <= time and (name.endswith("by_time") or other["upid"] == row["upid"])
            ]
            if name.startswith("near") and earlier and time - int(str(earlier[-1]["time_"])) > tolerance:
                earlier = []
            found = earlier[-1] if earlier else {"time_": 0, "upid": 0, "rss_bytes": 0}
            values = (*row.values(), *found.values())
            expected.setdefault(name, []).append(values)
    expected = {name: sorted(rows) for name, rows in expected.items()}  # type: ignore[type-var]
    query = compile_script(SCRIPT.replace("TOLERANCE", str(tolerance)))
    assert plan_text(decode(encode(query), TABLES)) == plan_text(query)
    fill(ONE, left, right)
    assert tables(ONE.run(query)) == expected
    for i, node in enumerate(NODES):
        fill(node, left[i::3], right[i % 2 :: 2] if i < 2 else [])
    assert tables(ShardedEngine([(str(i), node) for i, node in enumerate(NODES)], BROKER).run(query)) == expected


def test_a_plan_from_elsewhere_compares_times() -> None:
    left: Node = source("http_events", ["upid", "latency"])
    wrong = Join(left, left, "as_of", ("upid", "latency"), ("upid", "latency"), ((0, "upid", "upid"),))
    with pytest.raises(PlanError, match="not TIME64NS"):
        decode(encode(plan(wrong)), TABLES)


@pytest.mark.parametrize(("how", "tolerance"), [("inner", 5), ("as_of", -1), ("as_of", 2**63), ("as_of", True)])
def test_a_plan_from_elsewhere_has_a_tolerance_that_means_something(how: str, tolerance: int) -> None:
    left: Node = source("http_events", ["upid", "time_"])
    wrong = Join(left, left, how, ("upid", "time_"), ("upid", "time_"), ((0, "upid", "upid"),), tolerance)
    with pytest.raises(PlanError, match="tolerance"):
        decode(encode(plan(wrong)), TABLES)
