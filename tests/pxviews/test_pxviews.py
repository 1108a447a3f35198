"""The package `pxviews` names what the compiler knows, with columns that are those of the views."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import pxviews
from px import OutsideScriptError
from sylph.pxl.compile import check_script
from sylph.pxl.interpreter import Interpreter
from sylph.pxl.views import pxviews_module
from sylph.tables import TABLES

ROOT = Path(__file__).parents[2]
VALUES = {"start_time": "'-5m'", "end_time": "px.now()", "window_ns": "px.seconds(10)"}


def compiled_functions():
    return pxviews_module(Interpreter("", TABLES, 0, display=True)).attributes


def test_same_names_and_parameters_as_the_compiler():
    functions = {name: one for name, one in compiled_functions().items() if not name.startswith("_")}
    assert sorted(functions) == pxviews.__all__
    for name, function in functions.items():
        assert tuple(inspect.signature(getattr(pxviews, name)).parameters) == tuple(function.parameters)


@pytest.mark.parametrize("name", pxviews.__all__)
def test_columns_in_the_docs_are_those_of_the_view(name):
    function = getattr(pxviews, name)
    values = ", ".join(VALUES[parameter] for parameter in inspect.signature(function).parameters)
    plan = check_script(f"import px\nimport pxviews\npx.display(pxviews.{name}({values}))\n").plan
    named = re.search(r"Columns: (.*)\.$", " ".join(inspect.getdoc(function).split()))
    assert named.group(1).split(", ") == list(plan.sinks[0].input.relation)


@pytest.mark.parametrize("name", pxviews.__all__)
def test_running_a_script_as_python_says_what_to_do(name):
    function = getattr(pxviews, name)
    with pytest.raises(OutsideScriptError, match=f"'pxviews.{name}' is part of PxL"):
        function(*inspect.signature(function).parameters)


def test_the_generated_file_is_up_to_date():
    command = [sys.executable, str(ROOT / "scripts" / "gen_pxviews.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, env={"PYTHONPATH": str(ROOT / "src")}, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
