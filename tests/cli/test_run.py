import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pyarrow as pa
import pytest

from sylph.query.answer import Code, FunctionCall, QueryError, QueryWarning, Rows, TableMeta
from sylph.tables.types import ColumnType, DataType, arrow_schema
from tests.api.support import RELATION, compile_error, make_batch, one_table
from tests.cli.conftest import environment

TEXT = {"a": ColumnType(DataType.STRING), "b": ColumnType(DataType.STRING)}


def text_table(*rows: tuple[str, str]):
    batch = pa.RecordBatch.from_arrays(
        [pa.array([row[i] for row in rows], pa.string()) for i in range(2)], schema=arrow_schema(TEXT)
    )
    return [TableMeta("output", TEXT), Rows("output", batch)]


def on_terminal(*arguments: str, columns: int = 80, **extra: str) -> str:
    """What `px` shows on a terminal."""
    main, side = pty.openpty()
    command = [sys.executable, "-m", "sylph.cli.main", *arguments]
    process = subprocess.Popen(
        command, stdin=side, stdout=side, stderr=side, env=environment(COLUMNS=str(columns), TERM="xterm", **extra)
    )
    os.close(side)
    out = bytearray()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if select.select([main], [], [], 0.1)[0]:
            try:
                chunk = os.read(main, 65536)
            except OSError:
                break
            out += chunk
        elif process.poll() is not None:
            break
    process.wait(30)
    os.close(main)
    return out.decode().replace("\r\n", "\n")


def test_a_table(px, agent, handler, script):
    ran = px("run", "-f", script)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[:3] == [
        "Table ID: output",
        "TIME_                           UPID                                  SSL    LATENCY   RATE  PATH",
        "2020-09-13T12:26:40Z            00000000-0000-0000-0000-000000000000  true      0 ns      0  /a0",
    ]
    assert ran.stderr == ""
    assert handler.requests[0].script == Path(script).read_text()
    assert handler.requests[0].calls == ()


def test_json_has_raw_values_in_order(px, agent, script):
    ran = px("run", "-f", script, "-o", "json")
    first, second, _ = ran.stdout.splitlines()
    assert json.loads(second) == {
        "_tableName_": "output",
        "time_": "2020-09-13T12:26:40.000000001Z",
        "upid": "00000000-0000-0000-0000-000000000001",
        "ssl": False,
        "latency": -1,
        "rate": 0.125,
        "path": "/a1",
    }
    assert list(json.loads(first))[:2] == ["_tableName_", "time_"]


def test_json_text(px, agent, handler, script):
    handler.results = text_table(("12.50", "007"), ('say "hi"\n', "\x9b1m 日本"), ("1e999", "NaN"))
    out = px("run", "-f", script, "-o", "json").stdout
    assert '"a":12.50,"b":"007"' in out
    assert "\x9b" not in out
    rows = [json.loads(line, parse_float=str) for line in out.splitlines()]
    assert [(row["a"], row["b"]) for row in rows] == [
        ("12.50", "007"),
        ('say "hi"\n', "\x9b1m 日本"),
        ("1e999", "NaN"),
    ]


def test_csv(px, agent, handler, script):
    handler.results = text_table(('plain "x"', 'a,"b"'), ("line\nbreak", ""))
    ran = px("run", "-f", script, "-o", "csv")
    assert ran.stdout == 'table_id,a,b\noutput,plain "x","a,""b"""\noutput,"line\nbreak",\n'


def test_arrow(px, agent, handler, script, tmp_path):
    handler.results = one_table()
    out = tmp_path / "answer.arrow"
    with out.open("wb") as file:
        subprocess.run(
            [sys.executable, "-m", "sylph.cli.main", "run", "-f", script, "-o", "arrow"],
            stdout=file,
            check=True,
            env=environment(PX_SOCKET=str(tmp_path / "px.sock")),
        )
    with pa.ipc.open_stream(out.read_bytes()) as stream:
        table = stream.read_all()
    assert table.schema.metadata == {b"table": b"output"}
    assert table.schema.field("time_").type == pa.timestamp("ns", "UTC")
    assert table.column("path").to_pylist() == ["/a0", "/a1", "/a2"]
    assert table.column("upid").to_pylist()[1].int == 1


def test_several_tables_and_an_empty_one(px, agent, handler, script):
    handler.results = [TableMeta("x", TEXT), TableMeta("y", TEXT), *text_table(("1", "2"))[1:]]
    handler.results[2] = Rows("y", handler.results[2].batch)
    assert px("run", "-f", script).stdout == "Table ID: x\nA  B\n\nTable ID: y\nA  B\n1  2\n"
    assert px("run", "-f", script, "-o", "csv").stdout == "table_id,a,b\ny,1,2\ntable_id,a,b\n"


def test_an_answer_without_rows_says_what_was_asked(px, agent, handler):
    handler.results = [TableMeta("output", TEXT), Rows("output", text_table()[1].batch, last=True)]
    ran = px("run", "px/upids", "--", "--namespace", "no such")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "Table ID: output\nA  B\n"
    assert ran.stderr == "no rows for: px/upids -- --start_time -5m --namespace 'no such'\n"
    assert px("run", "px/upids", "-o", "json").stderr == ""
    handler.results = text_table(("a", "b"))
    assert px("run", "px/upids").stderr == ""


def test_a_script_from_standard_input_and_from_a_folder(px, agent, handler, tmp_path):
    assert px("run", "-f", "-", stdin="from stdin").returncode == 0
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "any.pxl").write_text("from folder")
    (folder / "vis.json").write_text(
        json.dumps(
            {
                "variables": [
                    {"name": "start_time", "type": "PX_STRING", "defaultValue": "-5m"},
                    {"name": "n", "type": "PX_INT64", "defaultValue": "10"},
                    {"name": "pod", "type": "PX_POD"},
                ],
                "globalFuncs": [
                    {
                        "outputName": "rows",
                        "func": {
                            "name": "f",
                            "args": [{"name": "start", "variable": "start_time"}, {"name": "k", "value": "v"}],
                        },
                    }
                ],
                "widgets": [
                    {"name": "Pods", "func": {"name": "g", "args": [{"name": "pod", "variable": "pod"}]}},
                    {"name": "Shown", "globalFuncOutputName": "rows"},
                    {"func": {"name": "h"}},
                    {"func": {"name": "h"}},
                ],
            }
        )
    )
    ran = px("run", "-f", str(folder), "--", "--pod=ns/a", "-n", "5", "--start_time", "-1h")
    assert ran.returncode == 0, ran.stderr
    assert handler.requests[0].script == "from stdin"
    assert handler.requests[1].calls == (
        FunctionCall("f", "rows", {"start": "-1h", "k": "v"}),
        FunctionCall("g", "Pods", {"pod": "ns/a"}),
        FunctionCall("h", "widget", {}),
        FunctionCall("h", "widget_2", {}),
    )
    for arguments, words in {
        (): "needs --pod",
        ("--pod", "x", "--n", "many"): "--n must be a whole number, not 'many'",
        ("--pdo", "x"): "did you mean --pod?",
        ("--pod",): "--pod needs a value",
        ("pod",): "write it as --name value",
    }.items():
        ran = px("run", "-f", str(folder), "--", *arguments)
        assert ran.returncode == 1
        assert words in ran.stderr
        assert ran.stdout == ""
    ran = px("run", "-f", str(folder), "--", "--help")
    assert ran.returncode == 0
    assert "--pod pod  (required)" in ran.stdout
    assert '--n int64  (default "10")' in ran.stdout


@pytest.mark.parametrize(
    ("text", "mutation"),
    [("import pxtrace\n", True), ("import px\nfrom pxtrace import x", True), ("# import pxtrace", False)],
)
def test_a_script_that_traces_is_a_mutation(px, agent, handler, text, mutation):
    px("run", "-f", "-", stdin=text)
    assert handler.requests[0].mutation is mutation


def test_errors_of_a_script_show_their_line(px, agent, handler, tmp_path):
    def results(_request, _cancel):
        raise compile_error(line=2, column=8, message="no column 'pat' in http_events", hint="did you mean 'path'?")
        yield

    handler.results = results
    path = tmp_path / "bad.pxl"
    path.write_text("import px\ndf = df.pat\n")
    ran = px("run", "-f", str(path))
    assert ran.returncode == 1
    assert ran.stdout == ""
    assert ran.stderr == (
        "error: no column 'pat' in http_events\n"
        f" --> {path} L2 : C8\n"
        "  |\n"
        "2 | df = df.pat\n"
        "  |        ^\n"
        "help: did you mean 'path'?\n"
    )


def test_a_query_that_fails(px, agent, handler, script):
    def results(_request, _cancel):
        yield TableMeta("output", TEXT)
        raise QueryError(Code.RESOURCE_EXHAUSTED, "the query needs more than 256 MiB")

    handler.results = results
    ran = px("run", "-f", script)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == "error: the query needs more than 256 MiB\n"


def test_warnings_are_not_data(px, agent, handler, script):
    handler.results = [*text_table(("1", "2")), QueryWarning("only 10000 rows are shown")]
    ran = px("run", "-f", script)
    assert ran.stdout == "Table ID: output\nA  B\n1  2\n"
    assert ran.stderr == "warning: only 10000 rows are shown\n"


def test_no_agent(px, script):
    ran = px("run", "-f", script)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "no agent runs here" in ran.stderr
    assert "start it with: px up -d" in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run"], "give a script's id or a file"),
        (["run", "a/b", "-f", "x"], "give a script's id or a file"),
        (["run", "-f", "/nonexistent"], "No such file"),
        (["run", "px/nothing-like-it"], "px script list shows all"),
        (["run", "../../etc"], "no script is named"),
        (["rum"], "Did you mean 'run'?"),
        (["run", "-o", "xml"], "'xml' is not one of"),
        (["run", "--unknown"], "No such option"),
    ],
)
def test_wrong_use_ends_with_1_and_says_why(px, arguments, words):
    ran = px(*arguments)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert words in ran.stderr


def test_a_pipe_closed_early_is_no_error(agent, handler, script, tmp_path):
    handler.results = [TableMeta("output", RELATION), Rows("output", make_batch(20_000))]
    px = f"{sys.executable} -m sylph.cli.main run -f {script} -o json"
    ran = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {px} | head -1"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env=environment(PX_SOCKET=str(tmp_path / "px.sock")),
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert len(ran.stdout.splitlines()) == 1


def test_ctrl_c_cancels_the_query(agent, handler, script, tmp_path):
    began, cancelled = threading.Event(), threading.Event()

    def results(_request, cancel):
        yield TableMeta("output", TEXT)
        began.set()
        if cancel.wait(20):
            cancelled.set()

    handler.results = results
    process = subprocess.Popen(
        [sys.executable, "-m", "sylph.cli.main", "run", "-f", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(PX_SOCKET=str(tmp_path / "px.sock")),
    )
    assert began.wait(20)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert (out, err) == ("", "")
    assert cancelled.wait(20)


def test_on_a_terminal_tables_fit_and_have_colours(agent, handler, script):
    handler.results = [TableMeta("output", RELATION), Rows("output", make_batch(2, "/日本" * 30))]
    shown = on_terminal("run", "-f", script, columns=70, PX_SOCKET=str(agent))
    assert "\x1b[32mtrue" in shown
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    rows = plain.splitlines()[1:]
    assert all(len(row) + sum(c in "日本" for c in row) <= 70 for row in rows)
    assert "…" in rows[1]


def test_a_terminal_too_narrow_for_all_columns_says_which_are_left_out(agent, script):
    shown = re.sub(r"\x1b\[[0-9;]*m", "", on_terminal("run", "-f", script, columns=40, PX_SOCKET=str(agent)))
    assert "too narrow: " in shown
    assert "path" in shown.splitlines()[-1]


def test_no_color_is_respected(agent, script):
    assert "\x1b" not in on_terminal("run", "-f", script, PX_SOCKET=str(agent), NO_COLOR="1")


@pytest.mark.parametrize("format_name", ["table", "csv", "json"])
def test_captured_bytes_do_not_command_the_terminal(agent, handler, script, format_name):
    handler.results = text_table(("\x1b]0;owned\x07\x1b[2J", "\x9b31m\u202eevil"))
    shown = on_terminal("run", "-f", script, "-o", format_name, PX_SOCKET=str(agent), NO_COLOR="1")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", shown)
    assert "owned" in shown


def test_arrow_is_not_for_terminals(agent, script):
    assert "arrow is not text" in on_terminal("run", "-f", script, "-o", "arrow", PX_SOCKET=str(agent))


@pytest.mark.parametrize("format_name", ["table", "json", "csv"])
def test_a_full_disk_is_an_error_and_a_closed_output_is_none(agent, script, tmp_path, format_name):
    px = f"{sys.executable} -m sylph.cli.main run -f {script} -o {format_name}"
    environ = environment(PX_SOCKET=str(tmp_path / "px.sock"))
    ran = subprocess.run(["bash", "-c", f"{px} > /dev/full"], capture_output=True, text=True, check=False, env=environ)
    assert ran.returncode == 1
    assert ran.stderr == "error: cannot write the answer: No space left on device\n"
    ran = subprocess.run(["bash", "-c", f"{px} >&-"], capture_output=True, text=True, check=False, env=environ)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_an_encoding_without_the_characters_escapes_them(px, agent, handler, script):
    handler.results = text_table(("日本", "ok"))
    ran = px("run", "-f", script, PYTHONIOENCODING="ascii")
    assert ran.returncode == 0, ran.stderr
    assert "\\u65e5\\u672c" in ran.stdout


def test_an_argument_that_is_not_text_is_refused(agent, script, tmp_path):
    ran = subprocess.run(
        [sys.executable, "-m", "sylph.cli.main", "run", "-f", script, "--", b"--a=\xff"],
        capture_output=True,
        text=True,
        check=False,
        env=environment(PX_SOCKET=str(tmp_path / "px.sock")),
    )
    assert ran.returncode == 1
    assert "is not UTF-8 text" in ran.stderr
