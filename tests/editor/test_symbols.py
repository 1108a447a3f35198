"""What a script defines."""

import pytest

from sylph.editor.symbols import symbols
from sylph.pxl.errors import CompileError

SOURCE = """\
import px

@px.thing
def  first(start_time: str, n):
    return 1
df = px.DataFrame('http_events')
df = df.head(1)
df.a = 1; ü = 2
px.display(df)
px.display(df, 'named')
px.display(df, name='other')
px.debug(df)
"""


def test_functions_variables_and_tables():
    found = [(one.name, one.kind.value, one.detail) for one in symbols(SOURCE)]
    assert found == [
        ("first", "function", "(start_time: str, n)"),
        ("df", "variable", ""),
        ("ü", "variable", ""),
        ("output", "table", "px.display"),
        ("named", "table", "px.display"),
        ("other", "table", "px.display"),
    ]


def test_places():
    first, df, other, *_ = symbols(SOURCE)
    assert (first.start, first.end, first.name_start, first.name_end) == ((4, 1), (5, 13), (4, 6), (4, 11))
    assert (df.start, df.end) == ((6, 1), (6, 33))
    assert (other.name_start, other.name_end) == ((8, 11), (8, 12))


def test_a_script_that_cannot_be_parsed():
    with pytest.raises(CompileError):
        symbols("x = (")
