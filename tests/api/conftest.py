from collections.abc import Iterator

import grpc
import pytest

from sylph.api.server import Server, serve
from tests.api.support import Handler, one_table


@pytest.fixture
def handler() -> Handler:
    return Handler(one_table())


@pytest.fixture
def server(handler, tmp_path) -> Iterator[Server]:
    running = serve(handler, unix=tmp_path / "px.sock")
    yield running
    running.stop(0)


@pytest.fixture
def channel(server, tmp_path) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(f"unix:{tmp_path}/px.sock") as channel:
        yield channel
