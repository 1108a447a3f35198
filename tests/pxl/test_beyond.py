"""The examples of docs/pxl/beyond.md: each runs over generated rows, and three nodes answer as one does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from sylph.pxl.compile import compile_script
from sylph.query.answer import QueryWarning, Result, Rows
from sylph.query.engine import Engine
from sylph.query.sharded import ShardedEngine
from sylph.tables import TABLES
from sylph.tables.rows import record_batch
from sylph.testing import cluster, traffic
from sylph.testing.dataset import MemoryDataset
from tests.query.travelled import Travelled

PAGE = Path(__file__).parent.parent.parent / "docs/pxl/beyond.md"
NOW_NS = 1_700_000_000_000_000_000
SECTIONS = re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL)
EXAMPLES = {
    f"{title} {number}": text
    for title, section in SECTIONS
    for number, text in enumerate(re.findall(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL))
}

pytest.importorskip("sylph._native", reason="some functions are kernels: make build")


def node(number: int, parts: int) -> Engine:
    """One of several nodes: it has the rows of every `parts`-th process."""
    dataset = MemoryDataset(metadata=cluster.entities(NOW_NS), constants=cluster.CONSTANTS)
    for name, rows in traffic.rows(seed=3, now_ns=NOW_NS).items():
        own = [row for row in rows if int(str(row.get("upid") or str(row["pod_id"])[-4:])) % parts == number]
        dataset.add(name, record_batch(TABLES[name].relation, own))
    return Engine(dataset, threads=1, running=1)


@pytest.fixture(scope="module")
def engines() -> Iterator[tuple[Engine, ShardedEngine]]:
    one, parts = node(0, 1), [node(number, 3) for number in range(3)]
    broker = Engine(MemoryDataset(metadata=cluster.entities(NOW_NS), constants=cluster.CONSTANTS), threads=1, running=1)
    yield one, ShardedEngine([(str(i), Travelled(part)) for i, part in enumerate(parts)], broker)
    for engine in (one, broker, *parts):
        engine.close()


def tables(results: Iterator[Result]) -> dict[str, list[dict[str, object]]]:
    found: dict[str, list[pa.RecordBatch]] = {}
    for result in results:
        assert not isinstance(result, QueryWarning)
        if isinstance(result, Rows):
            found.setdefault(result.name, []).append(result.batch)
    return {name: pa.Table.from_batches(batches).to_pylist() for name, batches in found.items()}


#: Columns of the examples that are percentiles, which several nodes give within an error.
PERCENTILES = {"median"}


def comparable(rows: list[dict[str, object]]) -> list[str]:
    """Rows in an order of their own; sums of floats depend on their order."""
    return sorted(
        repr(
            [
                float(f"{value:.9g}") if isinstance(value, float) else value
                for name, value in row.items()
                if name not in PERCENTILES
            ]
        )
        for row in rows
    )


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_runs_the_same_on_three_nodes(engines: tuple[Engine, ShardedEngine], name: str) -> None:
    plan = compile_script(EXAMPLES[name], now_ns=NOW_NS)
    one, three = (tables(engine.run(plan)) for engine in engines)
    assert all(one.values()), "every table has rows"
    assert {name: comparable(rows) for name, rows in one.items()} == {
        name: comparable(rows) for name, rows in three.items()
    }


def test_percentiles_are_close(engines: tuple[Engine, ShardedEngine]) -> None:
    plan = compile_script(EXAMPLES["Aggregates 0"], now_ns=NOW_NS)
    one, three = ({row["service"]: row for row in tables(engine.run(plan))["output"]} for engine in engines)
    assert one.keys() == three.keys()
    for service, row in one.items():
        assert row["median"] == pytest.approx(three[service]["median"], rel=0.1)


def test_every_section_has_an_example() -> None:
    assert SECTIONS
    # Those without end run in tests/query/test_streaming.py.
    assert {f"{title} 0" for title, text in SECTIONS if "```pxl" not in text} <= set(EXAMPLES)


def test_rows_come_in_order(engines: tuple[Engine, ShardedEngine]) -> None:
    plan = compile_script(EXAMPLES["Rows in order 0"], now_ns=NOW_NS)
    for engine in engines:
        found = tables(engine.run(plan))
        latencies = [row["latency"] for row in found["slowest"]]
        assert latencies == sorted(latencies, reverse=True)  # type: ignore[type-var]
        services = [(row["service"], -int(str(row["latency"]))) for row in found["by_service"]]
        assert services == sorted(services)
