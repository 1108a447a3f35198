"""The Python package against a real server: what can be run, what comes back, what is said when it cannot."""

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

import px
import sylph
from sylph.api.server import Tcp, serve
from sylph.query.answer import Code, FunctionCall, QueryError, QueryWarning, Rows, TableMeta
from sylph.tables.types import ColumnType, DataType
from tests.api.support import RELATION, compile_error, make_batch

KEY = "px-api-0f4e8b3a-5d66-4b52-9d40-9a4a2a3f0c11"
TEXT = "import px\ndf = px.DataFrame('http_events', start_time='-5m')\npx.display(df[['time_', 'req_path']].head(3), 'first')\n"


@pytest.fixture
def conn(agent):
    with sylph.connect(socket=agent) as connection:
        yield connection


def test_a_script_of_the_library_with_its_arguments(conn):
    answer = conn.run("px/http_data", start_time="-5m", max_num_records=3)
    assert list(answer) == ["http_data"]
    assert len(answer.table) == 3
    assert list(answer.table.schema)[:3] == ["time_", "source", "destination"]
    assert answer.table.schema["latency"] == ColumnType(DataType.INT64, sylph.tables.types.SemanticType.ST_DURATION_NS)
    assert answer.stats.records > 0
    assert answer.warnings == ()


def test_text_and_files(conn, tmp_path):
    assert len(conn.run(TEXT)["first"]) == 3
    path = tmp_path / "mine.pxl"
    path.write_text(TEXT)
    assert len(conn.run(path)["first"]) == 3
    assert len(conn.run(str(path))["first"]) == 3
    assert len(conn.run("import px; px.display(px.DataFrame('http_events').head(2))").table) == 2


@pytest.mark.parametrize(
    ("script", "arguments", "words"),
    [
        ("px/http_dat", {}, "did you mean px/http_data"),
        ("nothing", {}, "neither a script's id nor a file"),
        ("px/http_data", {"strat_time": "-1m"}, "did you mean start_time?"),
        ("px/http_data", {"max_num_records": "many"}, "max_num_records must be a whole number, not 'many'"),
        ("px/service", {}, "px/service needs service"),
        ("px/http_data", {"start_time": object()}, "argument 'start_time' is of type object"),
        ("px/http_data", {"start_time": datetime(2026, 1, 1)}, "without a zone"),
        (3, {}, "a script cannot be of type int"),
    ],
)
def test_what_cannot_be_asked(conn, script, arguments, words):
    with pytest.raises(sylph.SylphError) as caught:
        conn.run(script, **arguments)
    assert words in str(caught.value)


def test_arguments_are_sent_as_scripts_take_them(scripted, handler, tmp_path):
    (tmp_path / "a.pxl").write_text("import px")
    (tmp_path / "vis.json").write_text(
        """{"variables": [{"name": "at", "type": "PX_STRING"}, {"name": "n", "type": "PX_INT64"},
        {"name": "on", "type": "PX_BOOLEAN", "defaultValue": "false"}, {"name": "of", "type": "PX_LIST"}],
        "globalFuncs": [{"outputName": "o", "func": {"name": "f", "args": [{"name": "a", "variable": "at"},
        {"name": "b", "variable": "n"}, {"name": "c", "variable": "on"}, {"name": "d", "variable": "of"}]}}]}"""
    )
    at = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
    with sylph.connect(socket=scripted) as conn:
        conn.run(tmp_path, at=at, n=4, on=True, of=["x", "it's"])
    expected = {"a": "2026-01-02 03:04:05.000006 +0000", "b": "4", "c": "true", "d": "['x', \"it's\"]"}
    assert handler.requests[0].calls == (FunctionCall("f", "o", expected),)


def test_an_error_of_a_script_has_its_place(conn, tmp_path):
    path = tmp_path / "bad.pxl"
    path.write_text(TEXT.replace("req_path", "reqpath"))
    with pytest.raises(sylph.CompileError) as caught:
        conn.run(path)
    (problem,) = caught.value.errors
    assert (problem.file, problem.line) == (str(path), 3)
    assert problem.text[problem.column - 1 :].startswith("'reqpath'")
    assert "did you mean 'req_path'?" in problem.hint
    assert f"{path} L3 : C" in str(caught.value)


def test_types_of_each_library(scripted):
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    with sylph.connect(socket=scripted) as conn:
        table = conn.run("import px").table
    arrow = table.arrow()
    assert arrow.schema.field("time_").type == pa.timestamp("ns", "UTC")
    assert arrow.schema.field("upid").type == pa.uuid()
    assert arrow.schema.field("latency").metadata[b"sylph.semantic_type"] == b"ST_DURATION_NS"
    assert arrow.column("upid").to_pylist()[2].int == 2
    frame = table.pandas()
    assert str(frame.dtypes["time_"]) == "datetime64[ns, UTC]"
    assert frame["time_"][1].value == 1_600_000_000_000_000_001
    assert frame["upid"][1] == "00000000-0000-0000-0000-000000000001"
    assert list(frame["latency"]) == [0, -1, -2]
    polars = table.polars()
    assert polars.schema["time_"] == pl.Datetime("ns", "UTC")
    assert polars["upid"][2] == "00000000-0000-0000-0000-000000000002"
    assert polars["rate"].to_list() == [0, 0.125, 0.25]
    # Libraries that read Arrow take the table as it is.
    assert pl.DataFrame(table).equals(polars)
    assert pd.DataFrame.from_arrow(table)["upid"][1] == frame["upid"][1]
    relation = table.duckdb()
    assert dict(zip(relation.columns, map(str, relation.types), strict=True))["upid"] == "UUID"
    assert relation.filter("latency < 0").aggregate("count(*), sum(rate)").fetchall() == [(2, 0.375)]


def test_the_same_rows_as_px_writes(conn, agent):
    ran = subprocess.run(
        [sys.executable, "-m", "sylph.cli.main", "run", "-f", "-", "-o", "csv"],
        input=TEXT.replace("'time_', ", ""),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PX_SOCKET": str(agent), "PYTHONPATH": str(Path(sylph.__file__).parents[1])},
    )
    expected = [line.removeprefix("first,") for line in ran.stdout.splitlines()[1:]]
    assert conn.run(TEXT).arrow().column("req_path").to_pylist() == expected


def test_several_tables(scripted, handler):
    handler.results = [TableMeta("a", RELATION), TableMeta("b", RELATION), Rows("b", make_batch(2))]
    with sylph.connect(socket=scripted) as conn:
        answer = conn.run("import px")
    assert [(name, len(table)) for name, table in answer.items()] == [("a", 0), ("b", 2)]
    assert answer["a"].arrow().num_rows == 0
    assert list(answer["a"].pandas().columns) == list(RELATION)
    with pytest.raises(sylph.SylphError, match="2 tables: 'a', 'b'"):
        answer.pandas()
    with pytest.raises(KeyError, match="the tables are 'a', 'b'"):
        answer["c"]


def test_warnings_are_never_silent(scripted, handler):
    handler.results = [TableMeta("a", RELATION), QueryWarning("one agent did not answer")]
    with sylph.connect(socket=scripted) as conn:
        with pytest.warns(sylph.AnswerWarning, match="one agent did not answer"):
            answer = conn.run("import px")
    assert answer.warnings == ("one agent did not answer",)
    assert "one agent did not answer" in repr(answer)
    assert "one agent did not answer" in answer._repr_html_()


def test_a_query_that_fails(scripted, handler):
    def results(_request, _cancel):
        yield TableMeta("a", RELATION)
        raise QueryError(Code.RESOURCE_EXHAUSTED, "the query needs more than 256 MiB")

    handler.results = results
    with sylph.connect(socket=scripted) as conn, pytest.raises(sylph.QueryFailed, match="256 MiB") as caught:
        conn.run("import px")
    assert caught.value.code == Code.RESOURCE_EXHAUSTED


def test_a_table_that_was_cut_says_so(conn):
    text = "import px\npx.display(px.DataFrame('http_events'))"
    with pytest.warns(sylph.AnswerWarning, match="table 'output' may have more rows than the 7 that"):
        answer = conn.run(text, max_rows=7)
    assert len(answer.table) == 7
    assert len(answer.warnings) == 1
    with pytest.warns(sylph.AnswerWarning, match="more rows than the 5"):
        conn.run(f"#px:set max_output_rows_per_table=5\n{text}")
    assert len(conn.run(text, max_rows=1_000_000).table) == len(conn.run(text).table) > 7

    def all_rows():
        return px.DataFrame("http_events")

    with pytest.warns(sylph.AnswerWarning, match="more rows than the 3"):
        assert len(conn.run(all_rows, max_rows=3).table) == 3
    for wrong in (0, 1_000_001):
        with pytest.raises(sylph.SylphError, match="from 1 to 1,000,000"):
            conn.run(text, max_rows=wrong)


def test_a_table_that_was_cut_at_what_an_answer_can_have_says_so(scripted, monkeypatch):
    monkeypatch.setattr("sylph.client.connection.MAX_ROWS", 3)
    with sylph.connect(socket=scripted) as conn:
        for text in ("import px", "#px:set max_output_rows_per_table=5\nimport px"):
            with pytest.warns(sylph.AnswerWarning, match="more rows than the 3 that an answer can have"):
                assert len(conn.run(text).table) == 3


def test_several_errors_and_one_without_a_line(scripted, handler):
    def results(_request, _cancel):
        raise compile_error(line=0, column=0, message="nothing is shown", hint="add px.display()")
        yield

    handler.results = results
    with sylph.connect(socket=scripted) as conn, pytest.raises(sylph.CompileError) as caught:
        conn.run("import px")
    assert str(caught.value) == "error: nothing is shown\nhelp: add px.display()"


def test_no_agent(tmp_path):
    with pytest.raises(sylph.AgentUnavailable, match="start it with: px up -d"):
        sylph.connect(socket=tmp_path / "px.sock")


def test_an_agent_that_ends(handler, tmp_path):
    server = serve(handler, unix=tmp_path / "px.sock")
    with sylph.connect(socket=tmp_path / "px.sock") as conn:
        conn.run("import px")
        server.stop(0)
        with pytest.raises(sylph.QueryFailed, match="px status"):
            conn.run("import px")


class Endless:
    """Rows without end, until it is cancelled."""

    def __init__(self) -> None:
        self.began, self.cancelled = threading.Event(), threading.Event()

    def __call__(self, _request, cancel):
        yield TableMeta("output", RELATION)
        try:
            while not cancel.wait(0.02):
                yield Rows("output", make_batch(2))
                self.began.set()
        finally:
            # The server closes what it does not want to be finished.
            self.cancelled.set()


def test_rows_come_before_the_end_and_closing_cancels(scripted, handler):
    handler.results = endless = Endless()
    with sylph.connect(socket=scripted) as conn:
        with conn.stream("import px") as stream:
            parts = [next(stream), next(stream)]
            assert [len(part) for part in parts] == [2, 2]
            assert parts[0].name == "output"
            assert stream.tables[0].schema.keys() == RELATION.keys()
            assert not endless.cancelled.is_set()
        assert endless.cancelled.wait(20)
        with pytest.raises(StopIteration):
            next(stream)


def test_an_iterator_that_is_dropped_cancels(scripted, handler):
    handler.results = endless = Endless()
    with sylph.connect(socket=scripted) as conn:
        for part in conn.stream("import px"):
            assert len(part) == 2
            break
        assert endless.cancelled.wait(20)


def test_ctrl_c_cancels_on_the_server(scripted, handler):
    handler.results = endless = Endless()
    with sylph.connect(socket=scripted) as conn:

        def interrupt() -> None:
            assert endless.began.wait(20)
            time.sleep(0.1)
            os.kill(os.getpid(), signal.SIGINT)

        thread = threading.Thread(target=interrupt)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            conn.run("import px")
        thread.join()
        assert endless.cancelled.wait(20)
        handler.results = [TableMeta("a", RELATION)]
        assert list(conn.run("import px")) == ["a"]


def test_a_time_limit(scripted, handler):
    handler.results = endless = Endless()
    with sylph.connect(socket=scripted) as conn:
        # Connected before, so that the query begins within its time on a slow machine too.
        conn.check()
        with pytest.raises(sylph.QueryFailed, match="no answer in time"):
            conn.run("import px", timeout=1)
    assert endless.cancelled.wait(20)


@pytest.fixture
def tls(handler, tmp_path):
    server = serve(handler, unix=tmp_path / "px.sock", tcp=Tcp("127.0.0.1", 0, (KEY,), tmp_path / "tls"))
    yield f"127.0.0.1:{server.tcp_port}", next((tmp_path / "tls").glob("*.crt"))
    server.stop(0)


def test_an_agent_elsewhere_over_tls(tls, monkeypatch):
    address, certificate = tls
    with sylph.connect(address, key=KEY, ca=certificate) as conn:
        assert len(conn.run("import px").table) == 3
    monkeypatch.setenv("PX_DIRECT_VIZIER_ADDR", address)
    monkeypatch.setenv("PX_DIRECT_VIZIER_KEY", KEY)
    monkeypatch.setenv("PX_DIRECT_VIZIER_CA", str(certificate))
    with sylph.connect() as conn:
        assert address in repr(conn)


def test_a_wrong_key_or_certificate_is_told_at_once(tls):
    address, certificate = tls
    with pytest.raises(sylph.QueryFailed, match=r"key=\.\.\."):
        sylph.connect(address, key="px-api-wrong", ca=certificate)
    with pytest.raises(sylph.AgentUnavailable, match="failed"):
        sylph.connect(address, key=KEY)
    with pytest.raises(sylph.SylphError, match="needs a key"):
        sylph.connect(address)
    with pytest.raises(sylph.SylphError, match="host:port"):
        sylph.connect("localhost", key=KEY)


def test_a_library_that_is_not_installed_is_named(conn, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    monkeypatch.setitem(sys.modules, "polars", None)
    answer = conn.run(TEXT)
    with pytest.raises(sylph.SylphError, match="pandas is not installed\nhelp: pip install pandas"):
        answer.pandas()
    with pytest.raises(sylph.SylphError, match="polars is not installed\nhelp: pip install polars"):
        answer.polars()


def test_importing_sylph_imports_little():
    heavy = "import sys, sylph; print(*{'grpc', 'pyarrow', 'pandas', 'duckdb', 'sylph.client'} & set(sys.modules))"
    environment = {"PYTHONPATH": str(Path(sylph.__file__).parents[1]), "PATH": os.environ["PATH"]}
    ran = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True, env=environment)
    assert ran.stdout.strip() == ""
    assert "connect" in dir(sylph)
    with pytest.raises(AttributeError):
        _ = sylph.nothing


def test_arguments_that_a_script_declares_itself(conn):
    text = (
        "import px\nrows = px.param('rows', 3)\ndf = px.DataFrame('http_events').sort('latency', ascending=False)\n"
        "px.display(df[['latency']].head(rows))\n"
    )
    assert len(conn.run(text).table) == 3
    assert len(conn.run(text, rows=2).table) == 2
    with pytest.raises(sylph.SylphError, match="rows must be a whole number, not 'many'"):
        conn.run(text, rows="many")
    with pytest.raises(sylph.SylphError, match="did you mean rows"):
        conn.run(text, row=1)
