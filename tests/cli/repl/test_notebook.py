"""What inputs of a prompt mean together, without a terminal or an agent."""

import pytest

from sylph.cli.repl.history import MAX_BYTES, prepare
from sylph.cli.repl.notebook import SHOWN_ROWS, Notebook, value_text
from sylph.cli.repl.prompt import is_complete
from sylph.pxl.compile import compile_script

FRAME = "df = px.DataFrame('http_events', start_time='-5m')"


def test_what_is_sent_compiles_and_holds_what_was_defined():
    notebook = Notebook()
    assert notebook.read(FRAME).question is None
    asked = notebook.read("df.a = 1; df.b = 2  # two\ndf[['a', 'b']]").question
    assert asked.head
    assert asked.source == (
        f"import px\n{FRAME}\ndf.a = 1; df.b = 2  # two\n\npx.display((df[['a', 'b']]).head({SHOWN_ROWS}), )\n".replace(
            ", )", ")"
        )
    )
    (sink,) = compile_script(asked.source).sinks
    assert list(sink.input.relation) == ["a", "b"]
    assert notebook.definitions == f"import px\n{FRAME}\ndf.a = 1\ndf.b = 2\n"


def test_what_was_shown_is_not_shown_again():
    notebook = Notebook()
    notebook.read(FRAME)
    first = notebook.read("px.display(df, 'first')\nn = 1").question
    assert [sink.name for sink in compile_script(first.source).sinks] == ["first"]
    assert not first.head
    second = notebook.read("px.display(df.head(n), 'second')").question
    assert [sink.name for sink in compile_script(second.source).sinks] == ["second"]
    assert "first" not in notebook.definitions


def test_a_streaming_dataframe_is_shown_as_it_is():
    notebook = Notebook()
    asked = notebook.read("px.DataFrame('http_events').stream()").question
    assert not asked.head
    assert compile_script(asked.source).sinks


def test_an_input_with_an_error_leaves_nothing_behind():
    notebook = Notebook()
    (problem,) = notebook.read(f"{FRAME}\ndf.a = df.nope").problems
    assert (problem.file, problem.line, problem.column, problem.text) == ("input", 2, 11, "df.a = df.nope")
    assert notebook.definitions == "import px\n"
    (problem,) = notebook.read("df").problems
    assert "name 'df' is not defined" in problem.message


def test_an_error_in_a_function_of_an_earlier_input():
    notebook = Notebook()
    notebook.read("def f(df):\n    return df[df.nope == 1]\n")
    (problem,) = notebook.read("f(px.DataFrame('http_events'))").problems
    assert (problem.file, problem.text) == ("earlier input", "    return df[df.nope == 1]")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1 + 2", "3"),
        ("'it' + 's'", "'its'"),
        ("px.minutes(2)", "120000000000"),
        ("px.abs", "abs("),
        (f"{FRAME}\ndf.latency * 2", "INT64"),
    ],
)
def test_values(text, told):
    (value,) = Notebook().read(text).value
    assert value_text(value).startswith(told)


@pytest.mark.parametrize(
    "text", ["", "# a comment", "'a text'", "df = = 1", "(" * 300, "x" * 200_000, "\x00", "\ud800"]
)
def test_any_input_is_taken(text):
    Notebook().read(text)


def test_a_probe_is_kept_since_what_follows_needs_it():
    notebook = Notebook()
    program = 'kprobe:tcp_drop { printf(\\"time_:%llu pid:%u\\", nsecs, pid); }'
    asked = notebook.read(
        f"import pxtrace\npxtrace.UpsertTracepoint('t', 'drops', \"{program}\", pxtrace.kprobe(), '1m')"
    )
    assert asked.question is not None
    assert "UpsertTracepoint" in notebook.definitions
    assert notebook.read("px.DataFrame('drops')").question is not None


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        ("", True),
        ("df", True),
        ("f(", False),
        ("f(\n    1,", False),
        ("f(\n    1)", True),
        ("def f():", False),
        ("def f():\n    return 1", False),
        ("def f():\n    return 1\n    ", True),
        ("def f():\n    return 1\n\nf()", True),
        ("@px.vis.vega('a')", False),
        ("x = '''a", False),
        ("x = = 1", True),
        (".run px/http_data (", True),
    ],
)
def test_when_an_input_is_complete(text, complete):
    assert is_complete(text) is complete


def test_the_history_is_bounded_and_private(tmp_path):
    path = tmp_path / "new" / "history"
    prepare(path)
    entries = "".join(f"\n# 2026-01-01 00:00:00\n+input {number}\n" for number in range(60_000))
    path.write_text(entries)
    path.chmod(0o644)
    assert len(entries) > MAX_BYTES
    prepare(path)
    kept = path.read_text()
    assert MAX_BYTES // 4 < len(kept) <= MAX_BYTES // 2 + 2
    assert kept.startswith("\n# 2026-01-01")
    assert kept.endswith("+input 59999\n")
    assert path.stat().st_mode & 0o777 == 0o600
    link = tmp_path / "link"
    link.symlink_to(path)
    with pytest.raises(OSError, match="symbolic"):
        prepare(link)
