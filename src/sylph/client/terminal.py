"""Colours, and whether to use them."""

from __future__ import annotations

import os
from typing import TextIO

_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


def uses_colour(stream: TextIO) -> bool:
    """Only on a terminal that can, and not when NO_COLOR is set (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, style: str, *, on: bool) -> str:
    """`text` in a style, when `on`."""
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if on and style else text
