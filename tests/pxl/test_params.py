"""What a script says of its parameters without being compiled, and how their values travel."""

import pytest

from sylph.pxl.compile import compile_script
from sylph.pxl.errors import CompileError
from sylph.pxl.flags import parse_flags
from sylph.pxl.params import Param, declared, with_values

SCRIPT = """
import px as p
from px import param as given, display
import other

def f():
    return p.param('inner', -2.5, description='deep')

a = p.param('a', 'x')
b = given(name='b', type=p.Pod)
c = p.param('c', ['x', 'y'])
d = p.param('d', p.minutes(5)); e = p.param('e', True, bool)
a2 = p.param('a', 'x')
p.param(f'not {a}')
other.param('no', 1)
df.param('no', 1)
param('no', 1)
"""


def test_declared():
    assert declared(SCRIPT) == [
        Param("inner", "float", "-2.5", "deep"),
        Param("a", "str", "x", ""),
        Param("b", "p.Pod", None, ""),
        Param("c", "list", "['x', 'y']", ""),
        Param("d", "", "p.minutes(5)", ""),
        Param("e", "bool", "True", ""),
    ]


def test_a_script_that_cannot_be_read_declares_none():
    assert declared("import px\npx.param('a'") == []
    assert declared("px.param" + "(" * 200) == []


@pytest.mark.parametrize("value", ["", "a b", '"', "\\", "\n#px:set explain=true", "\u2028\x85é\U0001f600", "'''"])
def test_values_travel_as_they_are(value):
    flags, errors = parse_flags(with_values("import px", {"a": value}))
    assert (flags.params, errors, flags.explain) == ({"a": value}, [], False)


def test_lines_of_errors_stay():
    source = with_values("import px\ndf = px.DataFrame('nothing')", {"a": "x"})
    with pytest.raises(CompileError) as caught:
        compile_script(source)
    assert (caught.value.errors[0].line, caught.value.errors[0].column) == (2, 19)
