"""rolling(): each window's rows, against windows computed here; over one store and over shards."""

from __future__ import annotations

from collections import defaultdict

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sylph.pxl.compile import compile_script
from sylph.query.answer import Rows
from sylph.query.engine import Engine
from sylph.query.sharded import ShardedEngine
from sylph.tables import TABLES
from sylph.tables.rows import record_batch
from sylph.testing.dataset import MemoryDataset

HTTP = TABLES["http_events"].relation
MS = 1_000_000
NOW_NS = 1_700_000_000_000 * MS

ROWS = st.lists(
    st.tuples(st.integers(NOW_NS - 10_000 * MS, NOW_NS), st.integers(0, 100), st.sampled_from(["/a", "/b", ""])),
    max_size=40,
)


@pytest.fixture(scope="module")
def engines():
    """Three agents and a broker whose rows a test replaces."""
    made = [Engine(MemoryDataset()) for _ in range(4)]
    yield made
    for engine in made:
        engine.close()


def fill(engines, rows):
    for place, engine in enumerate(engines[:3]):
        engine.dataset.rows.clear()
        part = rows[place::3] if place else rows[::3]
        keys = ("time_", "latency", "req_path")
        engine.dataset.add("http_events", record_batch(HTTP, [dict(zip(keys, row, strict=True)) for row in part]))
    engines[3].dataset.rows.clear()
    for engine in engines[:3]:
        engines[3].dataset.add("http_events", engine.dataset.rows["http_events"].batches[0])


def ask(engine, script):
    plan = compile_script(script, now_ns=NOW_NS)
    tables = [pa.Table.from_batches([result.batch]) for result in engine.run(plan) if isinstance(result, Rows)]
    return sorted(map(tuple, (row.values() for table in tables for row in table.to_pylist())))


SCRIPT = """import px
df = px.DataFrame('http_events')
df = df.{groups}
px.display(df.agg(n=('latency', px.count), total=('latency', px.sum), first=('time_', px.min)))
"""


@pytest.mark.parametrize("width", ["1500ms", "1s", "1d"])
@settings(deadline=None, max_examples=25)
@given(rows=ROWS)
def test_windows(engines, width, rows):
    fill(engines, rows)
    ns = {"1500ms": 1500 * MS, "1s": 1000 * MS, "1d": 86_400_000 * MS}[width]
    want = defaultdict(list)
    for time, latency, path in rows:
        want[time - time % ns, path].append((time, latency))
    expected = sorted(
        (start, path, len(found), sum(latency for _, latency in found), min(time for time, _ in found))
        for (start, path), found in want.items()
    )
    sharded = ShardedEngine([(f"agent{i}", engine) for i, engine in enumerate(engines[:3])], engines[3])
    for order in (f"groupby('req_path').rolling('{width}')", f"rolling('{width}').groupby('req_path')"):
        script = SCRIPT.format(groups=order)
        assert ask(engines[3], script) == expected
        assert ask(sharded, script) == expected
    ungrouped = defaultdict(int)
    for start, _, count, *_ in expected:
        ungrouped[start] += count
    script = SCRIPT.format(groups=f"rolling('{width}')").replace(
        "total=('latency', px.sum), first=('time_', px.min)", ""
    )
    assert ask(engines[3], script) == sorted(ungrouped.items())
    assert ask(sharded, script) == sorted(ungrouped.items())


def test_a_column_named_like_the_window_is_not_in_the_way(engines):
    fill(engines, [(NOW_NS - 5, 7, "/a")])
    script = (
        "import px\ndf = px.DataFrame('http_events')\ndf.window_ = df.latency\n"
        "df = df.rolling('1s').agg(window_=('window_', px.sum), window__=('latency', px.count))\n"
        "px.display(df[df.time_ > px.int64_to_time(5)])\n"
    )
    assert ask(engines[3], script) == [(NOW_NS - 1000 * MS, 7, 1)]
