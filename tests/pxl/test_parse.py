"""Reading a script's text: commas that were left out, positions, what cannot be read."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sylph.pxl.compile import compile_script
from sylph.pxl.entry import ArgumentSignature, signature
from sylph.pxl.errors import CompileError, Kind
from sylph.pxl.parse import character_column, parse


def same(one: ast.AST, other: ast.AST) -> bool:
    return ast.dump(one) == ast.dump(other)


def test_missing_commas_are_understood():
    found = parse("f(\n  a=1  # one\n  b=(2\n  ),\n  c='x'\n  d=[3]\n  e=g(h=1\n i=2)\n)\n")
    assert same(found.tree, ast.parse("f(a=1, b=(2), c='x', d=[3], e=g(h=1, i=2))"))
    assert found.missing_commas == ((2, 6), (5, 8), (6, 8), (7, 10))


@pytest.mark.parametrize(
    "text",
    [
        "f(\n  a\n  b)",  # positional arguments
        "f(a=1 b=2)",  # on one line
        "x = [\n a\n b]",
        "f(\n  a=1 +\n  b=2)",
        "(\n a\n b=2)",  # not a call
        "f(a\nb=1",
    ],
)
def test_other_mistakes_stay_mistakes(text):
    with pytest.raises(CompileError):
        parse(text)


@given(st.text(alphabet="ab=(),\n'1#[] ", max_size=40))
def test_the_meaning_of_correct_text_is_python_s(text):
    try:
        expected = ast.parse(text)
    except (SyntaxError, ValueError):
        return
    found = parse(text)
    assert same(found.tree, expected)
    assert not found.missing_commas


@pytest.mark.parametrize("text", ["x = '\\d'", "x = 1and 2", "x = 0xfor 1", "x = 1.if 2 else 3", "x = 1_0in [1]"])
def test_python_s_warnings_are_not_ours(text):
    # Warnings are errors in tests.
    assert parse(text).tree.body


def test_positions_after_a_missing_comma_are_those_of_the_text():
    tree = parse("f(\n  a=1\n  b=nope)").tree
    keyword = tree.body[0].value.keywords[1]
    assert (keyword.lineno, keyword.col_offset) == (3, 2)


@pytest.mark.parametrize(
    ("text", "kind", "line", "column"),
    [
        ("import px\nx = 'a", Kind.PARSER, 2, 5),
        ("def f():\nx", Kind.PARSER, 2, 1),
        ("a\n\0", Kind.PARSER, 2, 1),
        ("a\nb\ud800", Kind.PARSER, 2, 2),
        ("x" * 200_000, Kind.LIMIT, 1, 1),
        ("(" * 300, Kind.LIMIT, 1, 201),
        ("print 'a'", Kind.PARSER, 1, 1),
        ("x = 1\ny = 1" + "0" * 5000, Kind.PARSER, 2, 1),
    ],
)
def test_what_cannot_be_read(text, kind, line, column):
    with pytest.raises(CompileError) as caught:
        parse(text)
    (error,) = caught.value.errors
    assert (error.kind, error.line, error.column) == (kind, line, column)


def test_a_byte_order_mark_is_nothing():
    source = "\ufeff#px:set max_output_rows_per_table=7\nimport px\npx.display(px.DataFrame('http_events').head(x))"
    assert same(parse(source).tree, ast.parse(source[1:]))
    with pytest.raises(CompileError) as caught:
        compile_script(source)
    assert (caught.value.errors[0].line, caught.value.errors[0].column) == (3, 45)
    assert "#px:set" not in str(caught.value)
    assert compile_script(source.replace("head(x)", "head(1)")).max_output_rows == 7
    with pytest.raises(CompileError, match="exlain"):
        compile_script("\ufeff#px:set exlain=true\nimport px")


def test_columns_count_characters():
    assert character_column("é = ü.x", len("é = ü".encode())) == 6
    assert character_column("abc", 2) == 3


def test_signature():
    found = signature(
        'import px\n\ndef f(start_time: str, pod: px.Pod, n):\n    """Shows."""\n    return 1\n\ndef g(a=1): return a\n'
    )
    assert [(one.name, one.doc, one.line) for one in found] == [("f", "Shows.", 3), ("g", "", 7)]
    assert found[0].arguments == (
        ArgumentSignature("start_time", "str"),
        ArgumentSignature("pod", "px.Pod"),
        ArgumentSignature("n", ""),
    )
    assert found[1].arguments == (ArgumentSignature("a", "", required=False),)
