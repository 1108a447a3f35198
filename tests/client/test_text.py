import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sylph.client.table_text import fit
from sylph.client.text import cut, decode, escape, escape_json, pad, width


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a\nb\tc\rd\0", "a\\nb\\tc\\rd\\0"),
        ("\x1b[31mred\x1b]0;title\x07", "\\x1b[31mred\\x1b]0;title\\x07"),
        ("\x9b2J\x7f", "\\x9b2J\\x7f"),
        ("abc\u202edef\u200b", "abc\\u202edef\\u200b"),
        ("naïve 日本 😀", "naïve 日本 😀"),
    ],
)
def test_nothing_commands_the_terminal(text, shown):
    assert escape(text) == shown


@given(st.text())
def test_escaped_text_is_one_printable_line(text):
    shown = escape(text)
    assert not any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 for c in shown)
    assert len(shown.splitlines()) <= 1


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_escaped_json_is_the_same_json(text):
    encoded = escape_json(json.dumps(text, ensure_ascii=False))
    assert json.loads(encoded) == text
    assert not any(0x7F <= ord(c) < 0xA0 for c in encoded)


def test_bytes_that_are_not_text():
    assert decode(b"ok \xff\xfe") == "ok \\xff\\xfe"


def test_widths():
    assert width("abc") == 3
    assert width("日本") == 4
    assert width("e\u0301") == 1
    assert width("😀") == 2


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])), st.integers(1, 30))
def test_cut_text_fits(text, columns):
    shown = cut(escape(text), columns)
    assert width(shown) <= columns
    assert width(pad(shown, columns)) == columns
    if width(escape(text)) <= columns:
        assert shown == escape(text)


@given(st.lists(st.tuples(st.integers(1, 300), st.integers(8, 12)), min_size=1, max_size=40), st.integers(20, 250))
def test_fitted_columns_fit(wanted, columns):
    widths, least = [one for one, _ in wanted], [floor for _, floor in wanted]
    fitted = fit(widths, columns, least)
    assert fitted
    assert sum(fitted) + 2 * (len(fitted) - 1) <= columns
    assert all(got <= one for got, one in zip(fitted, widths, strict=False))
    if len(fitted) > 1:
        assert all(got >= min(one, floor) for got, (one, floor) in zip(fitted, wanted, strict=False))
    if sum(widths) + 2 * (len(widths) - 1) <= columns:
        assert fitted == widths
    elif len(fitted) == len(widths):
        assert sum(fitted) + 2 * (len(fitted) - 1) == columns  # no room is left unused


def test_narrow_columns_keep_their_width():
    assert fit([4, 100, 5, 80], 60, [8, 8, 8, 8]) == [4, 23, 5, 22]
    assert fit([30, 300, 9], 40, [12, 10, 12]) == [14, 13, 9]
    assert fit([30, 300, 9], 25, [12, 10, 12]) == [12, 11]
