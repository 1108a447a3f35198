"""Streams through gRPC: rows as they come, until the client goes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import grpc
import pytest

from sylph.client.connection import connect
from sylph.query import streaming
from tests.api.live import STREAM, Call, followers, gone, live_server
from tests.api.support import execute
from tests.api.test_pxapi import pxapi_python  # noqa: F401  (a fixture)
from tests.query.live import http


@pytest.fixture
def live(tmp_path):
    with live_server(tmp_path) as (store, server):
        yield store, server


@pytest.fixture
def channel(live, tmp_path):
    with grpc.insecure_channel(f"unix:{tmp_path}/px.sock") as made:
        yield made


def rows(*numbers):
    return http(*({"time_": 1000 + n, "latency": n, "req_path": f"/{n}"} for n in numbers))


def test_batches_come_as_rows_do_and_never_say_the_end(live, channel):
    store, _ = live
    store.append("http_events", rows(0, 1))
    call = Call(execute(channel, STREAM))
    call.wait(2)
    for number in range(2, 6):
        store.append("http_events", rows(number))
        assert call.wait(number + 1) == list(range(number + 1))
    assert call.messages[0].WhichOneof("result") == "meta_data"
    # The first one has no rows: it tells clients that they have to wait.
    assert call.batches[0].num_rows == 0
    assert all(batch.eow and not batch.eos for batch in call.batches)
    call.call.cancel()
    assert call.join().code() is grpc.StatusCode.CANCELLED
    gone(store)


def test_a_stream_that_ends_says_so_once(live, channel):
    store, _ = live
    store.append("http_events", rows(*range(10)))
    call = Call(execute(channel, STREAM.replace("df.stream()", "df.head(4).stream()")))
    assert call.join() is None
    assert call.numbers == [0, 1, 2, 3]
    assert [batch.eos for batch in call.batches].count(True) == 1
    assert call.batches[-1].eos
    assert call.messages[-1].data.HasField("execution_stats")


def test_large_steps_are_cut(live, channel):
    store, _ = live
    call = Call(execute(channel, STREAM))
    call.wait_messages(2)
    batch = http(*({"latency": n, "req_path": "/" + "x" * 3000} for n in range(1000)))
    store.append("http_events", batch)
    assert call.wait(1000) == list(range(1000))
    assert sum(batch.num_rows > 0 for batch in call.batches) > 2
    call.call.cancel()
    call.join()


def test_a_client_that_vanishes_frees_all(live, tmp_path):
    store, _ = live
    code = (
        "import grpc, sys; sys.path.insert(0, sys.argv[2])\n"
        "from tests.api.live import STREAM\nfrom tests.api.support import execute\n"
        "call = execute(grpc.insecure_channel(sys.argv[1]), STREAM)\nnext(call), next(call)\nprint('on', flush=True)\n"
        "import time; time.sleep(60)\n"
    )
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": f"{root}/src"}
    client = subprocess.Popen(
        [sys.executable, "-c", code, f"unix:{tmp_path}/px.sock", root], stdout=subprocess.PIPE, env=environment
    )
    try:
        assert client.stdout.readline() == b"on\n"
        assert followers(store) == 1
    finally:
        client.kill()
        client.communicate()
    gone(store)


def test_a_client_that_does_not_read_holds_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(streaming, "_WARN_S", 0.0)
    with live_server(tmp_path, memory=32 << 20) as (store, _), grpc.insecure_channel(f"unix:{tmp_path}/px.sock") as on:
        call = execute(on, STREAM, timeout=60)
        next(call)
        next(call)
        total, text = 60_000, "/" + "x" * 1000
        for first in range(0, total, 500):
            store.append("http_events", http(*({"latency": n, "req_path": text} for n in range(first, first + 500))))
            assert store.memory_used <= 32 << 20
        # Now it reads: what it gets is in order, and what it did not get is counted.
        numbers, missed = [], 0
        while not numbers or numbers[-1] < total - 1:
            message = next(call)
            numbers += message.data.batch.cols[-1].int64_data.data
            if message.status.message:
                assert message.status.code == 0
                missed = int(message.status.message.split()[0])
        assert numbers == sorted(set(numbers))
        assert missed > 0
        assert len(numbers) + missed == total
        call.cancel()


def test_sixteen_streams_leave_room_for_queries(live, channel):
    store, _ = live
    calls = [Call(execute(channel, STREAM)) for _ in range(16)]
    for call in calls:
        call.wait_messages(2)
    count = "import px\npx.display(px.DataFrame('http_events').agg(n=('latency', px.count)))"
    for number in range(5):
        store.append("http_events", rows(number))
        answer = Call(execute(channel, count))
        assert answer.join() is None
        assert answer.numbers == [number + 1]
    for call in calls:
        assert call.wait(5) == list(range(5))
    refused = Call(execute(channel, STREAM)).join()
    assert refused.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "16 streams" in refused.details()
    for call in calls:
        call.call.cancel()
    gone(store)


def test_the_python_package_iterates_over_a_stream(live, tmp_path):
    store, _ = live
    store.append("http_events", rows(0))
    with connect(socket=tmp_path / "px.sock") as connection, connection.stream(STREAM) as stream:
        found = []
        for number, part in enumerate(stream, 1):
            found += part.arrow().column("latency").to_pylist()
            if number == 4:
                break
            store.append("http_events", rows(number))
        assert found == [0, 1, 2, 3]
    gone(store)


def test_pixies_python_client_sees_rows_as_they_come(live, pxapi_python):  # noqa: F811
    store, server = live
    store.append("http_events", rows(0, 1))
    client = Path(__file__).parent / "pxapi_live.py"
    running = subprocess.Popen(
        [pxapi_python, client, f"127.0.0.1:{server.tcp_port}", "key", STREAM],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        seen = [json.loads(running.stdout.readline()) for _ in range(2)]
        for number in range(2, 5):
            store.append("http_events", rows(number))
            seen.append(json.loads(running.stdout.readline()))
        assert seen == [0, 1, 2, 3, 4]
        assert running.wait(20) == 0, running.stderr.read()
    finally:
        running.kill()
        running.communicate()
    gone(store)
