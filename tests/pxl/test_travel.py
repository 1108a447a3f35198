"""Whatever the compiler accepts arrives at an agent as it left: whole plans, and the halves that the split makes."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sylph.library import loader
from sylph.pxl.compile import ExecFunc, check_script
from sylph.pxl.errors import CompileError
from sylph.testing.fuzz import run
from sylph.testing.programs import Program, Programs
from tests.pxl.test_fuzz import SCRIPTS

START = "import px\ndf = px.DataFrame('http_events', select=['time_', 'latency', 'upid', 'req_path'])\n"
END = "\npx.display(df)\n"
COLUMNS = "".join(f"df.c{i} = {i}\n" for i in range(70))
NAMED = f"[{', '.join(repr(f'c{i}') for i in range(70))}]"
DOUBLED = "x = df.latency\n" + "x = x + x\n" * 11
TEXT = "x = 'abcdefgh'\n" + "x = x + x\n" * 13

#: What is as large as the compiler lets it be, or strange, and yet compiles.
ACCEPTED = {
    "rows": "#px:set max_output_rows_per_table=999999999999999999\n" + START,
    "name": f"{START}df['{'x' * 4000}'] = 1",
    "strange names": START + "df['\\0'] = '\\0'\ndf.LATENCY = 1\ndf['a#0'] = df.req_path\n"
    "df = df.groupby(['a#0', '\\0']).agg(a=px.mean('latency'), A=px.mean('LATENCY'))",
    "sort by many": f"{START}{COLUMNS}df = df.sort({NAMED})",
    "merge on many": f"{START}{COLUMNS}df = df.merge(df, how='inner', on={NAMED})",
    "times": "import px\ndf = px.DataFrame('http_events', start_time=-9223372036854775807, end_time=9223372036854775807)",
    "rows of top": f"{START}df = df.top(9223372036854775807, 'latency').head(9223372036854775807)",
    "many aggregates": f"{START}df = df.agg({', '.join(f'a{i}=px.mean(df.latency + {i})' for i in range(900))})",
    "aggregates in a row": START + "df = df.agg(latency=px.sum(df.latency + 1) + px.count('latency'))\n" * 99,
    "windows in a row": START + "df = df.rolling('1s').agg(latency=px.sum(df.latency + 1) / 2)\n"
    "df.latency = px.floor(df.latency)\n" * 45,
    "columns in a row": START + "df.latency = df.latency + df.latency\n" * 290,
    "limits in a row": START + "df = df.head(5)\ndf.latency = df.latency + df.latency\n" * 145,
    "appends in a row": START + "df = df.append(df[df.latency > 5])\ndf = df.head(7)\n" * 95 + "df = df[['latency']]",
    "a deep expression": START + "x = df.latency\n" + "x = px.abs(x)\n" * 98 + "df.x = x",
    "large expressions": START + DOUBLED + "".join(f"df.a{i} = x\n" for i in range(10)),
    "a filter of many": START + DOUBLED + f"df = df.append([{', '.join(f'df.head({i})' for i in range(300))}])\ndf = df[x > 5]",
    "a long text": START + TEXT + "df.a = x\n" + "".join(f"df.b{i} = px.contains(df.a, 'x{i}')\n" for i in range(90)),
    "a tolerance": f"{START}df = df.merge(df, how='as_of', on='upid', tolerance=9223372036854775807)",
}  # fmt: skip

#: What no agent would take, with the error of the compiler.
REFUSED = {
    "name": (f"{START}df['{'x' * 4001}'] = 1", "at most 4,000 characters"),
    "name by rename": (f"{START}df = df.rename({{'latency': '{'x' * 4001}'}})", "at most 4,000 characters"),
    "table's name": (f"{START}px.display(df, '{'x' * 4001}')", "at most 4,000 characters"),
    "half a character": (START + "df.a = 'x\\ud800'", r"not valid Unicode: '\\ud800'"),
    "half a name": (START + "df['\\ud800'] = 1", "not valid Unicode"),
    "half a table's name": (START + "px.display(df, '\\ud800')", "not valid Unicode"),
    "half a parameter": (START + "df.a = px.param('x', 'y')\n#px:param x=\"\\ud800\"\n", "not valid Unicode"),
    "aggregates in a row": (
        START + "df = df.agg(latency=px.sum(df.latency + 1) + px.count('latency'))\n" * 110,
        "more than 300 operations",
    ),
    "windows in a row": (
        START + "df = df.rolling('1s').agg(latency=px.sum('latency'))\n" * 110,
        "more than 300 operations",
    ),
    "large expressions": (START + DOUBLED + "".join(f"df.a{i} = x\n" for i in range(60)), "becomes too large"),
    "long texts": (START + TEXT + "".join(f"df.a{i} = x\n" for i in range(60)), "becomes too large"),
    "many aggregates": (
        f"{START}df = df.agg({', '.join(f'a{i}=px.sum(df.latency + {i}) / px.count(df.latency + {i})' for i in range(900))})",
        "more than 1,000",
    ),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_is_accepted_arrives(name: str) -> None:
    assert run(Program(ACCEPTED[name] + END, "accepted")) == "compiled"


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_not_arrive_is_an_error_with_a_line(name: str) -> None:
    source, message = REFUSED[name]
    with pytest.raises(CompileError) as raised:
        check_script(source + END)
    assert re.search(message, raised.value.errors[0].message)
    assert raised.value.errors[0].line > 1 or "px:param" in source


def test_half_a_character_in_an_argument() -> None:
    source = "import px\ndef f(a: str):\n    df = px.DataFrame('http_events')\n    return df[df.req_path == a]\n"
    with pytest.raises(CompileError, match="not valid Unicode"):
        check_script(source, exec_funcs=[ExecFunc("f", "out", {"a": "\ud800"})])


@pytest.mark.parametrize("script_id", loader.ids())
def test_the_library_arrives(script_id: str) -> None:
    script = loader.load(script_id)
    variables = script.vis.variables if script.vis else ()
    values = {variable.name: variable.default or "x" for variable in variables}
    calls = script.vis.calls if script.vis else ()
    functions = tuple(ExecFunc(call.function, call.output, call.bind(values)) for call in calls)
    # One holds functions for other scripts, and shows nothing itself.
    expected = "plan" if script_id == "bpftrace/socket_size" else "compiled"
    assert run(Program(script.text, "library", functions)) == expected


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32), st.integers(0, 10_000))
def test_any_program_arrives(seed: int, number: int) -> None:
    run(Programs(seed, SCRIPTS).program(number))
