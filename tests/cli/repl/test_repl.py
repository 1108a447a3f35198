"""px repl on a real terminal, against a real engine over known rows."""

import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sylph.api.server import serve
from sylph.query.answer import Rows, TableMeta
from sylph.tables import TABLES
from sylph.tables.rows import record_batch
from sylph.testing.dataset import MemoryDataset
from tests.api.live import live_server
from tests.api.support import RELATION, Handler, answering, make_batch, serving
from tests.cli.conftest import environment
from tests.cli.repl.terminal import Terminal
from tests.query.live import http

PROMPT = r"px>"
CTRL_C, CTRL_D, TAB, UP = "\x03", "\x04", "\t", "\x1b[A"


@pytest.fixture
def agent(tmp_path) -> Iterator[Path]:
    data = MemoryDataset()
    now = time.time_ns()
    rows = [
        {"time_": now - (120 - i) * 10**9 // 2, "remote_addr": f"10.0.0.{i}", "bytes_sent": 1024 * i}
        for i in range(120)
    ]
    data.add("conn_stats", record_batch(TABLES["conn_stats"].relation, rows))
    with answering(data, tmp_path) as path:
        yield path


@pytest.fixture
def start(tmp_path) -> Iterator[Callable[[], Terminal]]:
    opened: list[Terminal] = []

    def make(**extra: str) -> Terminal:
        # A terminal that does not tell where its cursor is, as some do not.
        variables = environment(
            PX_SOCKET=str(tmp_path / "px.sock"),
            XDG_STATE_HOME=str(tmp_path / "state"),
            TERM="xterm",
            COLUMNS="120",
            LINES="40",
            NO_COLOR="1",
            PROMPT_TOOLKIT_NO_CPR="1",
            **extra,
        )
        opened.append(Terminal(["-m", "sylph.cli.main", "repl"], variables))
        return opened[-1]

    yield make
    for terminal in opened:
        terminal.close()


@pytest.fixture
def repl(agent, start) -> Terminal:
    terminal = start()
    terminal.expect("PxL on .*; .help lists commands, Ctrl-D ends")
    terminal.expect(PROMPT)
    return terminal


def test_names_stay_and_a_dataframe_on_the_last_line_is_shown(repl):
    repl.type("df = px.DataFrame('conn_stats', start_time='-5m')\r")
    repl.expect(PROMPT)
    repl.type("df = df[['remote_addr', 'bytes_sent']]\r")
    repl.expect(PROMPT)
    repl.type("df.head(2)\r")
    repl.expect(r"REMOTE_ADDR +BYTES_SENT\n10\.0\.0\.0 +0\.0 B\n10\.0\.0\.1 +1\.0 KiB\n")
    repl.expect(PROMPT)
    repl.type("df.kib = df.bytes_sent / 1024; df[df.kib > 117.0]\r")
    repl.expect(r"KIB\n10\.0\.0\.118 +118 KiB +118\n10\.0\.0\.119 +119 KiB +119\n")
    repl.expect(PROMPT)
    repl.type("df\r")
    repl.expect(r"10\.0\.0\.49 .*\nthe first 50 rows; px\.display\(\.\.\.\) shows all\n")
    repl.expect(PROMPT)
    repl.type("px.display(df, 'all')\r")
    repl.expect(r"Table ID: all\n")
    rest = repl.expect(rf"10\.0\.0\.119 [^>]*{PROMPT}")
    assert "the first" not in rest.group()


def test_a_narrow_terminal_tells_how_to_see_other_columns(repl):
    repl.type("px.DataFrame('conn_stats').head(1)\r")
    repl.expect(r"not shown, the terminal is too narrow: [^(]*\(df\[\['COLUMN', \.\.\.\]\] chooses\)")
    repl.expect(PROMPT)
    repl.type(".run px/http_data\r")
    repl.expect(r"\(px run px/http_data -o json has all\)")


def test_a_function_over_several_lines(repl):
    repl.type("def least(n: int):\r")
    repl.expect(r"\.\.\.")
    repl.type("df = px.DataFrame('conn_stats')\r")
    repl.expect(r"\.\.\.")
    repl.type("return df[df.bytes_sent >= n * 1024][['remote_addr']]\r\r")
    repl.expect(PROMPT)
    repl.type("least(\r")
    repl.expect(r"\.\.\.")
    repl.type("119)\r")
    repl.expect(r"REMOTE_ADDR\n10\.0\.0\.119\n")
    repl.expect(PROMPT)
    repl.type("least\r")
    repl.expect(r"least\(n: int\)")
    repl.type(".defs\r")
    repl.expect(r"import px\ndef least\(n: int\):\n    df = px.DataFrame\('conn_stats'\)\n    return df\[")


def test_errors_have_a_caret_and_leave_names_as_they_were(repl):
    repl.type("df = px.DataFrame('conn_stats')\r")
    repl.expect(PROMPT)
    repl.type("df.x = df.bytes_snt\r")
    repl.expect(r"error: column 'bytes_snt' not found in this DataFrame\n *--> input L1 : C11\n")
    repl.expect(r"1 \| df\.x = df\.bytes_snt\n +\| {11}\^\nhelp: did you mean 'bytes_sent'\?\n")
    repl.expect(PROMPT)
    repl.type("df[['bytes_sent']].head(1)\r")
    repl.expect(r"BYTES_SENT\n +0\.0 B\n")
    repl.expect(PROMPT)
    repl.type("df = = 3\r")
    repl.expect(r"SyntaxError: invalid syntax\n *--> input L1 : C6")
    repl.expect(PROMPT)
    repl.type("nothing\r")
    repl.expect("name 'nothing' is not defined")
    repl.expect(PROMPT)
    repl.type("df.groupby('remote_addr')\r")
    repl.expect("DataFrame grouped by remote_addr")


def complete(repl: Terminal, keys: str, shown: str) -> None:
    """Presses Tab behind `keys`, and waits for what the terminal then shows."""
    repl.type(keys + TAB)
    repl.expect(shown)


def test_completion(repl):
    complete(repl, "df = px.DataFr", "ame")
    complete(repl, "('conn_s", "tats")
    repl.type("')\r")
    repl.expect(PROMPT)
    complete(repl, "df[['bytes_se", "nt")
    repl.type("']].head(1)\r")
    repl.expect(r"BYTES_SENT\n +0\.0 B\n")
    repl.expect(PROMPT)
    complete(repl, "df.remote", "remote_addr.*column +STRING.*\n.*remote_port.*column +INT64")


def test_completion_of_scripts_and_their_arguments(repl):
    complete(repl, ".run px/net_flow_g", "raph")
    complete(repl, " --start", "_time=")
    repl.type("-1m\r")
    repl.expect("error: px/net_flow_graph needs --namespace")


def test_commands(repl, tmp_path):
    repl.type(".help\r")
    repl.expect(r"\.run SCRIPT \[--name value \.\.\.\] +run a script")
    repl.type(".tables conn_stats\r")
    repl.expect(r"bytes_sent +INT64, ST_BYTES ")
    repl.type(".scripts http_data\r")
    repl.expect("px/http_data_filtered")
    repl.type(".run px/schemas\r")
    repl.expect("TABLE_NAME")
    repl.expect(PROMPT)
    repl.type(".run px/http_data --nothing=1\r")
    repl.expect("error: px/http_data has no argument --nothing\nhelp: it takes --start_time")
    repl.type("n = 3\r")
    repl.expect(PROMPT)
    repl.type("n\r")
    repl.expect(r"\n3\n")
    repl.type(f".save {tmp_path}/mine.pxl\r")
    repl.expect(PROMPT)
    repl.type(f".save {tmp_path}/mine.pxl\r")
    repl.expect("mine.pxl exists")
    assert (tmp_path / "mine.pxl").read_text() == "import px\nn = 3\n"
    repl.type(".clear\r")
    repl.expect(PROMPT)
    repl.type("n\r")
    repl.expect("name 'n' is not defined")
    repl.type(".nothing\r")
    repl.expect("no command .nothing")
    repl.type("px.abs\r")
    repl.expect(r"abs\(.*\) -> Column")
    repl.type(".quit\r")
    assert repl.end() == 0


def test_ctrl_d_ends_and_the_history_is_kept_for_its_owner_only(repl, start, tmp_path):
    repl.type("first_name = 1\r")
    repl.expect(PROMPT)
    repl.type("ab" + CTRL_C)
    repl.expect(PROMPT)
    repl.type(CTRL_D)
    assert repl.end() == 0
    history = tmp_path / "state" / "sylph" / "repl_history"
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    assert stat.S_IMODE(history.parent.stat().st_mode) == 0o700
    assert "first_name = 1" in history.read_text()
    again = start()
    again.expect(PROMPT)
    again.type(UP)
    again.expect("first_name = 1")
    again.type("\r")
    again.expect(PROMPT)
    again.type("first_name\r")
    again.expect(r"\n1\n")


def test_bytes_that_are_no_text_and_a_history_that_cannot_be_written(repl, tmp_path):
    repl.type(b"n = '\xff'\r")
    repl.expect("error: the script is not valid Unicode text")
    repl.expect(PROMPT)
    history = tmp_path / "state" / "sylph" / "repl_history"
    assert "udcff" in history.read_text()
    history.unlink()
    history.symlink_to("/dev/full")
    repl.type("n = 1\r")
    repl.expect("repl_history: No space left on device\nhelp: what is typed is not kept")
    repl.type("n\r")
    repl.expect(r"\n1\n")


def test_ctrl_c_cancels_the_query_only(start, tmp_path):
    began, cancelled = threading.Event(), threading.Event()

    def results(_request, cancel):
        yield TableMeta("output", RELATION)
        began.set()
        if cancel.wait(20):
            cancelled.set()

    handler = Handler(results)
    server = serve(handler, unix=tmp_path / "px.sock")
    try:
        repl = start()
        repl.expect(PROMPT)
        repl.type("df = px.DataFrame('http_events')\r")
        repl.expect(PROMPT)
        repl.type("df\r")
        assert began.wait(20)
        repl.type(CTRL_C)
        repl.expect("cancelled\n")
        assert cancelled.wait(20)
        repl.expect(PROMPT)
        handler.results = [TableMeta("output", RELATION), Rows("output", make_batch(1))]
        repl.type("df\r")
        repl.expect(r"TIME_ .*\n2020-09-13T12:26:40Z")
        assert handler.requests[-1].script.startswith("import px\ndf = px.DataFrame('http_events')\n")
        repl.expect(PROMPT)
        server.stop(0)
        repl.type("df\r")
        repl.expect("error: .*\nhelp: see whether the agent runs: px status")
        repl.expect(PROMPT)
        repl.type(CTRL_D)
        assert repl.end() == 0
    finally:
        server.stop(0)


def test_a_stream_is_shown_as_it_comes_until_ctrl_c(start, tmp_path):
    with live_server(tmp_path) as (store, _):
        repl = start()
        repl.expect(PROMPT)
        repl.type("df = px.DataFrame('http_events', select=['latency', 'req_path'])\r")
        repl.expect(PROMPT)
        repl.type("df.stream()\r")
        for number in (1, 2, 3):
            store.append("http_events", http({"time_": 0, "latency": number, "req_path": f"/p{number}"}))
            repl.expect(rf"{number} ns +/p{number}\n")
        repl.type(CTRL_C)
        repl.expect("cancelled\n")
        repl.expect(PROMPT)
        repl.type("df\r")
        repl.expect(r"3 ns +/p3\n")


def test_captured_bytes_do_not_command_the_terminal(start, tmp_path):
    handler = Handler([TableMeta("output", RELATION), Rows("output", make_batch(1, "\x1b]0;owned\x07"))])
    with serving(handler, tmp_path):
        repl = start()
        repl.expect(PROMPT)
        repl.type("px.DataFrame('http_events')\r")
        repl.expect(r"\\x1b\]0;owned\\x07")


def test_without_a_terminal_or_an_agent(px, agent, tmp_path):
    ran = px("repl")
    assert ran.returncode == 1
    assert "px repl needs a terminal" in ran.stderr


def test_no_agent(start):
    terminal = start()
    terminal.expect("no agent runs here")
    terminal.expect("start it with: px up -d")
    assert terminal.end() == 1
