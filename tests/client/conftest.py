import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sylph.api.server import serve
from sylph.broker.local import LocalBroker
from sylph.query.engine import Engine
from sylph.query.limits import Limits
from sylph.tables import TABLES
from sylph.tables.rows import record_batch
from sylph.testing import cluster, traffic
from sylph.testing.dataset import MemoryDataset
from tests.api.support import Handler, one_table


@pytest.fixture
def handler() -> Handler:
    return Handler(one_table())


@pytest.fixture
def scripted(handler, tmp_path) -> Iterator[Path]:
    """A server that answers what `handler` is told; its socket."""
    path = tmp_path / "px.sock"
    server = serve(handler, unix=path)
    yield path
    server.stop(0)


@pytest.fixture(scope="module")
def agent(tmp_path_factory) -> Iterator[Path]:
    """Compiler, plan, DuckDB and API over generated rows; its socket."""
    # The last rows are of the next minutes, so that a slow test finds the same ones as a quick one.
    now = time.time_ns() + 120 * 10**9
    data = MemoryDataset(metadata=cluster.entities(now), constants=cluster.CONSTANTS)
    for name, rows in traffic.rows(seed=1, now_ns=now).items():
        data.add(name, record_batch(TABLES[name].relation, rows))
    engine = Engine(data, threads=1)
    path = tmp_path_factory.mktemp("agent") / "px.sock"
    server = serve(LocalBroker(engine, Limits(), lambda: ""), unix=path)
    yield path
    server.stop(0)
    engine.close()
