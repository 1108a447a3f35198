"""Arguments that a script declares with px.param(): from the command line into the compiled plan."""

from pathlib import Path

import pytest

from sylph.plan.text import plan_text
from sylph.pxl.compile import compile_script

TEXT = """import px
slow = px.param('slow_ms', 5, description='what counts as slow')
pod = px.param('pod', type=px.Pod)
df = px.DataFrame('http_events', select=['latency'])
df.pod = pod
px.display(df[df.latency > slow])
"""


@pytest.fixture
def script(tmp_path) -> str:
    path = tmp_path / "slow.pxl"
    path.write_text(TEXT)
    return str(path)


def test_values_reach_the_script(px, agent, handler, script):
    ran = px("run", "-f", script, "--", "--slow_ms", "250", '--pod=a/"b"\n\u2028')
    assert ran.returncode == 0, ran.stderr
    (request,) = handler.requests
    assert request.script.startswith(TEXT)
    plan = plan_text(compile_script(request.script))
    assert "latency > 250" in plan
    assert 'pod="a/\\"b\\"\\n\u2028"' in plan


def test_defaults_are_the_scripts_own(px, agent, handler, script):
    assert px("run", "-f", script, "--", "--pod", "a/b").returncode == 0
    assert handler.requests[0].script == TEXT + '\n#px:param pod="a/b"\n'
    assert "latency > 5" in plan_text(compile_script(handler.requests[0].script))


def test_explain_takes_them_too(px, agent, handler, script):
    px("explain", "-f", script, "--", "--pod", "a/b")
    assert handler.requests[0].script.endswith('#px:set explain=true\n\n#px:param pod="a/b"\n')
    assert compile_script(handler.requests[0].script).explain


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "needs --pod"),
        (["--pod", "x", "--slow_ms", "much"], "--slow_ms must be a whole number, not 'much'"),
        (["--slow", "5"], "did you mean --slow_ms? it takes --slow_ms, --pod"),
    ],
)
@pytest.mark.usefixtures("agent")
def test_wrong_values_are_refused_before_anything_is_asked(px, handler, script, arguments, words):
    ran = px("run", "-f", script, "--", *arguments)
    assert ran.returncode == 1
    assert words in ran.stderr
    assert handler.requests == []


def test_help_lists_them(px, script):
    ran = px("run", "-f", script, "--", "--help")
    assert ran.returncode == 0
    assert ran.stdout.startswith(f"Usage: px run -f {script} -- [ARGUMENTS]\n")
    assert '--slow_ms int64  (default "5")\n      what counts as slow\n  --pod pod  (required)' in ran.stdout


def test_beside_a_vis_json(px, agent, handler, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "mine.pxl").write_text(
        "import px\ndef f(n: int):\n    df = px.DataFrame('http_events', select=['latency'])\n"
        "    return df[df.latency > px.param('slow', 5)].head(n)\n"
    )
    (folder / "vis.json").write_text(
        '{"variables": [{"name": "n", "type": "PX_INT64", "defaultValue": "3"}], "globalFuncs": '
        '[{"outputName": "out", "func": {"name": "f", "args": [{"name": "n", "variable": "n"}]}}]}'
    )
    ran = px("run", "-f", str(folder), "--", "--slow", "7", "--n", "2")
    assert ran.returncode == 0, ran.stderr
    (request,) = handler.requests
    assert request.script.endswith('#px:param slow="7"\n')
    assert [(call.function, dict(call.arguments)) for call in request.calls] == [("f", {"n": "2"})]


def test_check_does_not_ask_for_them(px, script):
    ran = px("script", "check", script)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert Path(script).read_text() == TEXT
