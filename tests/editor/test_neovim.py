"""`px lsp` in Neovim itself, with the settings of docs/pxl/editors.md: keys are typed, and what it shows is read."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.editor import neovim
from tests.editor.neovim import TIMEOUT_S, Neovim

pytestmark = [
    pytest.mark.skipif(
        (neovim.version() or (0, 0)) < (0, 7), reason="needs Neovim 0.7 or newer, which `make test` installs"
    ),
    pytest.mark.timeout(600),
]

SCRIPT = """\
import px

df = px.DataFrame('http_events', start_time='-5m')
df.ms = df.latncy / 1000000
px.display(df[['time_', 'ms']])
"""
DIAGNOSTICS = "vim.diagnostic.get(0)"


@pytest.fixture
def script(tmp_path) -> Path:
    path = tmp_path / "slow requests.pxl"
    path.write_text(SCRIPT)
    return path


@pytest.fixture
def editor(tmp_path, script) -> Iterator[Neovim]:
    with neovim.started(tmp_path, script) as found:
        yield found


def messages(found: list[dict[str, str]]) -> list[str]:
    return [one["message"] for one in found]


def words(editor: Neovim, wanted: str) -> list[str]:
    """What is offered at the cursor, once `wanted` is."""
    return editor.until("map(complete_info(['items']).items, 'v:val.word')", lambda found: wanted in found)


def test_diagnostics_follow_edits(editor):
    (found,) = editor.lua(DIAGNOSTICS, bool)
    assert (found["lnum"], found["col"], found["end_col"], found["severity"]) == (3, 11, 17, 1)
    assert found["message"] == "column 'latncy' not found in this DataFrame\nhelp: did you mean 'latency'?"
    editor.to(4, "latncy")
    editor.type("cwlatency<Esc>")
    editor.lua(DIAGNOSTICS, lambda found: not found)
    editor.type("Godf.x = px.lenth('a')<Esc>")
    (found,) = editor.lua(DIAGNOSTICS, bool)
    assert found["lnum"] == 5
    assert "did you mean 'length'?" in found["message"]
    editor.type("u")
    editor.lua(DIAGNOSTICS, lambda found: not found)


def test_completion_of_columns_functions_and_keys(editor):
    editor.lua(DIAGNOSTICS, bool)
    editor.to(4, "latncy")
    editor.type("C<C-x><C-o>")
    assert {"req_path", "groupby"} <= set(words(editor, "latency"))
    editor.type("<Esc>4GSdf.ms = px.<C-x><C-o>")
    assert {"DataFrame", "length"} <= set(words(editor, "contains"))
    editor.type("<Esc>4GSdf.pod = df.ctx['<C-x><C-o>")
    assert "service" in words(editor, "pod")
    # A single one is put in, behind what is there.
    editor.type("<Esc>4GSdf.ms = px.DataFr<C-x><C-o>")
    editor.until("getline('.')", lambda line: line == "df.ms = px.DataFrame")
    editor.type("<Esc>4GSdf.pod = df.ctx['servi<C-x><C-o>")
    assert words(editor, "service") == ["service", "service_id", "service_name"]
    editor.until("getline('.')", lambda line: line == "df.pod = df.ctx['service")


def windows(editor: Neovim, wanted: str) -> str:
    """The text of a floating window in which `wanted` is written."""
    floating = "filter(nvim_list_wins(), {_, one -> nvim_win_get_config(one).relative != ''})"
    lines = f"map({floating}, {{_, one -> join(nvim_buf_get_lines(nvim_win_get_buf(one), 0, -1, v:false), ' ')}})"
    return " ".join(editor.until(lines, lambda found: any(wanted in one for one in found)))


def test_hover_and_signature(editor):
    editor.lua(DIAGNOSTICS, bool)
    editor.to(4, "latncy")
    editor.type("cwlatency<Esc>")
    editor.lua(DIAGNOSTICS, lambda found: not found)
    editor.to(4, "latency")
    editor.type("K")
    assert "INT64, ST_DURATION_NS" in windows(editor, "latency")
    editor.to(3, "DataFrame")
    editor.type("K")
    assert "start_time" in windows(editor, "Rows of a table")
    editor.type("<Esc>4GSdf.ms = px.contains(df.req_path, ")
    editor.type("<Cmd>lua vim.lsp.buf.signature_help()<CR>")
    windows(editor, "part: Column | str")


def test_saving_formats(editor, script):
    editor.lua(DIAGNOSTICS, bool)
    editor.to(4, "latncy")
    editor.type('cwlatency  -  df["latency"]<Esc>')
    editor.lua(DIAGNOSTICS, lambda found: not found)
    editor.type(":write<CR>")
    editor.until("&modified", lambda modified: not modified)
    assert script.read_text().splitlines()[3] == 'df.ms = df.latency - df["latency"] / 1000000'


def test_colours_comments_and_indentation_are_those_of_python(editor):
    editor.until("synIDattr(synID(1, 1, 1), 'name')", lambda name: name == "pythonInclude")
    assert editor.ask("&commentstring") == "# %s"
    editor.type("Godef f(df):<CR>return df<Esc>")
    editor.until("getline(5, '$')", lambda lines: lines[1:] == ["def f(df):", "    return df"])


def test_a_closed_script_has_no_diagnostics_and_the_server_ends_with_the_editor(editor):
    editor.lua(DIAGNOSTICS, bool)
    (server,) = editor.servers()
    editor.type(":enew | bdelete 1<CR>")
    editor.lua("vim.diagnostic.get()", lambda found: not found)
    assert editor.servers() == [server]
    editor.type(":qall!<CR>")
    assert editor.process.wait(TIMEOUT_S) == 0
    ends(server)


def ends(server: int) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while Path(f"/proc/{server}").exists():
        assert time.monotonic() < deadline, "the server is still there"
        time.sleep(0.05)


def test_the_server_ends_when_the_editor_is_killed(editor):
    editor.lua(DIAGNOSTICS, bool)
    (server,) = editor.servers()
    editor.process.kill()
    ends(server)
