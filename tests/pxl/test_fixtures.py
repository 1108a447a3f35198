"""Every script in `fixtures/` with the plan, or the errors, that it must give.

A line `# exec: name(arg=value, ...)` in a script asks for a call of its function. `UPDATE_FIXTURES=1` rewrites what
is expected; read the difference before it is committed.
"""

import os
import re
from pathlib import Path

import pytest

from sylph.plan.nodes import Plan
from sylph.plan.text import plan_text
from sylph.pxl.compile import ExecFunc, compile_script
from sylph.pxl.errors import CompileError

FIXTURES = Path(__file__).parent / "fixtures"
NOW_NS = 1_700_000_000_000_000_000


def exec_funcs(source: str) -> list[ExecFunc]:
    calls = []
    for name, arguments in re.findall(r"^# exec: (\w*)\((.*)\)$", source, re.MULTILINE):
        args = dict(item.split("=", 1) for item in arguments.split("; ") if item)
        calls.append(ExecFunc(name, f"{name}_table", args))
    return calls


def render(plan: Plan) -> str:
    lines = [plan_text(plan)]
    for sink in plan.sinks:
        columns = [
            f"{name}:{kind.data.name}" + (f"[{kind.semantic.name[3:]}]" if kind.semantic.name != "ST_NONE" else "")
            for name, kind in sink.input.relation.items()
        ]
        lines.append(f"{sink.name}: {', '.join(columns)}\n")
    if (plan.max_output_rows, plan.explain, plan.analyze) != (10_000, False, False):
        lines.append(f"max_output_rows={plan.max_output_rows} explain={plan.explain} analyze={plan.analyze}\n")
    return "".join(lines)


def outcome(source: str) -> str:
    try:
        return render(compile_script(source, now_ns=NOW_NS, exec_funcs=exec_funcs(source)))
    except CompileError as error:
        return error.render("script") + "\n"


@pytest.mark.parametrize("case", sorted(path.stem for path in FIXTURES.glob("*.pxl")))
def test_fixture(case):
    path = FIXTURES / f"{case}.pxl"
    expected = path.with_suffix(".expected")
    found = outcome(path.read_text())
    if os.environ.get("UPDATE_FIXTURES"):
        expected.write_text(found)
    assert found == expected.read_text()
    assert found.startswith("error") == case.startswith("error")
