"""Signatures of calls that are being written."""

import pytest

from sylph.editor.signature import signature_help
from tests.pxl.test_fuzz import HOSTILE

BEFORE = "import px\ndf = px.DataFrame('http_events')\ndef mine(start_time: str, limit: int = 5):\n    return df\n"


def at(text):
    found = signature_help(BEFORE + text, BEFORE.count("\n") + text.count("\n") + 1, len(text.split("\n")[-1]) + 1)
    if found is None:
        return None
    active = None if found.active is None else found.label[slice(*found.parameters[found.active])]
    return found.label.partition("(")[0], active


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("px.DataFrame(", ("DataFrame", "table: str")),
        ("px.DataFrame('http_events', start_time=", ("DataFrame", "start_time: TimeLike = None")),
        ("df.head(", ("head", "n: int = 5")),
        ("mine('-5m', ", ("mine", "limit: int = 5")),
        ("mine('-5m', 1, ", ("mine", None)),
        ("px.display(df.head(3), ", ("display", "name: str = 'output'")),
        ("px.display(\n    df,\n    ", ("display", "name: str = 'output'")),
        ("px.display(df[['time_', '", ("display", "out: DataFrame")),
        ("df", None),
        ("(", None),
        ("nothing(", None),
        ("df.nothing(", None),
        ("# px.display(", None),
        ("def f(", None),
        ("px.now()", None),
    ],
)
def test_the_call_around_the_cursor(text, expected):
    assert at(text) == expected


def test_an_argument_by_name_or_position():
    function, argument = at("df.merge(df, how=")
    assert (function, argument.partition(":")[0]) == ("merge", "how")
    first, second = at("px.contains(")[1], at("px.contains(df.req_path, ")[1]
    assert first != second
    assert at("df.groupby('req_path').agg(a=")[1].startswith("**")


def test_docs_are_the_functions():
    found = signature_help("import px\npx.now(", 2, 8)
    assert (found.label, found.parameters, found.active) == ("now() -> int", (), None)
    assert "ns since the epoch" in found.doc


def test_places_that_are_not_there():
    assert signature_help("", 5, 1) is None
    assert signature_help("px.now(", 1, 8) is None  # nothing is imported


@pytest.mark.parametrize("name", [name for name, text in HOSTILE.items() if len(text) < 20_000])
def test_hostile_texts(name):
    source = HOSTILE[name] + "\npx.display("
    signature_help(source, source.count("\n") + 1, 12)
