"""Columns in code units, and edits of lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sylph.editor.positions import from_units, line_edits, to_units

LINE = "a é \U0001f600 b"


@pytest.mark.parametrize(("encoding", "units"), [("utf-8", 10), ("utf-16", 7), ("utf-32", 6)])
def test_units_of_the_last_letter(encoding, units):
    assert to_units(LINE, 7, encoding) == units
    assert from_units(LINE, units, encoding) == 7


def test_in_the_middle_of_a_character():
    assert from_units(LINE, 5, "utf-16") == 5
    assert from_units(LINE, 999, "utf-16") == len(LINE) + 1


@given(st.text(st.characters(exclude_categories=["Cs"])), st.sampled_from(["utf-8", "utf-16", "utf-32"]))
def test_there_and_back(line, encoding):
    for column in range(1, len(line) + 2):
        assert from_units(line, to_units(line, column, encoding), encoding) == column


def applied(before: str, after: str) -> str:
    """The edits made as an editor makes them, from the last to the first."""
    lines = before.split("\n")
    text = before
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    for edit in reversed(line_edits(before, after)):
        start = starts[edit.start] - 1 if edit.tail else starts[edit.start]
        end = starts[edit.end] if edit.end < len(lines) else len(before)
        text = text[:start] + edit.text + text[end:]
    return text


@given(*[st.lists(st.sampled_from(["a", "b", "", "c"]), max_size=8).map("\n".join)] * 2)
def test_edits_give_the_new_text(before, after):
    assert applied(before, after) == after


def test_only_what_differs_is_edited():
    (edit,) = line_edits("a\nb\nc\n", "a\nx\nc\n")
    assert (edit.start, edit.end, edit.text) == (1, 2, "x\n")
    assert line_edits("a", "a") == []
