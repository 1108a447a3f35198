"""PxL as a literal in a program: errors are told where it stands there, if it does."""

from pathlib import Path

import pytest

import sylph
from sylph.client.errors import ErrorAt, Problem
from sylph.client.python_text import Literal, literal

SEVERAL = """
import px
px.display(px.DataFrame('http_evnts'), 'several')
"""


@pytest.fixture
def conn(agent):
    with sylph.connect(socket=agent) as connection:
        yield connection


def place(conn, text: str) -> str:
    """The file, and what stands at the error."""
    with pytest.raises(sylph.CompileError) as caught:
        conn.run(text)
    (problem,) = caught.value.errors
    lines = Path(__file__).read_text().split("\n") if problem.file == __file__ else text.split("\n")
    assert problem.text == lines[problem.line - 1]
    return f"{problem.file}: {problem.text[problem.column - 1 :]}"


def test_a_literal_is_found_in_the_callers_file(conn):
    assert place(conn, SEVERAL) == f"{__file__}: 'http_evnts'), 'several')"
    shown = place(conn, "import px; px.display(px.DataFrame('http_evnt'))")
    assert shown == f"{__file__}: 'http_evnt'))\")"
    shown = place(conn, "import px\ndf = 1\npx.display(px.DataFrame('http_event'))")
    assert shown == f"{__file__}: 'http_event'))\")"


def test_a_text_that_stands_nowhere_as_it_is_has_its_own_lines(conn):
    assert place(conn, "import px\n" + "px.display(px.DataFrame('http_evnts'))") == "script: 'http_evnts'))"
    # The same twice: nobody knows which.
    assert place(conn, "import px; px.display(px.nothing())") == "script: nothing())"
    with pytest.raises(sylph.CompileError, match=" --> script L1"):
        conn.run("import px; px.display(px.nothing())")


def test_only_what_is_between_quotes_is_a_literal(tmp_path):
    path = tmp_path / "program.py"
    path.write_text("import px\n\nrun('import px; px.x()')  # import px\n")
    error = ErrorAt(1, 4, "wrong")
    assert Literal("import px", str(path)).problem(error) is None
    assert Literal("import px; px.y()", str(path)).problem(error) is None
    assert Literal("import px; px.x()", str(path)).problem(ErrorAt(0, 0, "wrong")) is None
    assert Literal("import px; px.x()", str(path)).problem(error) == Problem(
        str(path), 3, 9, "wrong", "", "run('import px; px.x()')  # import px"
    )
    assert Literal("import px; px.x()", "<stdin>").problem(error) is None


def test_the_program_is_who_called():
    assert literal("").path == __file__
