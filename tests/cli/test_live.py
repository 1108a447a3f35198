"""`px run` of a stream: rows as they come, and a clean end."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pyarrow as pa
import pytest

from tests.api.live import STREAM, gone, live_server
from tests.cli.conftest import environment
from tests.query.live import http


@pytest.fixture
def store(tmp_path):
    with live_server(tmp_path) as (made, _):
        yield made


@contextmanager
def running(tmp_path, script, *arguments, stderr=subprocess.PIPE):
    path = tmp_path / "stream.pxl"
    path.write_text(script)
    process = subprocess.Popen(
        [sys.executable, "-m", "sylph.cli.main", "run", "-f", str(path), *arguments],
        stdout=subprocess.PIPE, stderr=stderr, env=environment(PX_SOCKET=str(tmp_path / "px.sock")),
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def rows(*numbers):
    return http(*({"time_": 0, "latency": n, "req_path": "/" + "p" * n} for n in numbers))


def interrupted(process):
    """Sends Ctrl-C; standard output that was left, and standard error."""
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert b"Traceback" not in (err or b"")
    return out, err


def test_json_lines_come_with_their_rows(store, tmp_path):
    store.append("http_events", rows(0))
    with running(tmp_path, STREAM, "-o", "json") as process:
        for number in range(4):
            line = json.loads(process.stdout.readline())
            assert (line["_tableName_"], line["latency"]) == ("output", number)
            store.append("http_events", rows(number + 1))
        json.loads(process.stdout.readline())
        assert interrupted(process) == (b"", b"")
    gone(store)


def test_a_table_is_printed_as_it_grows(store, tmp_path):
    with running(tmp_path, STREAM) as process:
        store.append("http_events", rows(1, 2))
        lines = [process.stdout.readline().decode().rstrip("\n") for _ in range(4)]
        assert lines[0] == "Table ID: output"
        assert lines[1].split() == ["TIME_", "REQ_PATH", "LATENCY"]
        assert [line.split()[-3] for line in lines[2:]] == ["/p", "/pp"]
        # Wider ones make the column wider, below the same header.
        store.append("http_events", rows(12, 3))
        lines = [process.stdout.readline().decode().rstrip("\n") for _ in range(2)]
        assert [line.split()[-3] for line in lines] == ["/" + "p" * 12, "/ppp"]
        assert len(lines[0]) == len(lines[1])
        assert interrupted(process) == (b"", b"")
    gone(store)


def test_csv_and_a_stream_that_ends(store, tmp_path):
    store.append("http_events", rows(*range(5)))
    with running(tmp_path, STREAM.replace("df.stream()", "df.head(3).stream()"), "-o", "csv") as process:
        out, err = process.communicate(timeout=20)
        assert (process.returncode, err) == (0, b"")
        lines = out.decode().splitlines()
        assert lines[0] == "table_id,time_,req_path,latency"
        assert [line.split(",")[2] for line in lines[1:]] == ["/", "/p", "/pp"]


def test_arrow_is_readable_as_far_as_it_came(store, tmp_path):
    store.append("http_events", rows(0, 1))
    with running(tmp_path, STREAM, "-o", "arrow") as process:
        reader = pa.ipc.open_stream(process.stdout)
        assert reader.read_next_batch().column("latency").to_pylist() == [0, 1]
        store.append("http_events", rows(2))
        assert reader.read_next_batch().column("latency").to_pylist() == [2]
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130


def test_two_streams_do_not_mix_in_arrow(store, tmp_path):
    store.append("http_events", rows(0))
    with running(tmp_path, STREAM + "\npx.display(df.stream(), 'again')", "-o", "arrow") as process:
        _, err = process.communicate(timeout=20)
        assert process.returncode == 1
        assert b"are both streams" in err


def test_two_streams_have_their_headers(store, tmp_path):
    store.append("http_events", rows(0))
    with running(tmp_path, STREAM + "\npx.display(df.stream(), 'again')") as process:
        text = b"".join(process.stdout.readline() for _ in range(7)).decode()
        assert re.findall("Table ID: (.*)", text) == ["output", "again"]
        interrupted(process)


def test_a_reader_that_has_enough_ends_it(store, tmp_path):
    store.append("http_events", rows(0))
    with running(tmp_path, STREAM, "-o", "json") as process:
        process.stdout.readline()
        process.stdout.close()
        process.stdout = None
        store.append("http_events", rows(1))
        time.sleep(0.05)
        store.append("http_events", rows(2))
        assert process.wait(20) == 0
    gone(store)


def test_people_are_told_how_to_end_it(store, tmp_path):
    mine, theirs = pty.openpty()
    try:
        with running(tmp_path, STREAM, stderr=theirs) as process:
            assert b"Ctrl-C ends" in os.read(mine, 200)
            interrupted(process)
    finally:
        os.close(mine)
        os.close(theirs)


def test_the_plan_of_a_stream_is_shown_without_waiting(store, tmp_path, px):
    path = tmp_path / "stream.pxl"
    path.write_text(STREAM)
    ran = px("explain", "-f", str(path))
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "streaming" in ran.stdout
    gone(store)
    ran = px("explain", "--analyze", "-f", str(path))
    assert ran.returncode == 1
    assert "leave out stream()" in ran.stderr


def test_warnings_come_while_it_runs(tmp_path, monkeypatch):
    from sylph.query import streaming, windows

    monkeypatch.setattr(streaming, "_WARN_S", 0.0)
    monkeypatch.setattr(windows, "GRACE_NS", 1_000_000)
    script = (
        "import px\ndf = px.DataFrame('http_events')\n"
        "px.display(df.rolling('1s').agg(n=('latency', px.count)).stream())"
    )
    with live_server(tmp_path) as (store, _), running(tmp_path, script, "-o", "json") as process:
        store.append("http_events", http({"time_": 5_000_000_000}))
        assert json.loads(process.stdout.readline())["n"] == 1
        store.append("http_events", http({"time_": 5_000_000_000}, {"time_": 5_000_000_001}))
        assert b"warning: 2 rows came too late" in process.stderr.readline()
        interrupted(process)
