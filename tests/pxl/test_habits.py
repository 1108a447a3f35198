"""What people write by habit is refused with a hint, and hints name what exists."""

import ast
import re

import pytest

from sylph.pxl import dataframe, habits
from sylph.pxl.compile import ExecFunc, check_script
from sylph.pxl.errors import CompileError, suggestion
from sylph.pxl.expressions import BUILTINS
from sylph.pxl.interpreter import Interpreter
from sylph.tables import TABLES

START = "import px\ndf = px.DataFrame('http_events')\n"
HINTS = [
    (what, name, hint)
    for what in ("BUILTINS", "METHODS", "FRAMES", "FUNCTIONS", "OPERATORS")
    for name, hint in getattr(habits, what).items()
]


def error(lines, calls=()):
    with pytest.raises(CompileError) as caught:
        check_script(f"{START}{lines}\npx.display(df)", exec_funcs=calls)
    return caught.value.errors[0]


@pytest.fixture(scope="module")
def px():
    return Interpreter("", TABLES, 0, display=True).module("px")


@pytest.mark.parametrize(("what", "name", "hint"), HINTS)
def test_hints_name_what_exists(px, what, name, hint):
    for function in re.findall(r"px\.(\w+)", hint):
        assert function == "name" or px.get(function) is not None, hint
    for method in re.findall(r"df\.(\w+)\(", hint):
        assert dataframe.has_method(method), hint


def test_names_of_hints_do_not_exist(px):
    assert not [name for name in habits.FUNCTIONS if px.get(name) is not None]
    assert not [name for name in habits.FRAMES if dataframe.has_method(name)]
    assert not [name for name in habits.BUILTINS if name in BUILTINS]


@pytest.mark.parametrize("operator", habits.OPERATORS)
def test_operators_without_a_function(operator):
    assert isinstance(ast.parse(f"a {operator} b", mode="eval").body, (ast.BinOp, ast.Compare))
    assert error(f"df.v = df.latency {operator} 2").hint == habits.OPERATORS[operator]


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("print(df)", "px.display(df)"),
        ("df.v = len(df.req_path)", "px.length"),
        ("df.v = substring(df.req_path, 0, 1)", "write px.substring"),
        ("df.v = mean", "write px.mean"),
        ("df.v = px.avg(df.latency)", "px.mean"),
        ("df.v = px.nanoseconds(5)", "px.microseconds"),
        ("df.v = df.req_path.upper()", "px.toupper(text)"),
        ("df.v = df.req_path.length()", "write px.length(column)"),
        ("df.v = df.latency.mean()", "agg(out=('b', px.mean))"),
        ("df.v = df.latency()", "'latency' is a column: leave out the ()"),
        ("df = df.sort_values('latency')", "df.sort('a')"),
        ("df = df.count()", "df.agg(out=('a', px.count))"),
        ("df = df.loc[0]", "df[['a', 'b']]"),
        ("df.v = df.latency == None", "there are no nulls"),
        ("df.v = [a for a in [1]]", "write the elements out"),
        ("df.v = {1, 2}", "a list"),
        ("df = df.groupby('upid', 'latency').agg()", "df.groupby(['a', 'b'])"),
        ("df = df.groupby(df.upid).agg()", "name the column: 'upid'"),
        ("df = df.drop('upid', 'latency')", "df.drop(['a', 'b'])"),
        ("df = df.append(df, df)", "df.append([a, b])"),
        ("df = df.agg(('latency', px.mean))", "df.agg(out=('column', px.mean))"),
        ("df = df.agg(n=('latency', px.count()))", "write px.count('column')"),
        ("df = df[df.latency > 1 && df.latency < 9]", "'and'"),
        ("df = df[df.latency > 1 || df.latency < 9]", "'or'"),
        ("df = df[!px.contains(df.req_path, 'a')]", "'not'"),
        ("df = df[~px.contains(df.req_path, 'a')]", "'not'"),
        ("df = df[df.pod == 'a']", "df.pod = df.ctx['pod']"),
        ("df = df.groupby('service').agg()", "df.service = df.ctx['service']"),
        ("df = df.groupby(df.ctx['pod']).agg()", "make it a column first"),
        ("df = df.agg(n=('latency', px.count))\ndf = df[df.pod == 'a']", "columns are 'n'"),
        ("df = df.agg(x=('latency', px.quantiles(0.9)))", "px.percentile('a', 0.99)"),
        ("df = df.agg(x=('latency', px.quantiles, 0.9))", "px.percentile('a', 0.99)"),
        ("from px import *", "write import px"),
        ("pass", "leave it out"),
        ("df = df[['time_' 'latency']]", "is a comma missing between 'time_' and 'latency'?"),
        ("df = df[['time_'] + ['latency']]", "in one list"),
        ("df = df['latency']", "df[['latency']]"),
        ("df = [df, df]", "[0]"),
        ("def df():\n    return 1", "call it: df(...)"),
        ("df = px.display(df)", "px.display() gives nothing"),
        ("df.v = df.ctx['start']", "keys are 'pod', 'service'"),
        ("df.pod = df.ctx['pod']\ndf = df.groupby('pod').agg()\ndf.v = df.ctx['node']", "columns are 'pod'"),
        ("df.pod = df.ctx['pod']\ndf = df[['pod']]\ndf.v = df.ctx['service']", "df.pod_name = df.pod"),
        ("df = px.DataFrame('http')", "did you mean 'http_events'?"),
        ("df.v = df.status", "did you mean 'resp_status'?"),
    ],
)
def test_habits(line, hint):
    assert hint in error(line).hint


@pytest.mark.parametrize(
    ("expression", "hint"),
    [
        (
            "df.resp_status == '200'",
            "make the first a STRING with px.itoa(x), or the second an INT64 with px.atoi(x, 0)",
        ),
        ("df.latency > 1.5", "make the first a FLOAT64 with x * 1.0, or the second an INT64 with px.floor(x)"),
        ("df.time_ > px.now()", "an INT64 with px.time_to_int64(x), or the second a TIME64NS with px.int64_to_time(x)"),
        ("df.encrypted and df.latency", "or the second a BOOLEAN with x != 0"),
        ("px.floor(df.latency)", "make the argument a FLOAT64 with x * 1.0; 'floor' takes [FLOAT64]"),
        (
            "px.select(df.encrypted, 1, 2.0)",
            "the second a FLOAT64 with x * 1.0, or the third an INT64 with px.floor(x)",
        ),
        ("df.upid == 'x'", "a STRING with px.upid_to_string(x), or the second a UINT128 with px.uint128('...')"),
        ("px.substring(df.req_path, 0)", "takes 3 arguments, not 2: [STRING, INT64, INT64]"),
    ],
)
def test_conversions(expression, hint):
    assert hint in error(f"df.v = {expression}").hint


@pytest.mark.parametrize(
    ("arguments", "words", "hint"),
    [
        ({"columns": "time_"}, "argument 'columns': name 'time_' is not defined", "['a', 'b']"),
        ({"columns": "[]", "t": "-5m"}, "cannot read '-5m' as Time: not a whole number, of nanoseconds since the epoch", ""),
        ({"columns": "[]", "t": "5"}, "f() must return a DataFrame or a list of them, not an empty list", ""),
    ],
)  # fmt: skip
def test_arguments_given_as_text(arguments, words, hint):
    lines = "def f(columns: list, t: px.Time):\n    return columns"
    found = error(lines, [ExecFunc("f", "out", arguments)])
    assert words in found.message
    assert hint in found.hint


def test_parts_of_names():
    names = ["resp_status", "req_status_text", "latency"]
    assert suggestion("stat", names) == "did you mean 'resp_status' or 'req_status_text'?"
    assert suggestion("latencyy", names) == "did you mean 'latency'?"
    assert not suggestion("nothing", names)
    assert not suggestion("req", names)
