"""vis.json: what it holds, what is wrong with it, and the calls it asks for."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sylph.pxl.compile import ExecFunc
from sylph.pxl.vis import PXType, VisError, load_vis
from sylph.pxl.vis_widgets import WIDGETS, display_columns

TABLE = {"@type": "types.px.dev/px.vispb.Table"}
VIS = {
    "variables": [
        {"name": "start_time", "type": "PX_STRING", "defaultValue": "-5m", "description": "Where to begin"},
        {"name": "pod", "type": "PX_POD"},
        {"name": "limit", "type": "PX_INT64", "defaultValue": "100"},
        {"name": "by", "type": "PX_STRING", "defaultValue": "node", "validValues": ["node", "pod"]},
    ],
    "globalFuncs": [
        {
            "outputName": "latency",
            "func": {
                "name": "latency_timeseries",
                "args": [{"name": "start_time", "variable": "start_time"}, {"name": "pod", "variable": "pod"}],
            },
        }
    ],
    "widgets": [
        {
            "name": "Latency",
            "position": {"x": 0, "y": 0, "w": 4, "h": 3},
            "globalFuncOutputName": "latency",
            "displaySpec": {
                "@type": "types.px.dev/px.vispb.TimeseriesChart",
                "timeseries": [{"value": "p50", "mode": "MODE_LINE"}, {"value": "p99", "series": "pod"}],
                "yAxis": {"label": "ms"},
            },
        },
        {
            "func": {"name": "pods", "args": [{"name": "limit", "variable": "limit"}, {"name": "x", "value": "1"}]},
            "displaySpec": TABLE,
        },
    ],
}


def changed(path, value):
    """VIS as text, with the member at `path` set, or taken out when `value` is None."""
    data = json.loads(json.dumps(VIS))
    inner = data
    for step in path[:-1]:
        inner = inner[step]
    if value is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return json.dumps(data)


def test_reads_everything():
    vis = load_vis(json.dumps(VIS))
    assert [variable.name for variable in vis.variables] == ["start_time", "pod", "limit", "by"]
    assert vis.variables[1].type is PXType.PX_POD
    assert vis.variables[1].default is None
    assert vis.variables[3].valid_values == ("node", "pod")
    assert vis.widgets[0].kind == "TimeseriesChart"
    assert vis.widgets[0].position.w == 4
    assert display_columns("TimeseriesChart", vis.widgets[0].display) == [
        ("timeseries[0].value", "p50"),
        ("timeseries[1].value", "p99"),
        ("timeseries[1].series", "pod"),
    ]


def test_no_vis():
    assert load_vis("").exec_funcs({}) == []
    assert load_vis("{}").exec_funcs({}) == []


def test_calls():
    calls = load_vis(json.dumps(VIS)).exec_funcs({"pod": "ns/web", "limit": "5"})
    assert calls == [
        ExecFunc("latency_timeseries", "latency", {"start_time": "-5m", "pod": "ns/web"}),
        ExecFunc("pods", "widget_1", {"limit": "5", "x": "1"}),
    ]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({}, "argument 'pod' must be given"),
        ({"pod": "a", "limt": "5"}, "the script has no argument 'limt' (did you mean 'limit'?)"),
        ({"pod": "a", "limit": "many"}, "argument 'limit' must be a whole number, not 'many'"),
        ({"pod": "a", "by": "nod"}, "argument 'by' cannot be 'nod' (did you mean 'node'?)"),
    ],
)
def test_wrong_arguments(args, message):
    with pytest.raises(VisError) as caught:
        load_vis(json.dumps(VIS)).exec_funcs(args)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (
            ["variables", 0, "type"],
            "PX_STRNG",
            "variables[0].type: unknown type 'PX_STRNG' (did you mean 'PX_STRING'?)",
        ),
        (["variables", 0, "name"], "pod", "variables[1].name: 'pod' is used twice"),
        (["variables", 0, "name"], None, "variables[0].name: must be given"),
        (["variables", 2, "defaultValue"], "x", "variables[2].defaultValue: argument 'limit' must be a whole number"),
        (["variables"], {}, "variables: expected a list, got an object"),
        (["variables", 1], 5, "variables[1]: expected an object, got a whole number"),
        (
            ["widgets", 1, "func", "args", 0, "variable"],
            "limt",
            "widgets[1].func.args[0].variable: there is no variable",
        ),
        (["widgets", 1, "func", "args", 0, "value"], "5", "widgets[1].func.args[0]: an argument has a value or"),
        (["widgets", 1, "func", "args", 1, "name"], "limit", "widgets[1].func.args[1].name: argument 'limit' is given"),
        (["widgets", 1, "func", "name"], None, "widgets[1].func.name: must be given"),
        (["widgets", 1, "func"], None, "widgets[1]: a widget has one of"),
        (["widgets", 0, "globalFuncOutputName"], "latencies", "widgets[0].globalFuncOutputName: there is no global"),
        (["widgets", 0, "position", "w"], "wide", "widgets[0].position.w: expected a whole number, got a string"),
        (["widgets", 0, "positon"], {}, "widgets[0].positon: unknown field (did you mean 'position'?)"),
        (["widgets", 0, "displaySpec"], None, "widgets[0].displaySpec: must be given"),
        (["widgets", 1, "displaySpec", "@type"], "types.px.dev/px.vispb.Tabel", "unknown widget kind 'Tabel'"),
        (["widgets", 1, "displaySpec", "gutter"], "a", "widgets[1].displaySpec.gutter: unknown field"),
        (["widgets", 0, "displaySpec", "timeseries", 1, "mode"], "LINE", "timeseries[1].mode: unknown value 'LINE'"),
        (["widgets", 0, "displaySpec", "timeseries", 0, "value"], 5, "timeseries[0].value: expected a string"),
        (["globalFuncs", 0, "outputName"], None, "globalFuncs[0].outputName: must be given"),
    ],
)
def test_wrong_vis(path, value, message):
    with pytest.raises(VisError) as caught:
        load_vis(changed(path, value))
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["[", "[]", "5", '"a"', "[" * 10_000, '{"variables": [{}]}', b"\xff", "x" * 2_000_000])
def test_not_a_vis(text):
    with pytest.raises(VisError):
        load_vis(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["variables", "widgets", "globalFuncs", "name", "func", "args", "type", "displaySpec", "@type"]
            ),
            inner,
            max_size=4,
        )
    ),
)


@given(json_values)
def test_any_json(value):
    try:
        load_vis(json.dumps(value)).exec_funcs({})
    except VisError as error:
        found = str(error)
        assert found


def test_every_widget_kind_is_known():
    assert len(WIDGETS) == 12
