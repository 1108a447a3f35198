import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sylph.tables import TABLES
from sylph.tables.rows import record_batch
from sylph.testing import cluster, traffic
from sylph.testing.dataset import MemoryDataset
from tests.api.support import Handler, answering, one_table, serving


@pytest.fixture
def handler() -> Handler:
    return Handler(one_table())


@pytest.fixture
def scripted(handler, tmp_path) -> Iterator[Path]:
    """A server that answers what `handler` is told; its socket."""
    with serving(handler, tmp_path) as path:
        yield path


@pytest.fixture(scope="module")
def agent(tmp_path_factory) -> Iterator[Path]:
    """Compiler, plan, DuckDB and API over generated rows; its socket."""
    # The last rows are of the next minutes, so that a slow test finds the same ones as a quick one.
    now = time.time_ns() + 120 * 10**9
    data = MemoryDataset(metadata=cluster.entities(now), constants=cluster.CONSTANTS)
    for name, rows in traffic.rows(seed=1, now_ns=now).items():
        data.add(name, record_batch(TABLES[name].relation, rows))
    with answering(data, tmp_path_factory.mktemp("agent")) as path:
        yield path
