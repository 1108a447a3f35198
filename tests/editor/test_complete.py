"""Completion and hover in scripts that are being written; `|` is the cursor."""

import ast
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sylph.editor.complete import Kind, complete, hover
from sylph.library.loader import ids, load
from sylph.pxl.metadata_keys import ALIASES, SOURCES
from sylph.tables import TABLES

FRAME = "import px\ndf = px.DataFrame('http_events', start_time='-5m')\n"


def place(text: str) -> tuple[str, int, int]:
    before, bar, after = text.partition("|")
    assert bar
    return before + after, before.count("\n") + 1, len(before) - before.rfind("\n")


def labels(text: str) -> list[str]:
    return [found.label for found in complete(*place(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("imp|", ["import"]),
        ("import |", ["px", "pxconfig", "pxtrace", "pxviews"]),
        ("import px|t", ["px", "pxconfig", "pxtrace", "pxviews"]),
        ("from px import Data|", ["DataFrame"]),
        (
            "import px\npx.upid_to_pod_|",
            ["upid_to_pod_id", "upid_to_pod_name", "upid_to_pod_qos", "upid_to_pod_status"],
        ),
        ("import px\npx.otel.Da|", ["Data"]),
        ("import px as p\np.GetUD|", ["GetUDFList", "GetUDAList", "GetUDTFList"]),
        ("import px\npx.DataFrame('conn_|", ["conn_stats"]),
        ('import px\npx.DataFrame(table="conn_|', ["conn_stats"]),
        ("import px\npx.DataFrame('conn_stats', select=['bytes_|'])", ["bytes_sent", "bytes_recv"]),
        ("import px\npx.DataFrame('conn_stats', sta|", ["start_time="]),
        ("import px\npx.DataFrame('conn_stats', start_time='-1|", ["-1m", "-15m", "-1h", "-1d"]),
        (FRAME + "df.resp_b|", ["resp_body", "resp_body_size"]),
        (FRAME + "df.gr|", ["groupby"]),
        (FRAME + "df['resp_b|']", ["resp_body", "resp_body_size"]),
        (FRAME + "df[['time_', 'resp_b|", ["resp_body", "resp_body_size"]),
        (FRAME + "df = df[df.resp_b|", ["resp_body", "resp_body_size"]),
        (FRAME + "df.x = px.pluck(df.resp_b|, 'a')", ["resp_body", "resp_body_size"]),
        (FRAME + "df.mine = 1\ndf.mi|", ["minor_version", "mine"]),
        (FRAME + "df = df.drop(['resp_b|", ["resp_body", "resp_body_size"]),
        (FRAME + "df = df[['latency']]\ndf.|a", ["latency", "ctx"]),
        (FRAME + "df.head(3).resp_b|", ["resp_body", "resp_body_size"]),
        (FRAME + "df.groupby('req_path').|", ["agg", "rolling"]),
        (FRAME + "df.rolling('10s').|", ["agg", "groupby"]),
        (FRAME + "df.groupby(['req_m|", ["req_method"]),
        (FRAME + "df.groupby('req_path').agg(x=('lat|", ["latency"]),
        (FRAME + "df.groupby('req_path').agg(x=('latency', px.m|", ["mean", "max", "min"]),
        (FRAME + "df.groupby('req_path').agg(\n    x=('latency', px.mean),\n    y=('lat|", ["latency"]),
        (FRAME + "df.ctx['pod_|", ["pod_id", "pod_name"]),
        (FRAME + "df.merge(df, how='o|", ["outer"]),
        (FRAME + "r = df[['latency', 'upid']]\ndf.merge(r, how='left', left_on='upid', right_on='l|", ["latency"]),
        (FRAME + "df.rename({'resp_b|", ["resp_body", "resp_body_size"]),
        (FRAME + "df.rename({'resp_body': 're|", []),
        (FRAME + "df.merge(df, h|", ["how="]),
        ("import px\ndef mine(pod: px.Pod, most: int):\n    return px.DataFrame('dns_events')\nmine(mo|", ["most="]),
        ("import px\ndef mine(pod: px.Node|", ["Node"]),
        ("import pxviews\npxviews.http_g|", ["http_graph"]),
        ("# df.|", []),
        ("import px\ndf = 'a string px.|", []),
        ("import px\nx = 1.|", []),
        ("import px\nnothing.|", []),
    ],
)
def test_what_is_offered(text, expected):
    found = labels(text)
    if text.endswith("df.|a"):
        assert found[:2] == expected
    else:
        assert found == expected


def test_the_columns_come_from_the_line_of_the_cursor():
    script = FRAME + "df.a1 = 1\ndf.a|\ndf.a2 = 2\n"
    assert "a1" in labels(script)
    assert "a2" not in labels(script)


def test_inside_a_function_whose_arguments_are_not_known():
    script = (
        "import px\ndef f(start_time: str, n: int, out: px.DataFrame):\n"
        "    df = px.DataFrame('dns_events', start_time=start_time)\n    df.twice = n * 2\n    {}\n    return df\n"
    )
    assert labels(script.format("df.tw|")) == ["twice"]
    assert labels(script.format("st|")) == ["start_time", "str"]
    assert labels("import px\ndef f(start_time: str):\n    sta|") == ["start_time"]
    assert "start_time" not in labels("import px\ndef f(start_time: str):\n    return 1\nsta|")


def test_errors_above_do_not_matter():
    assert labels(FRAME + "df.bad = df.nothing_here\nx = = 3\ndf = df[df.latency > 'a']\ndf.resp_b|") == [
        "resp_body",
        "resp_body_size",
    ]
    assert labels("import px\nbroken = px.DataFrame('dns_events'\ndf = px.DataFrame('http_events')\ndf.resp_b|") == [
        "resp_body",
        "resp_body_size",
    ]


def test_what_is_replaced_and_what_is_said():
    (found,) = complete(*place(FRAME + "df.x = df.laten|"))
    assert (found.label, found.kind, found.detail, found.start) == ("latency", Kind.COLUMN, "INT64, ST_DURATION_NS", 11)
    assert "Response time minus request time" in found.doc
    (script,) = complete(*place("import px\npx.script_reference('l', 'px/http_data_f|"))
    assert (script.label, script.kind, script.start) == ("px/http_data_filtered", Kind.SCRIPT, 27)
    (mine,) = complete(*place('import px\ndef mine(a: str, n=3):\n    """Says it."""\n    return a\nmin|'))
    assert (mine.detail, mine.doc) == ("mine(a: str, n=3)", "Says it.")
    assert "_kmeans_fit" not in labels("import px\npx.|")
    assert "_kmeans_fit" in labels("import px\npx._|")


def test_ctx_offers_what_can_be_found_from_the_columns():
    assert set(labels(FRAME + "df.ctx['|")) == {*SOURCES, *ALIASES}
    assert labels(FRAME + "df = df[['latency']]\ndf.ctx['|") == []


def test_tables_are_those_of_the_schema():
    mine = {"my_table": replace(TABLES["dns_events"], name="my_table")}
    assert [one.label for one in complete(*place("import px\npx.DataFrame('|"), mine)] == ["my_table"]
    assert "latency" in [one.label for one in complete(*place("import px\ndf=px.DataFrame('my_table')\ndf.|"), mine)]


@pytest.mark.parametrize(
    ("text", "label", "kind", "words", "written"),
    [
        (FRAME.replace("http_ev", "http_|ev"), "http_events", Kind.TABLE, "one row a pair", "http_events"),
        (FRAME + "df.a = df.la|tency", "latency", Kind.COLUMN, "ns (0 when", "latency"),
        (FRAME + "df = df.he|ad(3)", "head", Kind.METHOD, "The first `n` rows", "head"),
        (FRAME + "df.a = px.|abs(df.latency)", "abs", Kind.FUNCTION, "px.abs(", "abs"),
        (FRAME + "df.pod = df.ctx['pod|']", "pod", Kind.KEY, "pod_name", "pod"),
        (FRAME + "px.display(d|f)", "df", Kind.VARIABLE, "req_path", "df"),
        (FRAME.replace("start_time", "start|_time"), "start_time", Kind.ARGUMENT, "", "start_time"),
        ("import px\nx = px.script_reference('a', 'px/http|_data')", "px/http_data", Kind.SCRIPT, "", "px/http_data"),
    ],
)
def test_hover(text, label, kind, words, written):
    source, line, column = place(text)
    found = hover(source, line, column)
    assert (found.label, found.kind) == (label, kind)
    assert words in found.doc
    assert source.split("\n")[line - 1][found.start - 1 : found.end - 1] == written


@pytest.mark.parametrize("text", ["|", "import px\n  |", "# comm|ent", "x = 'no|thing'", FRAME + "df.no|thing", "1|2"])
def test_nothing_to_hover(text):
    assert hover(*place(text)) is None


def test_places_outside_the_text():
    assert complete("import px", 7, 1) == []
    assert complete("import px", 1, 100) == []
    assert hover("import px", 0, 0) is None


#: Scripts with a DataFrame whose columns only their arguments decide.
BY_ARGUMENTS = {"px/node", "px/perf_flamegraph", "px/service_stats"}


@pytest.mark.parametrize("script", sorted(set(ids()) - BY_ARGUMENTS))
def test_names_of_the_library_are_offered_where_they_are_written(script):
    """Each attribute that a script writes on a DataFrame or a module is among the completions at its place."""
    source = load(script).text
    lines = source.split("\n")
    try:
        tree = ast.parse(source)
    except SyntaxError:
        pytest.skip("leaves out commas, which Python's own parser does not read")
    written = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)]
    for node in written[:: max(1, len(written) // 5)]:
        end = len(lines[node.end_lineno - 1].encode()[: node.end_col_offset].decode()) + 1
        found = complete(source, node.end_lineno, end)
        assert node.attr in {one.label for one in found}, (node.end_lineno, node.attr)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_any_text_is_taken(data):
    source = load(data.draw(st.sampled_from(ids()))).text
    cut = data.draw(st.integers(0, len(source)))
    noise = data.draw(st.text(alphabet="([{'\"\\\n#=.,:;df px\t\x00é\ud800", max_size=12))
    text = source[:cut] + noise
    line, column = text.count("\n") + 1, len(text) - text.rfind("\n")
    complete(text, line, column)
    hover(text, line, max(1, column - 1))
