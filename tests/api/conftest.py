from collections.abc import Callable, Iterator

import grpc
import pyarrow as pa
import pytest

from bench.python_row_batch import row_batch
from sylph.api.server import Server, serve
from tests.api.support import Handler, one_table


@pytest.fixture
def handler() -> Handler:
    return Handler(one_table())


@pytest.fixture
def encode() -> Callable[[pa.RecordBatch, str, bool, bool], bytes]:
    return row_batch


@pytest.fixture
def server(handler, tmp_path, encode) -> Iterator[Server]:
    running = serve(handler, unix=tmp_path / "px.sock", encode=encode)
    yield running
    running.stop(0)


@pytest.fixture
def channel(server, tmp_path) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(f"unix:{tmp_path}/px.sock") as channel:
        yield channel
