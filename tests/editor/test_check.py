"""What `px script check` finds: compiler's errors, and what a vis.json asks of its script."""

import copy
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sylph.editor.check import ScriptText, check
from sylph.editor.findings import Severity, as_github, as_json, as_text
from sylph.editor.project import check_paths
from sylph.library import loader
from sylph.library.loader import ScriptError
from tests.pxl.test_fuzz import HOSTILE

SOURCE = """\
import px


def requests(start_time: str, limit: int):
    df = px.DataFrame('http_events', start_time=start_time)
    return df.head(limit)[['time_', 'latency', 'req_path']]


def summary(start_time: str):
    df = px.DataFrame('http_events', start_time=start_time)
    return df.groupby('req_path').agg(count=('latency', px.count))
"""
VIS = {
    "variables": [
        {"name": "start_time", "type": "PX_STRING", "defaultValue": "-5m"},
        {"name": "limit", "type": "PX_INT64"},
    ],
    "globalFuncs": [
        {
            "outputName": "out",
            "func": {
                "name": "requests",
                "args": [{"name": "start_time", "variable": "start_time"}, {"name": "limit", "variable": "limit"}],
            },
        }
    ],
    "widgets": [
        {
            "name": "Requests",
            "globalFuncOutputName": "out",
            "displaySpec": {
                "@type": "types.px.dev/px.vispb.TimeseriesChart",
                "timeseries": [{"value": "latency", "series": "req_path"}],
            },
        },
        {
            "name": "Summary",
            "func": {"name": "summary", "args": [{"name": "start_time", "value": "-1m"}]},
            "displaySpec": {
                "@type": "types.px.dev/px.vispb.BarChart",
                "bar": {"value": "count", "label": "req_path"},
            },
        },
    ],
}


def found(source=SOURCE, vis=VIS):
    text = vis if vis is None or isinstance(vis, str) else json.dumps(vis, indent=1)
    return check(ScriptText("x.pxl", source, "vis.json", text))


def changed(change):
    vis = copy.deepcopy(VIS)
    change(vis)
    return found(vis=vis), json.dumps(vis, indent=1).split("\n")


def at(finding, lines):
    """What a finding points at."""
    return lines[finding.line - 1][finding.column - 1 : finding.column - 1 + finding.length]


def test_a_good_script():
    assert found() == []
    assert found("import px\npx.display(px.DataFrame('http_events'))\n", None) == []


def set_(path, value):
    def change(data):
        *around, last = path
        for step in around:
            data = data[step]
        data[last] = value

    return change


WRONG = {
    "function": (
        set_(("widgets", 1, "func", "name"), "sumary"),
        '"sumary"',
        "the script has no function 'sumary'",
        "did you mean 'summary'?",
    ),
    "argument": (
        set_(("widgets", 1, "func", "args", 0, "name"), "start"),
        '"start"',
        "summary() has no argument 'start'",
        "did you mean 'start_time'?",
    ),
    "missing argument": (
        set_(("widgets", 1, "func", "args"), []),
        '"summary"',
        "summary() needs the argument 'start_time'",
        "add it to 'args' of this call",
    ),
    "column": (
        set_(("widgets", 0, "displaySpec", "timeseries", 0, "value"), "latncy"),
        '"latncy"',
        "the result 'out' has no column 'latncy'",
        "did you mean 'latency'?",
    ),
    "column of a widget's own function": (
        set_(("widgets", 1, "displaySpec", "bar", "label"), "zzzz"),
        '"zzzz"',
        "the result 'Summary' has no column 'zzzz'",
        "columns are req_path, count",
    ),
    "variable": (
        set_(("globalFuncs", 0, "func", "args", 1, "variable"), "limt"),
        '"limt"',
        "globalFuncs[0].func.args[1].variable: there is no variable 'limt'",
        "did you mean 'limit'?",
    ),
    "value that cannot be read": (
        set_(("globalFuncs", 0, "func", "args", 1), {"name": "limit", "value": "many"}),
        '"many"',
        "argument 'limit': cannot read 'many' as int: not a whole number",
        "",
    ),
    "output": (
        set_(("widgets", 0, "globalFuncOutputName"), "outt"),
        '"outt"',
        "widgets[0].globalFuncOutputName: there is no global function with the output 'outt'",
        "did you mean 'out'?",
    ),
    "widget kind": (
        set_(("widgets", 1, "displaySpec", "@type"), "types.px.dev/px.vispb.PieChrt"),
        '"types.px.dev/px.vispb.PieChrt"',
        "widgets[1].displaySpec.@type: unknown widget kind 'PieChrt'",
        "did you mean 'PieChart'?",
    ),
    "type": (
        set_(("widgets", 1, "displaySpec", "bar"), []),
        "[",
        "widgets[1].displaySpec.bar: expected an object",
        "",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors_of_a_vis_name_what_is_wrong_and_where(name):
    change, text, message, hint = WRONG[name]
    findings, lines = changed(change)
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    assert [(error.path, error.message) for error in errors] == [("vis.json", message)]
    assert hint in errors[0].hint
    assert at(errors[0], lines) == text


def test_several_errors_at_once():
    def change(vis):
        vis["widgets"][0]["displaySpec"]["timeseries"][0] = {"value": "a", "series": "b"}
        vis["widgets"][1]["func"]["name"] = "none"

    findings, _ = changed(change)
    assert [finding.message for finding in findings] == [
        "the result 'out' has no column 'a'",
        "the result 'out' has no column 'b'",
        "the script has no function 'none'",
    ]


def test_errors_in_functions_are_found_at_their_lines():
    source = SOURCE.replace("'req_path']]", "'req_pth']]").replace("px.count", "px.coumt")
    findings = found(source)
    assert [(finding.path, finding.line) for finding in findings] == [("x.pxl", 6), ("x.pxl", 11)]
    assert "'req_pth'" in findings[0].message
    assert "'coumt'" in findings[1].message


def test_one_functions_error_does_not_hide_the_others_columns():
    source = SOURCE.replace("px.count", "px.coumt")
    vis = copy.deepcopy(VIS)
    vis["widgets"][0]["displaySpec"]["timeseries"][0]["series"] = "zzzz"
    assert [finding.path for finding in found(source, vis)] == ["vis.json", "x.pxl"]


def test_an_argument_without_a_type():
    findings = found(SOURCE.replace("limit: int", "limit"))
    assert [(finding.path, finding.message) for finding in findings] == [
        ("vis.json", "argument 'limit' of requests(): type annotation required")
    ]


WARNED = {
    "unused output": (
        lambda vis: vis["widgets"].pop(0),
        '"out"',
        "no widget shows the output 'out'",
    ),
    "unused variable": (
        lambda vis: vis["variables"].append({"name": "other", "type": "PX_STRING", "defaultValue": ""}),
        '"other"',
        "no function takes the variable 'other'",
    ),
    "unknown field": (
        lambda vis: vis["widgets"][0].update(titel="x"),
        '"titel"',
        "the field 'titel' is not known, and is ignored",
    ),
    "chart without time": (
        lambda vis: vis["widgets"][1].update(
            displaySpec={"@type": "types.px.dev/px.vispb.TimeseriesChart", "timeseries": [{"value": "count"}]}
        ),
        '"types.px.dev/px.vispb.TimeseriesChart"',
        "a chart over time needs the column 'time_', which the result 'Summary' does not have",
    ),
}


@pytest.mark.parametrize("name", WARNED)
def test_warnings(name):
    change, text, message = WARNED[name]
    findings, lines = changed(change)
    assert [(finding.severity, finding.message) for finding in findings] == [(Severity.WARNING, message)]
    assert at(findings[0], lines) == text


def test_a_missing_comma_is_a_warning():
    source = "import px\ndf = px.DataFrame('http_events'\n    start_time='-5m')\npx.display(df)\n"
    (finding,) = found(source, None)
    assert (finding.severity, finding.line, finding.column) == (Severity.WARNING, 2, 31)
    assert "px fmt" in finding.hint


@pytest.mark.parametrize(
    ("line", "text", "message"),
    [
        ("px.DataFrame('http_events', start_time='-1.5h')", "start_time='-1.5h'", "of '-1.5h', only '5h' is read"),
        ("px.DataFrame('http_events', end_time='-1h30m')", "end_time='-1h30m'", "of '-1h30m', only '-1h' is read"),
        ("df[df.time_ > px.parse_time('5m ago')]", "'5m ago'", "of '5m ago', only '5m' is read"),
        ("df[px.regex_match('(?=a)b', df.req_path)]", "'(?=a)b'", "this regular expression is not valid: "),
        ("df[px.replace('(', df.req_path, '') == '']", "'('", "this regular expression is not valid: "),
    ],
)
def test_what_hardly_means_what_it_says_is_a_warning(line, text, message):
    source = f"import px\ndf = px.DataFrame('http_events')\ndf = {line}\npx.display(df)\n"
    (finding,) = found(source, None)
    assert (finding.severity, finding.line) == (Severity.WARNING, 3)
    assert finding.message.startswith(message)
    assert at(finding, source.split("\n")) == text


@pytest.mark.parametrize(
    "time", ["'-90m'", "' -5m '", "'+5m'", "'2020-07-13 18:02:05 +0000'", "px.now() - px.hours(1)"]
)
def test_times_that_are_read_whole_are_no_warning(time):
    source = f"import px\ndf = px.DataFrame('http_events', start_time={time})\n"
    source += "px.display(df[px.regex_match('a|(b)', df.req_path)])\n"
    assert not found(source, None)


def test_json_that_is_none():
    (finding,) = found(vis='{\n  "variables": [}\n')
    assert (finding.path, finding.line, finding.column) == ("vis.json", 2, 17)
    (finding,) = found(vis="[" * 100_000)
    assert "nested too deeply" in finding.message


def test_errors_of_the_script_are_found_though_the_vis_is_bad():
    findings = found(SOURCE.replace("px.count", "px.coumt"), "{")
    assert [finding.path for finding in findings] == ["vis.json", "x.pxl"]
    assert "px.coumt" not in SOURCE


def test_a_library_of_functions_is_checked_as_far_as_can_be():
    findings = found(SOURCE.replace("px.count", "px.coumt"), None)
    assert [(finding.severity, finding.line) for finding in findings] == [(Severity.WARNING, 0), (Severity.ERROR, 11)]
    source = "import px\ndef f(table: str):\n    return px.DataFrame(table)\n"
    assert [finding.severity for finding in found(source, None)] == [Severity.WARNING]


PLUGIN = """
import px
df = px.DataFrame('http_events', start_time=px.plugin.start_time, end_time=px.plugin.end_time)
df.service = df.ctx['service']
df = df.groupby('service').agg(requests=('latency', px.count), time_=('time_', px.max))
gauge = px.otel.metric.Gauge(name='requests', value=df.requests)
px.export(df, px.otel.Data(resource={'service.name': df.service}, data=[gauge]))
"""


def test_a_script_that_a_plugin_runs_needs_no_endpoint():
    assert not found(PLUGIN, None)
    (finding,) = found(PLUGIN.replace("value=df.requests", "value=df.request"), None)
    assert (finding.line, finding.message) == (6, "column 'request' not found in this DataFrame")
    (finding,) = found(
        PLUGIN.replace("start_time=px.plugin.start_time, end_time=px.plugin.end_time", "start_time='-5m'"), None
    )
    assert "no endpoint" in finding.message
    assert "px.plugin" in finding.hint


def test_a_script_that_shows_nothing():
    (finding,) = found("import px\ndf = px.DataFrame('http_events')\n", None)
    assert finding.severity is Severity.ERROR
    assert "px.display" in finding.message + finding.hint


def test_the_library_has_no_errors():
    checked = check_paths([str(loader.FOLDER)])
    assert checked.scripts == len(loader.ids())
    assert [finding for finding in checked.findings if finding.severity is Severity.ERROR] == []


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "requests"
    path.mkdir()
    (path / "requests.pxl").write_text(SOURCE)
    (path / "vis.json").write_text(json.dumps(VIS))
    (path / "manifest.yaml").write_text("short: Requests\n")
    return path


def test_a_file_is_checked_with_what_lies_beside_it(folder):
    (folder / "vis.json").write_text(json.dumps(VIS).replace("latency", "latncy"))
    for path in (folder, folder / "requests.pxl", folder / "vis.json"):
        checked = check_paths([str(path)])
        assert [finding.path for finding in checked.findings] == [str(folder / "vis.json")]
    (folder / "requests.pxl").unlink()
    with pytest.raises(ScriptError, match=r"this is no script, and no \*\.pxl file is beside it"):
        check_paths([str(folder / "vis.json")])


@pytest.mark.parametrize(
    ("text", "line", "message", "severity"),
    [
        ("short: a\nwhat\n", 2, "expected `key: value`", Severity.ERROR),
        ("long: a\n", 1, "'short' is missing", Severity.WARNING),
        ("short: a\nhiden: true\n", 2, "the key 'hiden' is not known", Severity.WARNING),
    ],
)
def test_manifests(folder, text, line, message, severity):
    (folder / "manifest.yaml").write_text(text)
    (finding,) = check_paths([str(folder)]).findings
    assert (finding.line, finding.severity) == (line, severity)
    assert message in finding.message


def test_files_that_cannot_be_read(folder):
    (folder / "vis.json").write_bytes(b"\xff")
    (folder / "placement.json").write_text("{")
    messages = [finding.message for finding in check_paths([str(folder)]).findings]
    assert any("not UTF-8" in message for message in messages)
    assert any("not JSON" in message for message in messages)
    with pytest.raises(ScriptError):
        check_paths([str(folder / "none.pxl")])


def test_two_scripts_beside_one_vis(folder):
    (folder / "other.pxl").write_text("import px\npx.display(px.DataFrame('http_events'))\n")
    messages = [f.message for f in check_paths([str(folder)]).findings if f.severity is Severity.ERROR]
    assert messages == ["2 .pxl files are in this folder: it is not known which of them this file is for"]


def test_texts_of_findings():
    (finding,) = found(SOURCE.replace("px.count", "px.coumt"))
    text = as_text(finding, SOURCE.replace("px.count", "px.coumt"))
    assert text.startswith(f"error: {finding.message}\n  --> x.pxl:11:")
    assert "^^^^^" in text
    data = json.loads(as_json([finding], 1))
    assert (data["scripts"], data["errors"], data["warnings"]) == (1, 1, 0)
    item = data["findings"][0]
    assert item["end_column"] - item["column"] == len("coumt")
    assert as_github(finding).startswith("::error file=x.pxl,title=PxL%3A ")
    assert f",line=11,col={item['column']},endColumn={item['end_column']}::" in as_github(finding)


@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=60)
@given(st.randoms(use_true_random=False))
def test_a_damaged_vis_ends_with_findings(rng):
    text = json.dumps(VIS)
    for _ in range(rng.randint(1, 4)):
        start = rng.randrange(len(text))
        piece = rng.choice(['"', "{", "}", "null", "1", '"a"', "", text[start : start + 30]])
        text = text[:start] + piece + text[start + rng.randint(0, 12) :]
    for finding in found(vis=text):
        assert finding.line >= 0
        assert finding.message


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("vis", [None, VIS])
def test_hostile_scripts_end_with_findings(name, vis):
    findings = found(HOSTILE[name], vis)
    assert all(finding.message for finding in findings)
    if name not in {"equals any", "many results"}:
        assert findings
