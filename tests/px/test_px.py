"""The package `px` names what the compiler knows, and a type checker accepts scripts that use it."""

import importlib.metadata
import inspect
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

import px
from px import frame
from sylph.functions.registry import AGGREGATES, SCALARS, TABLE_FUNCTIONS
from sylph.pxl.dataframe import methods
from sylph.pxl.interpreter import Interpreter
from sylph.pxl.metadata_keys import ALIASES, SOURCES
from sylph.pxl.px_module import px_module
from tests.editor import lsp_client

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


def words(text: str) -> list[str]:
    """Text without its layout, and without what begins and ends a sentence."""
    return text.replace("'''", '"""').lower().rstrip(".!? ").split()


def test_docstrings_are_the_functions_own_docs():
    for name, function in (*SCALARS.items(), *AGGREGATES.items(), *TABLE_FUNCTIONS.items()):
        ours = words(inspect.getdoc(getattr(px, name)) or "")
        assert ours, name
        assert ours[: len(words(function.doc)) - 1] == words(function.doc)[:-1], name
        for example in getattr(function, "examples", ()):
            assert example.expression in inspect.getdoc(getattr(px, name)), name


def test_running_a_script_as_python_says_what_to_do():
    with pytest.raises(px.OutsideScriptError, match="px run -f"):
        px.DataFrame("http_events")
    with pytest.raises(px.OutsideScriptError, match="'contains' is part of PxL"):
        px.contains("a", "b")


def test_generated_files_are_up_to_date():
    command = [sys.executable, str(ROOT / "scripts" / "gen_px.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, env={"PYTHONPATH": str(ROOT / "src")}, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def copies(folder: Path) -> int:
    """Writes every script of the library as a Python file; how many."""
    scripts = sorted(LIBRARY.rglob("*.pxl"))
    for path in scripts:
        name = "_".join(path.relative_to(LIBRARY).with_suffix("").parts)
        (folder / f"library_{name}.py").write_text(path.read_text())
    return len(scripts)


def mypy(folder: Path, *options: str) -> str:
    """What mypy says about every script in `folder`."""
    command = [sys.executable, "-m", "mypy", *options, "--config-file=", "--no-error-summary"]
    environment = {"MYPYPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin"}
    files = sorted(map(str, folder.glob("*.py")))
    done = subprocess.run([*command, *files], capture_output=True, text=True, env=environment, check=False, cwd=folder)
    assert not done.stderr
    return done.stdout


def basedpyright(program: str) -> list[str]:
    """The command of pyright's checker or language server."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs Node.js, which `make test` installs")
    return [node, str(importlib.metadata.distribution("basedpyright").locate_file(f"basedpyright/{program}.js"))]


def pyright(folder: Path) -> list[tuple[str, int, str]]:
    """What pyright, at its strictest, says about every script in `folder`: (file, line from 1, message)."""
    settings = {
        "include": ["*.py"],
        "extraPaths": [str(ROOT / "src")],
        "pythonVersion": "3.11",
        "typeCheckingMode": "strict",
        # Pixie's names of some functions begin with an underscore.
        "reportPrivateUsage": False,
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [*basedpyright("index"), "--project", str(folder), "--pythonpath", sys.executable, "--outputjson"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode in {0, 1}, done.stderr
    found = json.loads(done.stdout)
    assert found["summary"]["filesAnalyzed"] >= len(list(folder.glob("*.py")))
    return [
        (Path(one["file"]).name, one["range"]["start"]["line"] + 1, one["message"])
        for one in found["generalDiagnostics"]
    ]


@pytest.mark.slow
def test_type_checkers_accept_the_whole_library(tmp_path):
    assert copies(tmp_path) >= 85
    assert not [path for path in LIBRARY.rglob("*.pxl") if re.search(r"#\s*(type|pyright|mypy):", path.read_text())]
    assert mypy(tmp_path, "--strict") == ""
    assert pyright(tmp_path) == []


def test_a_type_checker_accepts_other_scripts(tmp_path):
    for path in sorted(FIXTURES.glob("*.pxl")):
        if not path.stem.startswith("error") and path.stem not in UNTYPED:
            (tmp_path / f"script_{path.stem}.py").write_text(path.read_text())
    assert mypy(tmp_path, "--check-untyped-defs") == ""


MISTAKES = [
    "df.a = px.contains(1, 'a')",
    "df.b = px.no_such_function(df.c)",
    "df.d = df.ctx[5]",
    "df.groupby('a').agg(b=('c', px.contains))",
    "df.merge(df, how='iner', left_on='a', right_on='a')",
    "px.display('df')",
    "px.GetAgentStatus('x')",
    "import pxviews; pxviews.processes('-5m')",
    "import pxconfig; pxconfig.set_agent_config('pod', 'key', 1)",
]


def test_type_checkers_refuse_mistakes(tmp_path):
    for number, line in enumerate(MISTAKES):
        (tmp_path / f"mistake_{number}.py").write_text(f"import px\ndf = px.DataFrame('http_events')\n{line}\n")
    said = mypy(tmp_path, "--check-untyped-defs")
    places = {(file, at) for file, at, _ in pyright(tmp_path)}
    for number, line in enumerate(MISTAKES):
        assert f"mistake_{number}.py:3: error" in said, line
        assert (f"mistake_{number}.py", 3) in places, line


@pytest.mark.timeout(400)
def test_an_editor_for_python_completes_and_shows_the_docs(tmp_path):
    uri = (tmp_path / "script.py").as_uri()
    text = "import px\ndf = px.DataFrame('http_events')\npx.cont\ndf.grou\npx.contains(df.a, 'b')\n"
    wanted = {
        "completion": {"completionItem": {"documentationFormat": ["markdown"]}},
        "hover": {"contentFormat": ["markdown"]},
    }
    with lsp_client.started(command=basedpyright("langserver.index"), textDocument=wanted) as editor:
        editor.open(uri, text, "python")
        offered = {one["label"]: one for one in editor.at("textDocument/completion", uri, 2, 7)["items"]}
        docs = editor.ask("completionItem/resolve", **offered["contains"])["documentation"]["value"]
        hover = editor.at("textDocument/hover", uri, 4, 5)["contents"]["value"]
        for shown in (docs, hover):
            assert "text: Column | str" in shown
            assert SCALARS["contains"].doc in shown
            assert "```\n    px.contains('/api/v1', 'api')  # True\n" in shown
        assert "groupby" in {one["label"] for one in editor.at("textDocument/completion", uri, 3, 7)["items"]}
