"""What docs/pxl/beyond.md describes, used together and in odd orders: over one store, over 20 nodes of which three have
no rows, without one that fails, and over no rows at all."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from sylph.plan.nodes import Plan
from sylph.pxl.compile import compile_script
from sylph.query.answer import CancelToken, Code, QueryError, QueryWarning, Result, Rows, TableMeta
from sylph.query.engine import Engine
from sylph.query.limits import Limits
from sylph.query.sharded import ShardedEngine
from sylph.tables import TABLES
from sylph.tables.rows import Row, record_batch
from sylph.testing import cluster
from sylph.testing.dataset import MemoryDataset
from tests.query.travelled import Travelled

pytest.importorskip("sylph._native", reason="some functions are kernels: make build")

NOW_NS = 1_700_000_000_000_000_000
NODES = 20
EMPTY = {0, 7, 19}
FAILING = 5

START = (
    "import px\n"
    "df = px.DataFrame('http_events', start_time='-10m')\n"
    "df = df[['time_', 'upid', 'req_method', 'req_path', 'resp_status', 'latency', 'req_body', 'req_body_size']]\n"
    "usage = px.DataFrame('process_stats', start_time='-10m', select=['time_', 'upid', 'rss_bytes'])\n"
)
#: A column with inf and -inf, and one with nan.
FLOATS = "df.f = df.latency * 1.0 / df.req_body_size\ndf.g = df.f - df.f\n"

CASES = {
    "windows of arrays": "df = df.explode('req_body').groupby('req_body').rolling('20s').agg(n=px.count('upid'), p=px.collect('req_path', 3))",
    "windows of windows": "df = df.rolling('10s').agg(n=px.count('upid'))\ndf = df.rolling('1m').agg(m=px.max('n'), f=px.first('n'), l=px.last('n'))",
    "top windows": "df = df.groupby('req_method').rolling('30s').agg(n=px.count('upid'), l=px.max(df.latency) - px.min('latency')).top(7, 'n')",
    "head of sorted windows": "df = df.groupby(['req_method', 'resp_status']).rolling('1m').agg(n=px.count('upid')).sort('n').head(6)",
    "windows of distinct": "df = df.distinct(['time_', 'req_path']).rolling('1m').agg(n=px.count('req_path'))",
    "windows without outputs": "df = df.groupby('req_method').rolling('1m').agg()",
    "windows in ns": "df = df.rolling(px.milliseconds(1500)).agg(a=px.min('time_'), z=px.max('time_'))\ndf.d = df.z - df.a",
    "windows appended": "a = df[df.resp_status == 200]\ndf = a.append(df[df.resp_status != 200])\ndf = df.groupby('resp_status').rolling('1m').agg(n=px.count('upid'))",
    "as_of windows": "df = df.groupby('upid').rolling('10s').agg(n=px.count('latency'))\ndf = df.merge(usage, how='as_of', on='upid', tolerance='2s')",
    "windows as_of windows": "usage = usage.rolling('10s').agg(r=px.max('rss_bytes'))\ndf = df.rolling('10s').agg(n=px.count('latency')).merge(usage, how='as_of', tolerance=0)",
    "as_of as_of": "df = df.merge(usage, how='as_of', on='upid', suffixes=['', '_b'], tolerance='5s')\ndf = df.merge(usage.rename({'rss_bytes': 'r'}), how='as_of', on='upid', suffixes=['', '_c'])\ndf = df[['time_', 'rss_bytes', 'r']].top(7, ['rss_bytes', 'time_'])",
    "as_of nothing": "df = df.merge(usage[usage.rss_bytes < 0], how='as_of', on='upid', tolerance='1s').top(3, ['latency', 'time__x'])",
    "nothing as_of": "df = df[df.latency > 10000000000].merge(usage, how='as_of', on='upid')",
    "computed as_of": "df = df.merge(usage, how='as_of', on='upid', tolerance='1s')\ndf = df.groupby('upid_x').agg(near=px.mean(df.rss_bytes > 0), age=px.DurationNanos(px.max(df.time__x - df.time__y)))",
    "as_of sorted": "df = df.merge(usage.sort('rss_bytes', ascending=False), how='as_of', on='upid').top(3, 'time__x')",
    "as_of arrays in windows": "df = df.explode('req_body').merge(usage, how='as_of', on='upid', suffixes=['', '_b'])\ndf = df.groupby('req_body').rolling('1m').agg(n=px.count('latency'), r=px.last('rss_bytes')).top(5, 'n')",
    "histograms of nan": FLOATS + "df = df.groupby('req_method').agg(h=px.histogram('g', [0, 1]), i=px.histogram('f', [0, 1000]), d=px.histogram('f'))",
    "aggregates of nan": FLOATS + "df = df.groupby('resp_status').agg(b=px.stddev('g'), c=px.count_distinct('g'), d=px.collect('f', 3), e=px.mean('g'), f=px.first('g'), h=px.last('g'), i=px.min('f'), j=px.max('f'), k=px.sum('g'))",
    "nan in order": FLOATS + "df = df[['f', 'g', 'time_']].sort(['g', 'f'], ascending=[False, True]).head(300)",
    "nan on top": FLOATS + "df = df[['f', 'g', 'time_']].top(390, ['g', 'f'])",
    "nan distinct": FLOATS + "df = df.distinct(['g', 'f'])",
    "nan compared": FLOATS + "df.a = df.g == df.g\ndf.b = not df.g >= 0.0\ndf.c = 0.0 <= df.f <= 1.0\ndf.d = df.g in [0.0, df.f]\ndf = df.groupby(['a', 'b', 'c', 'd']).agg(n=px.count('f'))",
    "nan as key": FLOATS + "a = df.groupby('f').agg(n=px.count('g'))\ndf = df.merge(a, how='inner', on='f').groupby('f_x').agg(n=px.max('n'))",
    "collect without time": FLOATS + "df = df.drop('time_').groupby('req_method').agg(a=px.collect('g', 5), b=px.collect('req_path', 2))",
    "every type collected": FLOATS + "df = df.groupby('req_method').agg(a=px.collect('upid', 2), b=px.collect('f', 3), c=px.collect('time_', 1), d=px.collect(df.latency > 5, 2))",
    "booleans": "df.b = df.resp_status >= 400\ndf = df.groupby('b').agg(s=px.sum('b'), m=px.mean('b'), f=px.first('b'), d=px.count_distinct('b')).sort('b', ascending=False)",
    "arrays of arrays": "df.x = '[[1,2],[3],[]]'\ndf = df.explode('x').explode('x').groupby('x').agg(n=px.count('x'))",
    "buckets as rows": "df = df.groupby('req_method').agg(b=px.histogram(df.latency / 2, [0, 1000]), n=px.count('latency')).explode('b')\ndf.share = px.pluck_int64(df.b, 'count') / df.n",
    "collected as rows": "df = df.groupby('req_method').agg(b=px.collect('req_path', 5)).explode('b').distinct()",
    "parts of arrays on top": "df = df.explode('req_body').top(9, 'req_path')",
    "top filtered, then head": "df = df.top(50, 'latency')\ndf = df[df.resp_status >= 400].head(5)",
    "top of top": "df = df.top(50, 'latency').top(5, 'req_body_size', ascending=True)",
    "top without time": "df = df.select([px.UPID, 'numeric', 'http_req_method']).top(2, 'latency')",
    "top of pairs": "df = df.merge(df, how='inner', on=['req_path', 'latency']).top(5, 'latency_x')",
    "top of aggregates": "df = df.groupby(['req_path', 'req_method']).agg(n=px.count('upid'), c=px.collect('latency', 3)).drop('req_method').top(4, 'n')",
    "top of nothing": "df = df.top(0, 'latency')",
    "aggregates of nothing": "df = df.head(0).agg(n=px.count('upid'), m=px.max('latency'), f=px.first('req_path'), c=px.collect('req_path'), h=px.histogram('latency', [5]), p=px.percentile('latency', 0.5), s=px.stddev('latency'), r=px.sum('latency') / px.count('latency'))",
    "names exchanged": "df = df.rename({'latency': 'l', 'req_path': 'p'}).groupby('p').agg(l=px.sum('l')).rename({'p': 'l', 'l': 'p'})",
    "texts and conditions": "df.s = f'{df.req_method}:{df.req_path}:{px.itoa(df.resp_status)} {1.5} {True}'\ndf.k = 'slow' if 1000 <= df.latency < 10000000 and df.resp_status in [404, 500] or not df.req_method in ['GET', ''] else 'fast'\ndf = df.groupby(['s', 'k']).agg(n=px.count('s'))",
    "assigned again": "n = 1\nn += 2\nn *= 3\nn -= 1\ndf.latency += n\ndf['latency'] %= 7\ndf.f = df.latency / 2\ndf.f /= 2.0\ndf.req_path += '!'\ndf = df.groupby('req_path').agg(s=px.sum('latency'), f=px.max('f'))",
    "in columns": "df.x = df.req_method in [df.req_path, 'GET'] and df.latency not in [5, df.resp_status]\ndf = df.groupby('x').agg(n=px.count('upid'))",
    "chained": "df = df['/a' <= df.req_path < '/c' and px.parse_time('-9m') <= df.time_ < px.parse_time('-1m')]\ndf = df.groupby('req_path').agg(n=px.count('upid'))",
    "conditions within": "df.x = 'a' if df.latency < 5 else 'b' if df.latency < 1000 else ('c' if df.resp_status == 200 else 'd')\ndf = df.groupby('x').agg(n=px.max(df.latency if df.resp_status == 200 else 0), s='many' if px.count('x') > 9 else df.x)",
    "functions of aggregates": "def rate(a, b):\n    return px.sum(a) / px.sum(b)\ndf = df.groupby('req_method').agg(r=rate(df.latency, df.resp_status), e=px.sum(df.resp_status in [404, 500]), t=f'{df.req_method}: {px.itoa(px.count(df.upid))}', o=df.req_method + '!')",
    "defaults and parameters": "def most(frame: px.DataFrame, n: int = px.param('n', 3), by: list[str] = ['latency', 'time_']) -> px.DataFrame:\n    return frame[['time_', 'latency', 'req_path']].top(n, by)\npx.display(most(df, by=['req_path', 'time_'], n=1), 'b')\ndf = most(df)",
    "an aggregate joined to its rows": "m = df.groupby('req_method').agg(m=px.max('latency'), l=px.last('req_path'))\ndf = df.merge(m, how='left', on='req_method')\ndf = df[df.latency == df.m].groupby('l').agg(n=px.count('m'))",
    "columns named like methods": "df.top = df.latency\ndf.sort = df.top * 2\ndf = df.top(2, ['sort', 'time_'])[['top', 'sort']]",
}  # fmt: skip


def http_rows() -> list[Row]:
    chance = random.Random(5)
    return [
        {
            "time_": NOW_NS - 300_000_000_000 + i * 700_000_000 + i % 3,
            "upid": i % 4 + 1,
            "req_method": ("GET", "POST", "PUT", "")[i % 4],
            "req_path": ("/a", "/b", "/c/1", "", "/\u0080é", "/'\"")[i % 6],
            "req_body": f'["x",{i},null,{{"k":{i % 3}}}]' if i % 5 else ("", "[]")[i % 2],
            "resp_status": (200, 200, 404, 500)[i // 3 % 4],
            "latency": chance.choice([0, 1, 5, 1000, 10**6, 10**9, -5]),
            "req_body_size": i % 3,
        }
        for i in range(400)
    ]


def usage_rows() -> list[Row]:
    return [
        {"time_": NOW_NS - 300_000_000_000 + i * 1_300_000_000, "upid": i % 4 + 1, "rss_bytes": i * 1000}
        for i in range(200)
    ]


class Lost:
    """A node whose connection breaks."""

    def run_part(
        self, plan: Plan, *, limits: Limits | None = None, cancel: CancelToken | None = None
    ) -> Iterator[Result]:
        raise QueryError(Code.UNAVAILABLE, "connection lost")


class Nodes:
    """One store with all rows, one without those of the node that fails, one without any, and the nodes."""

    def __init__(self) -> None:
        full = [number for number in range(NODES) if number not in EMPTY]
        owners = {"http_events": http_rows(), "process_stats": usage_rows()}

        def engine(*numbers: int) -> Engine:
            data = MemoryDataset(metadata=cluster.entities(NOW_NS), constants=cluster.CONSTANTS)
            for name, rows in owners.items():
                own = [row for i, row in enumerate(rows) if full[i % len(full)] in numbers]
                if own:
                    data.add(name, record_batch(TABLES[name].relation, own))
            return Engine(data, threads=1, running=1)

        self.one, self.rest, self.none = engine(*full), engine(*(n for n in full if n != FAILING)), engine()
        self.engines = [engine(number) for number in range(NODES)]
        agents = [(f"node{i}", Travelled(each)) for i, each in enumerate(self.engines)]
        self.all = ShardedEngine(agents, self.none)
        self.without = ShardedEngine([*agents[:FAILING], ("gone", Lost()), *agents[FAILING + 1 :]], self.none)
        self.empty = ShardedEngine([agents[number] for number in sorted(EMPTY)], self.none)


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    made = Nodes()
    yield made
    for engine in (made.one, made.rest, made.none, *made.engines):
        engine.close()


def answer(results: Iterator[Result]) -> tuple[dict[str, list[str]], list[str]]:
    """Rows of each table in an order of their own, floats to nine digits, since sums depend on theirs; warnings."""
    tables: dict[str, list[str]] = {}
    warnings = []
    for result in results:
        if isinstance(result, QueryWarning):
            warnings.append(result.message)
        elif isinstance(result, TableMeta):
            tables.setdefault(result.name, [])
        elif isinstance(result, Rows):
            assert all(column.null_count == 0 for column in result.batch.columns)
            for row in result.batch.to_pylist():
                values = [float(f"{v:.9g}") + 0.0 if isinstance(v, float) else v for v in row.values()]
                tables[result.name].append(repr(values))
    return {name: sorted(rows) for name, rows in tables.items()}, warnings


@pytest.mark.parametrize("name", CASES)
def test_one_store_and_many_nodes_give_the_same(nodes: Nodes, name: str) -> None:
    plan = compile_script(f"{START}{CASES[name]}\npx.display(df)", now_ns=NOW_NS)
    expected, warnings = answer(nodes.one.run(plan))
    assert warnings == []
    assert any(expected.values()) or name in {"top of nothing", "nothing as_of"}
    assert answer(nodes.all.run(plan)) == (expected, [])
    rest, _ = answer(nodes.rest.run(plan))
    assert answer(nodes.without.run(plan)) == (rest, ["no rows of gone: connection lost"])
    nothing, _ = answer(nodes.none.run(plan))
    assert answer(nodes.empty.run(plan)) == (nothing, [])


def test_rows_with_equal_values_are_the_same_on_any_number_of_nodes(nodes: Nodes) -> None:
    script = "df = df.groupby(['req_method', 'req_path']).agg(n=px.count('upid') > 0).sort('n')"
    plan = compile_script(f"{START}{script}\npx.display(df)\npx.display(df.head(3), 'head')", now_ns=NOW_NS)
    for engine in (nodes.one, nodes.all):
        shown: dict[str, list[tuple[str, str]]] = {}
        for result in engine.run(plan):
            if isinstance(result, Rows):
                rows = [(row["req_method"], row["req_path"]) for row in result.batch.to_pylist()]
                shown.setdefault(result.name, []).extend(rows)
        assert shown["output"] == sorted(shown["output"])
        assert len(shown["output"]) == 12
        assert shown["head"] == shown["output"][:3]
