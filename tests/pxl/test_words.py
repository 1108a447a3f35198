"""Words for true and false mean the same wherever they are written."""

from __future__ import annotations

import json

import pytest

from sylph.library.vis import Variable
from sylph.plan.text import plan_text
from sylph.pxl.compile import ExecFunc, check_script
from sylph.pxl.errors import CompileError
from sylph.pxl.flags import parse_flags
from sylph.pxl.vis import VisError, load_vis
from sylph.pxl.words import truth

WORDS = {
    word: value for value, words in ((True, "true t yes y 1"), (False, "false f no n 0")) for word in words.split()
}
SCRIPT = """
import px
def f(a: bool):
    df = px.DataFrame('http_events', select=['latency'])
    df.a = a
    return df
"""


@pytest.mark.parametrize("word", [*WORDS, "TRUE", "Yes", "No", "", "on", "off", "2", "tru", "none", "wahr"])
def test_all_know_the_same_words(word: str) -> None:
    value = WORDS.get(word.lower())
    assert truth(word) is value
    flags, errors = parse_flags(f"#px:set analyze={word}")
    assert (flags.analyze if not errors else None) is value
    assert (Variable("a", "PX_BOOLEAN", None, "", ()).problem(word) == "") == (value is not None)
    vis = load_vis(json.dumps({
        "variables": [{"name": "a", "type": "PX_BOOLEAN"}],
        "globalFuncs": [{"outputName": "o", "func": {"name": "f", "args": [{"name": "a", "variable": "a"}]}}],
    }))  # fmt: skip
    functions = [ExecFunc("f", "o", {"a": word})]
    if value is None:
        with pytest.raises(VisError, match="must be true or false"):
            vis.exec_funcs({"a": word})
        with pytest.raises(CompileError, match="write true or false"):
            check_script(SCRIPT, exec_funcs=functions)
    else:
        assert vis.exec_funcs({"a": word}) == functions
        assert f"a={value}" in plan_text(check_script(SCRIPT, exec_funcs=functions).plan)
