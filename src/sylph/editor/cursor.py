"""Where in a script a cursor stands: its statement, the brackets and the string around it, the word it ends."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sylph.pxl import limits
from sylph.pxl.errors import split_lines

_QUOTE = re.compile(r"'''|\"\"\"|'|\"")
_WORD = re.compile(r"[^\W\d]\w*\Z")
_KEYWORD = re.compile(r"\s*([^\W\d]\w*)\s*\Z")
#: A line that begins so begins a statement, even when a bracket above was never closed.
_FRESH = re.compile(
    r"[ \t]*(?:def|from|import|return)\b|[ \t]*@|(?:[^\W\d]\w*)(?:\.\w+)?\s*=\s*(?:px|pxviews|pxtrace|[^\W\d]\w*)[.\[]"
)
_CLOSING = {")": "(", "]": "[", "}": "{"}


@dataclass(slots=True)
class Bracket:
    """An open bracket: where it stands, and which argument of it the cursor is in."""

    character: str
    offset: int
    #: Where the argument that is being written begins.
    argument: int
    position: int = 0
    #: Its name in a call, "" when it is given by position.
    keyword: str = ""
    #: Whether a dict's key was written and its value is next.
    value: bool = False


@dataclass(slots=True)
class Cursor:
    """A place in a script. Offsets count characters of `text`, which ends at the cursor."""

    text: str
    statement: int = 0
    brackets: list[Bracket] = field(default_factory=list)
    #: Where the content of the string around the cursor begins; None outside strings.
    string: int | None = None
    comment: bool = False

    @property
    def word(self) -> str:
        """What is typed of the name at the cursor; in a string, all of the string up to the cursor."""
        if self.string is not None:
            return self.text[self.string :]
        found = _WORD.search(self.text)
        return found.group() if found else ""

    @property
    def indent(self) -> str:
        """The white space before the statement."""
        line = self.text[self.statement :]
        return line[: len(line) - len(line.lstrip(" \t"))]


def cursor_at(source: str, line: int, column: int) -> Cursor | None:
    """The cursor at a place of a script, from 1; None if that is not in it, or if it is longer than any may be."""
    text = line_at(source, line)
    if text is None or not 1 <= column <= len(text) + 1:
        return None
    return locate("\n".join([*split_lines(source)[: line - 1], text[: column - 1]]))


def line_at(source: str, line: int) -> str | None:
    """A line of a script, from 1; None as for `cursor_at`."""
    lines = split_lines(source)
    return lines[line - 1] if 1 <= line <= len(lines) and len(source) <= limits.MAX_SOURCE_BYTES else None


def locate(text: str) -> Cursor:
    """Reads a script up to the cursor, at the end of `text`."""
    found = Cursor(text)
    offset = 0
    while offset < len(text):
        character = text[offset]
        if character == "#":
            offset = text.find("\n", offset)
            if offset < 0:
                found.comment = True
                return found
            continue
        if character in "'\"":
            end = _string_end(text, offset)
            if end is None:
                found.string = offset + len(_quote(text, offset))
                return found
            offset = end
            continue
        _step(found, character, offset)
        offset += 1
    return found


def _quote(text: str, offset: int) -> str:
    match = _QUOTE.match(text, offset)
    return match.group() if match else ""


def _string_end(text: str, offset: int) -> int | None:
    """The offset behind the string that begins at `offset`; None when the cursor is in it."""
    quote = _quote(text, offset)
    at = offset + len(quote)
    while at < len(text):
        if text[at] == "\\":
            at += 2
        elif text.startswith(quote, at):
            return at + len(quote)
        elif text[at] == "\n" and len(quote) == 1:
            return at  # never closed: it ends with its line
        else:
            at += 1
    return None


def _step(found: Cursor, character: str, offset: int) -> None:
    brackets = found.brackets
    if character in "([{":
        brackets.append(Bracket(character, offset, offset + 1))
    elif character in _CLOSING:
        if brackets and brackets[-1].character == _CLOSING[character]:
            brackets.pop()
    elif character == "\n":
        if brackets and _FRESH.match(found.text, offset + 1):
            brackets.clear()
        if not brackets and not found.text.endswith("\\", 0, offset):
            found.statement = offset + 1
    elif not brackets:
        if character == ";":
            found.statement = offset + 1
    elif character == ",":
        inner = brackets[-1]
        inner.position, inner.argument, inner.keyword, inner.value = inner.position + 1, offset + 1, "", False
    elif character == ":":
        brackets[-1].value = brackets[-1].character == "{"
    elif character == "=" and brackets[-1].character == "(" and found.text[offset + 1 : offset + 2] != "=":
        name = _KEYWORD.match(found.text[brackets[-1].argument : offset])
        if name:
            brackets[-1].keyword = name.group(1)


def primary_before(text: str, end: int, start: int = 0) -> str:
    """The expression that ends at `end` (a name with what is called, subscripted or taken of it); "" when none does.

    `text[start:end]` is looked at, so `df.head(2)` of `px.display(df.head(2)`.
    """
    at = end
    while at > start:
        character = text[at - 1]
        if character.isalnum() or character == "_":
            while at > start and (text[at - 1].isalnum() or text[at - 1] == "_"):
                at -= 1
            if at > start and text[at - 1] == ".":
                at -= 1
                continue
            break
        if character in ")]":
            opening = _opening(text, at - 1, start)
            if opening is None:
                return ""
            at = opening
            continue
        break
    return text[at:end].strip(".")


def _opening(text: str, closing: int, start: int) -> int | None:
    """Where the bracket opens that closes at `closing`."""
    open_brackets: list[int] = []
    offset = start
    while offset <= closing:
        character = text[offset]
        if character in "'\"":
            end = _string_end(text, offset)
            if end is None or end > closing:
                return None
            offset = end
            continue
        if character in "([{":
            open_brackets.append(offset)
        elif character in _CLOSING:
            if not open_brackets:
                return None
            opened = open_brackets.pop()
            if offset == closing:
                return opened
        offset += 1
    return None
