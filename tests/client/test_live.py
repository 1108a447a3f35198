"""Streams from Python: rows as they come, over a real store."""

import pytest

import px
import sylph
from tests.api.live import STREAM, gone, live_server
from tests.query.live import http


@pytest.fixture
def store(tmp_path):
    with live_server(tmp_path) as (made, _):
        yield made


@pytest.fixture
def conn(store, tmp_path):
    with sylph.connect(socket=tmp_path / "px.sock") as connection:
        yield connection


def rows(*latencies):
    return http(*({"time_": 0, "latency": latency} for latency in latencies))


def fast(most: int):
    df = px.DataFrame("http_events", select=["time_", "latency"])
    return df[df.latency < most].stream()


def test_each_row_comes_when_it_is_written(conn, store):
    store.append("http_events", rows(1, 100))
    with conn.stream(fast, most=10) as stream:
        assert next(stream).arrow().column("latency").to_pylist() == [1]
        for latency in (2, 3):
            store.append("http_events", rows(latency, 50))
            part = next(stream)
            assert (part.name, part.arrow().column("latency").to_pylist()) == ("fast", [latency])
    gone(store)


def test_an_answer_without_end_is_not_waited_for(conn, store):
    store.append("http_events", rows(1))
    with pytest.raises(sylph.SylphError, match=r"table 'output' may have no end.*\n.*conn\.stream"):
        conn.run(STREAM)
    gone(store)
