"""The package `px` names what the compiler knows, and a type checker accepts scripts that use it."""

import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

import px
from px import frame
from sylph.functions.registry import AGGREGATES, SCALARS, TABLE_FUNCTIONS
from sylph.pxl.context import ALIASES, SOURCES
from sylph.pxl.dataframe import methods
from sylph.pxl.interpreter import Interpreter
from sylph.pxl.px_module import px_module

ROOT = Path(__file__).parent.parent.parent
LIBRARY = ROOT / "src" / "sylph" / "library"
FIXTURES = ROOT / "tests" / "pxl" / "fixtures"

#: Fixtures of what the compiler allows and no type checker would.
UNTYPED = {
    "missing_commas": "is no Python",
    "functions_and_scopes": "assigns to px.Pod, and gives functions without annotations",
    "columns": "has a column named like a method",
    "beyond": "has a column named like a method",
    "beyond_rows": "has columns named like methods",
    "regular_strings": "has escapes that Python warns about",
    "pxviews": "imports a module that only scripts have",
}


def compiler_names() -> set[str]:
    module = px_module(Interpreter("", {}, 0, display=True))
    return set(module.names())


def test_same_names_as_the_compiler():
    ours = {name for name in vars(px) if not name.startswith("__")}
    submodules = {"aggregates", "frame", "functions", "outside", "script", "table_functions"}
    assert ours - submodules - {"Column", "OutsideScriptError"} == compiler_names()


def test_same_methods_as_the_compiler():
    assert set(methods()) <= set(vars(px.DataFrame))


def test_same_ctx_keys_as_the_compiler():
    assert set(get_args(frame.Key)) == set(SOURCES) | set(ALIASES)


def test_every_function_has_a_docstring():
    for name in (*SCALARS, *AGGREGATES, *TABLE_FUNCTIONS):
        assert getattr(px, name).__doc__


def test_running_a_script_as_python_says_what_to_do():
    with pytest.raises(px.OutsideScriptError, match="px run -f"):
        px.DataFrame("http_events")
    with pytest.raises(px.OutsideScriptError, match="'contains' is part of PxL"):
        px.contains("a", "b")


def test_generated_files_are_up_to_date():
    command = [sys.executable, str(ROOT / "scripts" / "gen_px.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, env={"PYTHONPATH": str(ROOT / "src")}, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def mypy(folder: Path) -> str:
    """What mypy says about every script in `folder`."""
    command = [sys.executable, "-m", "mypy", "--check-untyped-defs", "--config-file=", "--no-error-summary"]
    environment = {"MYPYPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin"}
    files = sorted(map(str, folder.glob("*.py")))
    done = subprocess.run([*command, *files], capture_output=True, text=True, env=environment, check=False, cwd=folder)
    assert not done.stderr
    return done.stdout


def test_a_type_checker_accepts_scripts(tmp_path):
    for path in sorted(FIXTURES.glob("*.pxl")):
        if not path.stem.startswith("error") and path.stem not in UNTYPED:
            (tmp_path / f"{path.stem}.py").write_text(path.read_text())
    for path in sorted(LIBRARY.rglob("*.pxl")):
        name, text = "_".join(path.relative_to(LIBRARY).with_suffix("").parts), path.read_text()
        # A script that waits for a function is for the compiler's tests.
        if set(re.findall(r"\bpx\.(\w+)", text)) <= set(vars(px)):
            (tmp_path / f"library_{name}.py").write_text(text)
    assert mypy(tmp_path) == ""


MISTAKES = [
    "df.a = px.contains(1, 'a')",
    "df.b = px.no_such_function(df.c)",
    "df.d = df.ctx[5]",
    "df.groupby('a').agg(b=('c', px.contains))",
    "df.merge(df, how='iner', left_on='a', right_on='a')",
    "px.display('df')",
    "px.GetAgentStatus('x')",
]


def test_a_type_checker_refuses_mistakes(tmp_path):
    for number, line in enumerate(MISTAKES):
        (tmp_path / f"mistake_{number}.py").write_text(f"import px\ndf = px.DataFrame('http_events')\n{line}\n")
    said = mypy(tmp_path)
    for number, line in enumerate(MISTAKES):
        assert f"mistake_{number}.py:3: error" in said, line
