"""Text on a terminal: how wide it is, how it is cut, and how what would command the terminal is made visible."""

from __future__ import annotations

import re
import unicodedata

ELLIPSIS = "…"

#: C0 and C1 controls, DEL, line and paragraph separators, and marks that reorder or hide text.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}


def _visible(match: re.Match[str]) -> str:
    character = match.group()
    if character in _NAMED:
        return _NAMED[character]
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def escape(text: str) -> str:
    r"""`text` in one line, with every control character written as \n, \x1b or \u202e."""
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub(_visible, text)


def escape_json(text: str) -> str:
    r"""JSON text whose remaining control characters are \u escapes: the same JSON, safe to show."""
    if text.isascii():
        return text.replace("\x7f", "\\u007f")
    return _UNSAFE.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def decode(raw: bytes) -> str:
    r"""Captured bytes as text; what is not UTF-8 as \xNN."""
    return raw.decode("utf-8", "backslashreplace")


def _character_width(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def width(text: str) -> int:
    """Columns that `text` takes: wide characters two, combining ones none."""
    # Below U+0300 nothing is wide or combining; µ and … of formatted values are common.
    if text.isascii() or max(text) < "\u0300":
        return len(text)
    return sum(map(_character_width, text))


def cut(text: str, columns: int) -> str:
    """`text`, or its beginning and an ellipsis, in at most `columns` columns."""
    if text.isascii():
        if len(text) <= columns:
            return text
        return text[: columns - 1] + ELLIPSIS if columns > 0 else ""
    if width(text) <= columns:
        return text
    used, kept = 0, []
    for character in text:
        used += _character_width(character)
        if used > columns - 1:
            break
        kept.append(character)
    return "".join(kept) + ELLIPSIS if columns > 0 else ""


def pad(text: str, columns: int, *, right: bool = False) -> str:
    """`text` filled with spaces to `columns` columns; on its left side when `right`."""
    space = " " * (columns - width(text))
    return space + text if right else text + space
