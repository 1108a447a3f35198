"""What is computed of aggregates within agg() is what a second step computes of their columns, on one node and on three."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sylph.pxl.compile import compile_script
from sylph.query.answer import QueryWarning, Result, Rows
from sylph.query.engine import Engine
from sylph.query.sharded import ShardedEngine
from sylph.tables import TABLES
from sylph.tables.rows import Row, record_batch
from sylph.testing.dataset import MemoryDataset
from tests.query.travelled import Travelled

pytest.importorskip("sylph._native", reason="some functions are kernels: make build")

START = "import px\ndf = px.DataFrame('http_events')\n"
#: An output in one step; columns made before agg(); aggregates; what is made of them; the type.
CASES = {
    "function": ("px.pluck_float64(px.quantiles('latency'), 'p99')", "", "q=('latency', px.quantiles)", "px.pluck_float64(df.q, 'p99')", "FLOAT64"),
    "division": ("px.sum(df.req_body_size) / px.count(df.latency)", "", "s=('req_body_size', px.sum), n=('latency', px.count)", "df.s / df.n", "FLOAT64"),
    "cast": ("px.DurationNanos(px.sum('req_body_size'))", "", "s=('req_body_size', px.sum)", "px.DurationNanos(df.s)", "INT64 DURATION_NS"),
    "nested": ("px.abs(px.min(df.latency) - px.max(df.latency)) * 2", "", "a=('latency', px.min), b=('latency', px.max)", "px.abs(df.a - df.b) * 2", "INT64"),
    "select": ("px.select(px.count('latency') > 2, 'many', 'few')", "", "n=('latency', px.count)", "px.select(df.n > 2, 'many', 'few')", "STRING"),
    "if": ("px.max('latency') if px.count('latency') > 2 else -1", "", "m=('latency', px.max), n=('latency', px.count)", "df.m if df.n > 2 else -1", "INT64"),
    "chained": ("1 < px.count('latency') <= 3", "", "n=('latency', px.count)", "1 < df.n <= 3", "BOOLEAN"),
    "in": ("px.count('latency') not in [1, px.max('latency')]", "", "n=('latency', px.count), m=('latency', px.max)", "df.n not in [1, df.m]", "BOOLEAN"),
    "f-string": ("f'{df.req_method}: {px.itoa(px.count(df.latency))} of {5}'", "", "n=('latency', px.count)", "f'{df.req_method}: {px.itoa(df.n)} of 5'", "STRING"),
    "group": ("px.toupper(df.req_method) + px.any('req_method')", "", "a=('req_method', px.any)", "px.toupper(df.req_method) + df.a", "STRING"),
    "expression": ("px.sum(df.latency * 2 + df.resp_status)", "df.v = df.latency * 2 + df.resp_status", "v=('v', px.sum)", "df.v", "INT64"),
    "condition": ("px.mean(df.resp_status >= 400) * 100.0", "df.v = df.resp_status >= 400", "v=('v', px.mean)", "df.v * 100.0", "FLOAT64"),
    "options": ("px.length(px.collect(df.req_path, limit=2)) + px.count_distinct(df.req_path + 'x')", "df.v = df.req_path + 'x'", "a=('req_path', px.collect(limit=2)), b=px.count_distinct('v')", "px.length(df.a) + df.b", "INT64"),
    "logic": ("not (px.count('latency') > 1 and px.max('latency') > 10) or px.any('resp_status') == 200", "", "n=('latency', px.count), m=('latency', px.max), s=('resp_status', px.any)", "not (df.n > 1 and df.m > 10) or df.s == 200", "BOOLEAN"),
}  # fmt: skip


def rows(number: int) -> list[Row]:
    """Rows of each of three nodes, the last of which has none."""
    if number == 2:
        return []
    return [
        {
            "time_": 2 * i + number,
            "upid": number,
            "req_method": ("GET", "PUT", "")[i % 3],
            "req_path": f"/{i % 4}",
            "latency": i * 3 + 1,
            "req_body_size": i,
            # Of any value: all of a group are the same.
            "resp_status": (200, 404, 500)[i % 3],
        }
        for i in range(7)
    ]


@pytest.fixture(scope="module")
def engines() -> Iterator[tuple[Engine, ShardedEngine]]:
    def engine(*numbers: int) -> Engine:
        dataset = MemoryDataset()
        for number in numbers:
            dataset.add("http_events", record_batch(TABLES["http_events"].relation, rows(number)))
        return Engine(dataset, threads=1, running=1)

    one, broker, nodes = engine(0, 1), engine(), [engine(number) for number in range(3)]
    yield one, ShardedEngine([(str(i), Travelled(part)) for i, part in enumerate(nodes)], broker)
    for each in (one, broker, *nodes):
        each.close()


def answer(results: Iterator[Result]) -> list[str]:
    found: list[str] = []
    for result in results:
        assert not isinstance(result, QueryWarning)
        if isinstance(result, Rows):
            found += [repr(row) for row in result.batch.to_pylist()]
    return sorted(found)


@pytest.mark.parametrize("groups", ["['req_method']", "['req_method', 'upid']"])
@pytest.mark.parametrize("name", CASES)
def test_one_step_is_two(engines: tuple[Engine, ShardedEngine], name: str, groups: str) -> None:
    output, before, aggregates, after, kind = CASES[name]
    group = f"df = df.groupby({groups}).agg"
    one = compile_script(f"{START}{group}(out={output})\npx.display(df)")
    kept = groups.replace("]", ", 'out']")
    two = compile_script(f"{START}{before}\n{group}({aggregates})\ndf.out = {after}\npx.display(df[{kept}])")
    relation = one.sinks[0].input.relation
    assert list(relation.items()) == list(two.sinks[0].input.relation.items())
    data, _, semantic = kind.partition(" ")
    assert (relation["out"].data.name, relation["out"].semantic.name) == (data, f"ST_{semantic or 'NONE'}")
    expected = answer(engines[0].run(two))
    assert expected
    assert answer(engines[0].run(one)) == expected
    if name != "function":  # Quantiles of several nodes are within an error.
        assert answer(engines[1].run(one)) == expected


def test_what_is_named_like_what_is_made(engines: tuple[Engine, ShardedEngine]) -> None:
    plan = compile_script(
        f"{START}df.value_1 = df.latency\ndf = df[['value_1', 'resp_status', 'req_method']]\n"
        "df = df.groupby(['value_1']).agg(value_2=px.sum(df.resp_status + 1) + px.sum(df.value_1 * 0), n=px.count('value_1'))\n"
        "px.display(df)"
    )
    expected = [{"value_1": i * 3 + 1, "value_2": 2 * (200, 404, 500)[i % 3] + 2, "n": 2} for i in range(7)]
    for engine in engines:
        assert answer(engine.run(plan)) == sorted(map(repr, expected))


def test_windows_compute_too(engines: tuple[Engine, ShardedEngine]) -> None:
    plan = compile_script(
        f"{START}df = df.groupby('req_method').rolling(px.parse_duration('1ms')).agg(\n"
        "    label=f'{df.req_method}: {px.itoa(px.sum(df.latency) - px.min(df.latency))}')\npx.display(df)"
    )
    expected = [
        {"time_": 0, "req_method": method, "label": f"{method}: {2 * sum(latencies) - min(latencies)}"}
        for method, latencies in (("GET", (1, 10, 19)), ("PUT", (4, 13)), ("", (7, 16)))
    ]
    for engine in engines:
        assert answer(engine.run(plan)) == sorted(map(repr, expected))


def test_no_rows(engines: tuple[Engine, ShardedEngine]) -> None:
    script = f"{START}df = df[df.latency < 0]\ndf = df.agg(n=px.count(df.latency) + 1, m=px.itoa(px.sum(df.latency)) + '!')\npx.display(df)"
    for engine in engines:
        assert answer(engine.run(compile_script(script))) == ["{'n': 1, 'm': '0!'}"]
