"""Every script of the library compiles to the columns, types and widgets it must have."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sylph.library import loader
from sylph.pxl.compile import ExecFunc, compile_script
from sylph.tables import TABLES

EXPECTED = Path(__file__).parent / "expected"
NOW = 1_790_000_000_000_000_000
#: Values for arguments that a script insists on.
REQUIRED = {"namespace": "host", "pod": "host/nginx", "node": "node", "service": "host/nginx", "ip": "10.0.0.1"}


def outputs(script_id: str) -> dict[str, list[list[str]]]:
    """Columns as [name, data type, semantic type] of each result table."""
    script = loader.load(script_id)
    calls = []
    if script.vis is not None:
        values = {
            variable.name: REQUIRED[variable.name] if variable.default is None else variable.default
            for variable in script.vis.variables
        }
        calls = [ExecFunc(call.function, call.output, call.bind(values)) for call in script.vis.calls]
    plan = compile_script(script.text, tables=TABLES, now_ns=NOW, exec_funcs=calls)
    return {
        sink.name: [[name, kind.data.name, kind.semantic.name] for name, kind in sink.input.relation.items()]
        for sink in plan.sinks
    }


@pytest.mark.parametrize("script_id", loader.ids())
def test_columns_are_those_of_the_reference(script_id: str) -> None:
    found = outputs(script_id)
    path = EXPECTED / f"{script_id}.json"
    assert path.exists(), f"no expectation for {script_id}"
    assert found == json.loads(path.read_text())


@pytest.mark.parametrize("script_id", loader.ids())
def test_widgets_name_columns_that_exist(script_id: str) -> None:
    path = loader.FOLDER / script_id / "vis.json"
    if not path.exists():
        return
    found = outputs(script_id)
    for widget in json.loads(path.read_text())["widgets"]:
        output = widget.get("globalFuncOutputName") or widget["name"]
        columns = {name for name, _, _ in found[output]}
        used = set(columns_used(widget["displaySpec"]))
        assert used <= columns, f"{widget['name']}: {used - columns}"


def columns_used(spec: dict[str, object]) -> list[str]:
    """Names of columns in a widget's display specification."""
    found: list[str] = []
    for key, value in spec.items():
        if isinstance(value, dict):
            found += columns_used(value)
        elif isinstance(value, list):
            for item in value:
                found += columns_used(item) if isinstance(item, dict) else [item]
        elif isinstance(value, str) and (key.endswith("Column") or key in ("value", "series", "prebinCount")):
            found.append(value)
    return found
