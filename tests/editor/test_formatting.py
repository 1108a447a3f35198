"""Formatting gives one layout and never changes what a script means."""

import io
import random
import tokenize
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sylph.editor.formatting import FormatError, format_source, format_sources
from sylph.plan.text import plan_text
from sylph.pxl.compile import ExecFunc, check_script
from sylph.pxl.entry import signature
from sylph.pxl.errors import CompileError
from tests.library.test_columns import compiled as library_compiled
from tests.pxl.test_fuzz import HOSTILE, programs

ROOT = Path(__file__).parents[2]
NOW_NS = 1_700_000_000_000_000_000
LIBRARY = {str(path.relative_to(ROOT)): path.read_text() for path in sorted(ROOT.glob("src/sylph/**/*.pxl"))}
FIXTURES = {str(path.relative_to(ROOT)): path.read_text() for path in sorted(ROOT.glob("tests/pxl/fixtures/*.pxl"))}
RELAXED = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=60)


def meaning(source: str, calls: tuple[ExecFunc, ...] = ()) -> object:
    """What a script asks for, or the errors it has, without their places."""
    try:
        found = check_script(source, now_ns=NOW_NS, exec_funcs=calls)
    except CompileError as error:
        return sorted((each.message, each.hint) for each in error.errors)
    return plan_text(found.plan), found.plan.max_output_rows, found.plan.explain, found.mutations, found.exports


def calls_of(source: str) -> tuple[ExecFunc, ...]:
    """Every function of a script, called with some value for each argument."""
    values = {"int": "5", "float": "0.5", "bool": "true"}
    return tuple(
        ExecFunc(
            each.name,
            f"out{number}",
            {arg.name: "-5m" if "time" in arg.name else values.get(arg.annotation, "5") for arg in each.arguments},
        )
        for number, each in enumerate(signature(source))
        if all(arg.annotation for arg in each.arguments)
    )


def test_every_script_of_the_library_means_the_same():
    formatted = format_sources(LIBRARY)
    assert len(formatted) > 80
    for name, source in LIBRARY.items():
        after = formatted[name]
        assert isinstance(after, str), (name, after)
        calls = calls_of(source)
        assert meaning(source, calls) == meaning(after, calls), name
    again = format_sources(formatted)
    assert again == formatted


def test_fixtures_mean_the_same():
    formatted = format_sources(FIXTURES)
    for name, source in FIXTURES.items():
        after = formatted[name]
        if isinstance(after, str):
            assert meaning(source) == meaning(after), name
            assert format_source(after) == after
        else:
            assert isinstance(after, CompileError), (name, after)
            assert name.endswith("error_syntax.pxl")


def loosened(source: str, rng: random.Random) -> str:
    """The same script in a careless layout: spaces, breaks, comments and flags at odd places."""
    lines, depth, changes = source.split("\n"), 0, []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        row, column = token.end
        if token.type == tokenize.NEWLINE:
            row, column = token.start
            changes.append((row, column, rng.choice(["", "", " ", "  #px:set explain=true"])))
            changes.append((row, column, rng.choice(["", "", "", "\n\n\n", "\n#px:set analyze=true", "\n#c"])))
        elif token.type == tokenize.OP:
            depth += token.string in "([{"
            depth -= token.string in ")]}"
            if depth and rng.random() < 0.3:
                breaks = [" ", "\n", "  # why\n   ", "\n#px:set max_output_rows_per_table=7\n", "\t"]
                changes.append((row, column, rng.choice(breaks)))
    for row, column, text in reversed(changes):
        lines[row - 1] = lines[row - 1][:column] + text + lines[row - 1][column:]
    return "\n".join(lines)


@RELAXED
@given(st.sampled_from(list(LIBRARY.values())), st.randoms(use_true_random=False))
def test_careless_layouts_mean_the_same(source, rng):
    loose = loosened(source, rng)
    calls = calls_of(source)
    before = meaning(loose, calls)
    after = format_source(loose)
    assert meaning(after, calls) == before
    assert format_source(after) == after
    assert after.count("#px:set") >= sum(line.startswith("#px:set") for line in loose.split("\n"))


@RELAXED
@given(programs)
def test_generated_programs_mean_the_same(source):
    try:
        after = format_source(source)
    except CompileError:
        return
    assert meaning(after) == meaning(source)
    assert format_source(after) == after


@pytest.mark.parametrize("name", [name for name, text in HOSTILE.items() if len(text) < 60_000])
def test_hostile_sources_end_with_a_result_or_an_error(name):
    result = format_sources({"x": HOSTILE[name]})["x"]
    assert isinstance(result, str | CompileError | FormatError)


def test_the_layout():
    source = """\
import px
def f(start_time:str):
    df=px.DataFrame(table="http_events",   start_time = start_time)   #all
    df.very_long_name_of_a_column = px.select(df.resp_status >= 400, px.length(df.req_path), px.length(df.resp_body))
    return df['time_'  ]"""
    assert (
        format_source(source)
        == """\
import px


def f(start_time: str):
    df = px.DataFrame(table="http_events", start_time=start_time)  # all
    df.very_long_name_of_a_column = px.select(
        df.resp_status >= 400, px.length(df.req_path), px.length(df.resp_body)
    )
    return df['time_']
"""
    )


def test_lists_of_columns_hug_their_brackets():
    names = ", ".join(f"'column_number_{number}'" for number in range(6))
    lines = "".join(f"    'column_number_{number}',\n" for number in range(6))
    source = f"df = df[[{names}]]\n"
    assert format_source(source) == f"df = df[[\n{lines}]]\n"
    deep = "".join(f"    {line}\n" for line in lines.splitlines())
    shown = format_source(f"px.display(df[[{names}]], 'x')")
    assert shown == f"px.display(\n    df[[\n{deep}    ]],\n    'x',\n)\n"
    for once in (shown, format_source(source)):
        assert format_source(once) == once
    commented = format_source(source.replace("[[", "[[ # why\n"))
    assert "# why" in commented
    assert format_source(commented) == commented
    # Not in texts, nor where the layout is the writer's.
    text = 'x = """\na[\n    [\n        b\n    ]\n]\n"""\n'
    assert format_source(text) == text
    kept = format_source(f"{source}# fmt: off\ny   = 1\n")
    assert "y   = 1" in kept
    assert "df[[\n" not in kept


def test_missing_commas_are_put_in():
    source = "import px\ndf = px.DataFrame(table='http_events' # which\n  start_time='-5m'\n  select=['time_']\n)\n"
    formatted = format_source(source)
    assert formatted == (
        "import px\n\ndf = px.DataFrame(\n    table='http_events',  # which\n    start_time='-5m',\n"
        "    select=['time_'],\n)\n"
    )
    assert not check_script(formatted + "px.display(df)").missing_commas


def test_flags_stay_flags():
    source = "#px:set explain=true\nimport px\ndef f():\n    a = 1\n#px:set analyze=true\n    return a\n#other\n"
    formatted = format_source(source)
    assert [line for line in formatted.split("\n") if "px:set" in line] == [
        "#px:set explain=true",
        "#px:set analyze=true",
    ]
    assert "# other" in formatted
    parameter = 'import px\n#px:param slow="1"\n'
    assert format_source(parameter) == parameter
    assert format_source(formatted) == formatted


def test_a_comment_like_the_shield_stays():
    source = "#px:set explain=true\n#:px-set explain=true\n#:px-- x\nimport px\n"
    assert format_source(source) == source


def test_a_flag_in_a_docstring_is_not_lost_silently():
    source = 'import px\n\n\ndef f():\n    """\n#px:set explain=true\n    """\n    return 1\n'
    with pytest.raises(FormatError, match="would change what this script means"):
        format_source(source)


def test_docstrings_may_be_laid_out_unless_they_are_values():
    source = 'import px\n\n\ndef f():\n    """a   \n  b"""\n    return 1\n'
    assert format_source(source) != source
    module = '"""a   \n  b"""\n\nimport px\n\npx.display(px.DataFrame(\'http_events\'), __doc__)\n'
    with pytest.raises(FormatError):
        format_source(module)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("\ufeffimport px", "import px\n"),
        ("import px\r\nx=1\r\n", "import px\r\n\r\nx = 1\r\n"),
        ("import px\rx=1\r", "import px\n\nx = 1\n"),
        ("x = u'a'  'b'\n", "x = 'ab'\n"),
        ("", ""),
        ("# only this\n", "# only this\n"),
        ("x = 'ü'; y = '''\n #px:set explain=true\n'''\n", "x = 'ü'\ny = '''\n #px:set explain=true\n'''\n"),
    ],
)
def test_small_things(source, expected):
    assert format_source(source) == expected


def test_an_error_has_its_place():
    with pytest.raises(CompileError) as caught:
        format_source("import px\nx = (\n")
    assert (caught.value.errors[0].line, caught.value.errors[0].column) == (2, 5)


def test_one_bad_script_does_not_spoil_the_others():
    results = format_sources({"good": "x=1", "bad": "x=(", "other": "y=2"})
    assert (results["good"], results["other"]) == ("x = 1\n", "y = 2\n")
    assert isinstance(results["bad"], CompileError)


def test_settings_of_the_user_do_not_matter(tmp_path, monkeypatch):
    (tmp_path / "ruff.toml").write_text("line-length = 20\n[format]\nquote-style = 'double'\nexclude = ['*']\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert format_source("x = px.contains('aaaaaaaaaaaaaaa', 'b')") == "x = px.contains('aaaaaaaaaaaaaaa', 'b')\n"


def test_the_library_compiles_as_before_from_its_folders():
    # The calls above are made up; these are the ones of each vis.json.
    from dataclasses import replace

    from sylph.library import loader
    from tests.library import test_columns

    ids = [script_id for script_id in loader.ids() if (loader.FOLDER / script_id / "vis.json").exists()][::5]
    before = {script_id: plan_text(library_compiled(script_id).plan) for script_id in ids}
    load = loader.load
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            test_columns.loader,
            "load",
            lambda script_id: replace(load(script_id), text=format_source(load(script_id).text)),
        )
        for script_id in ids:
            assert plan_text(library_compiled(script_id).plan) == before[script_id]
