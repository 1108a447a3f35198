"""Functions that run as kernels, in plans."""

from __future__ import annotations

import pytest

from sylph.plan.nodes import Node
from sylph.query.answer import Rows
from sylph.query.engine import Engine
from sylph.tables import TABLES
from sylph.tables.rows import record_batch
from sylph.testing.dataset import MemoryDataset
from sylph.testing.plans import agg, assign, call, col, keep, lit, plan, source

pytest.importorskip("numpy", reason="kernels need numpy: make build")
pytest.importorskip("sylph._native", reason="kernels need the native module: make build")

PATHS = [f"/api/users/u{name}" for name in "abcdef"]


@pytest.fixture(scope="module")
def engine():
    data = MemoryDataset()
    rows = [{"time_": place, "upid": 1, "req_path": path} for place, path in enumerate(PATHS)]
    data.add("http_events", record_batch(TABLES["http_events"].relation, rows))
    engine = Engine(data, running=1)
    yield engine
    engine.close()


def rows_of(engine: Engine, node: Node) -> list[dict[str, object]]:
    return [row for result in engine.run(plan(node)) if isinstance(result, Rows) for row in result.batch.to_pylist()]


def test_a_kernel_in_an_expression_runs_again_and_again(engine):
    node = source("http_events")
    parsed = assign(
        node, query=call("normalize_pgsql", lit("SELECT 1"), lit("Query")), uri=call("uri_parse", col(node, "req_path"))
    )
    for _ in range(3):
        rows = rows_of(engine, keep(parsed, "uri", "query"))
        assert [f'"path":"{path}"' in row["uri"] for path, row in zip(PATHS, rows, strict=True)] == [True] * len(PATHS)
        assert rows[0]["query"] == '{"query":"SELECT $1","params":["1"]}'


def test_a_kernel_in_an_aggregate(engine):
    clusters = agg(source("http_events"), [], clusters=("req_path", "_build_request_path_clusters"))
    assert rows_of(engine, clusters) == [{"clusters": '[{"c":"/api/users/*","m":[]}]'}]
