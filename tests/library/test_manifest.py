import pytest

from sylph.library.manifest import ManifestError, parse


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (
            "---\nshort: HTTP traffic\nlong: All of it, with bodies\n",
            {"short": "HTTP traffic", "long": "All of it, with bodies"},
        ),
        ("short: 'it''s'  # why\nhidden: true # yes", {"short": "it's", "hidden": "true"}),
        ('short: "a \\"b\\"\\n: c"\n', {"short": 'a "b"\n: c'}),
        ("short: a:b #c\nlong: x#y", {"short": "a:b", "long": "x#y"}),
        ("long: >\n  folded\n  text\n\n  more\nshort: s", {"long": "folded text more", "short": "s"}),
        ("long: |-\n  one\n  two", {"long": "one\ntwo"}),
        ("long: begins here\n  and goes on\n", {"long": "begins here and goes on"}),
        ("# only a comment\n\nempty:\n", {"empty": ""}),
        ("", {}),
    ],
)
def test_flat_values(text, values):
    assert parse(text) == values


@pytest.mark.parametrize(
    ("text", "words"),
    [("- a\n", "line 1"), ("  a: b", "line 1: indented"), ("a: b\nc\n", "line 2"), ("a: 'b", "line 1: the quote")],
)
def test_all_else_is_refused(text, words):
    with pytest.raises(ManifestError, match=words):
        parse(text)
