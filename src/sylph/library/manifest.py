"""Reads manifest.yaml: flat `key: value` lines, quoted or not, and block texts. No YAML library is needed for that."""

from __future__ import annotations

import re

_KEY = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*):(?:\s+(.*))?$")
_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\", "/": "/"}


class ManifestError(ValueError):
    """A manifest that is not flat `key: value` lines; says which line."""


def _scalar(text: str, line: int) -> str:
    if text[:1] not in {"'", '"'}:
        return re.split(r"\s#", text, maxsplit=1)[0].strip()
    quote = text[0]
    pattern = r"'((?:[^']|'')*)'\s*(?:#.*)?" if quote == "'" else r'"((?:[^"\\]|\\.)*)"\s*(?:#.*)?'
    match = re.fullmatch(pattern, text)
    if match is None:
        raise ManifestError(f"line {line}: the quote is not closed")
    if quote == "'":
        return match[1].replace("''", "'")
    return re.sub(r"\\(.)", lambda escaped: _ESCAPES.get(escaped[1], escaped[0]), match[1])


def parse(text: str) -> dict[str, str]:
    """Keys and values. `>` and `|` begin a block; deeper indented lines continue a value. Raises ManifestError."""
    values: dict[str, str] = {}
    key, style, block = "", "", list[str]()

    def close() -> None:
        if key and block:
            lines = [values[key], *block] if values[key] else block
            values[key] = ("\n" if style == "|" else " ").join(lines).strip()
        block.clear()

    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.rstrip()
        if not line.strip() or line == "---" or line.lstrip().startswith("#"):
            continue
        if line[0] in " \t":
            if not key:
                raise ManifestError(f"line {number}: indented text belongs to no key")
            block.append(line.strip())
            continue
        match = _KEY.match(line)
        if match is None:
            raise ManifestError(f"line {number}: expected `key: value`")
        close()
        key, value = match[1], (match[2] or "").strip()
        style = value[:1] if value[:1] in {">", "|"} else ""
        values[key] = "" if style else _scalar(value, number)
    close()
    return values
