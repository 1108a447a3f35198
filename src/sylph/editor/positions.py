"""Places as editors count them: from 0, columns in code units of an encoding; here they are from 1, in characters."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from sylph.pxl.errors import split_lines


def to_units(line: str, column: int, encoding: str) -> int:
    """Code units before `column` of a line. `encoding` is utf-8, utf-16 or utf-32."""
    before = line[: max(0, column - 1)]
    if encoding == "utf-32" or before.isascii():
        return len(before)
    if encoding == "utf-8":
        return len(before.encode("utf-8", "surrogatepass"))
    return len(before.encode("utf-16-le", "surrogatepass")) // 2


def from_units(line: str, units: int, encoding: str) -> int:
    """The column that so many code units of a line stand before; in the middle of a character, its column."""
    if encoding == "utf-32" or line.isascii():
        return min(units, len(line)) + 1
    width = 1 if encoding == "utf-8" else 2
    raw = line.encode("utf-8" if encoding == "utf-8" else "utf-16-le", "surrogatepass")[: units * width]
    return len(raw.decode("utf-8" if encoding == "utf-8" else "utf-16-le", "ignore")) + 1


@dataclass(frozen=True, slots=True)
class Edit:
    """Lines `start` to `end` (from 0, without the last) replaced. `tail`: from the end of the line before `start`."""

    start: int
    end: int
    text: str
    tail: bool = False


def line_edits(before: str, after: str) -> list[Edit]:
    """What changes in a text, in whole lines, so that an editor keeps its cursor where nothing changed."""
    old, new = split_lines(before), split_lines(after)
    end = "\r\n" if "\r\n" in after else "\n"
    edits = []
    for kind, first, last, new_first, new_last in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        lines = new[new_first:new_last]
        if kind == "equal":
            continue
        if last < len(old):
            edits.append(Edit(first, last, "".join(f"{line}{end}" for line in lines)))
        elif first == 0:
            edits.append(Edit(first, last, end.join(lines)))
        else:
            edits.append(Edit(first, last, "".join(f"{end}{line}" for line in lines), tail=True))
    return edits
