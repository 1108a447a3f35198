"""Script text to a syntax tree, without running anything and whatever the text is."""

from __future__ import annotations

import ast
import io
import keyword
import re
import threading
import tokenize
import warnings
from dataclasses import dataclass
from functools import lru_cache

from sylph.pxl import limits
from sylph.pxl.errors import CompileError, Diagnostic, Kind, split_lines

_WARNINGS_LOCK = threading.Lock()
_KEPT_CHARACTERS = 16 * 1024
# What Python warns about and PxL does not: an escape such as '\d', a number that ends where a keyword begins.
_WARNED = re.compile(r"\\|\b\d(?:[\w.]{24}|[\w.]{0,24}(?:and|else|for|if|in|is|not|or))")
_OPENING = "([{"
_CLOSING = ")]}"


@dataclass(frozen=True, slots=True)
class Parsed:
    """A script's tree. `missing_commas` are the (line, column) where a comma was left out and understood."""

    source: str
    tree: ast.Module
    missing_commas: tuple[tuple[int, int], ...] = ()


def parse(source: str) -> Parsed:
    """Parse `source`. Raises CompileError with one error: Python's parser stops at the first."""
    return parse_kept(source) if len(source) <= _KEPT_CHARACTERS else _parse(source)


def _parse(source: str) -> Parsed:
    _check_size(source)
    # A byte order mark, which some editors write; columns stay as they are, since it has no width.
    source = source.removeprefix("\ufeff")
    try:
        return Parsed(source, _tree(source))
    except SyntaxError as error:
        repaired, commas = _with_commas(source)
        if commas:
            try:
                return Parsed(source, _tree(repaired), commas)
            except (SyntaxError, ValueError, MemoryError, RecursionError):
                pass  # the first parser error is the one about the text as written
        raise CompileError([_syntax_diagnostic(error)], source) from None
    except (MemoryError, RecursionError):
        raise CompileError([_too_deep(1, 1)], source) from None
    except ValueError as error:
        raise CompileError([Diagnostic(1, 1, f"the script cannot be read: {error}", Kind.PARSER)], source) from None


#: A caller asks for the same scripts again and again; large ones are not kept.
parse_kept = lru_cache(maxsize=16)(_parse)


def character_column(line: str, byte_offset: int) -> int:
    """Column, from 1, of the UTF-8 byte offset that `ast` gives."""
    if line.isascii():
        return byte_offset + 1
    return len(line.encode("utf-8", "surrogatepass")[:byte_offset].decode("utf-8", "ignore")) + 1


def _tree(source: str) -> ast.Module:
    if _WARNED.search(source) is None:
        return ast.parse(source)
    with _WARNINGS_LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)


def _check_size(source: str) -> None:
    try:
        size = len(source.encode())
    except UnicodeEncodeError as error:
        line = source.count("\n", 0, error.start) + 1
        column = error.start - source.rfind("\n", 0, error.start)
        problem = Diagnostic(line, column, "the script is not valid Unicode text", Kind.PARSER)
        raise CompileError([problem], source) from None
    if size > limits.MAX_SOURCE_BYTES:
        message = f"the script is {size:,} bytes long; at most {limits.MAX_SOURCE_BYTES:,} are compiled"
        raise CompileError([Diagnostic(1, 1, message, Kind.LIMIT)])
    if "\0" in source:
        before = source[: source.index("\0")]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise CompileError([Diagnostic(line, column, "the script holds a NUL character", Kind.PARSER)], source)


def _too_deep(line: int, column: int) -> Diagnostic:
    return Diagnostic(line, column, "an expression is nested too deeply", Kind.LIMIT, "use intermediate variables")


def _syntax_diagnostic(error: SyntaxError) -> Diagnostic:
    line, column = error.lineno or 1, max(1, error.offset or 1)
    length = 1
    if error.end_lineno == error.lineno and error.end_offset and error.end_offset > column:
        length = error.end_offset - column
    if "too many nested parentheses" in str(error.msg) or "too many levels of indentation" in str(error.msg):
        return _too_deep(line, column)
    message, hint = str(error.msg), ""
    if message.startswith("Missing parentheses in call to 'print'"):
        message, hint = "'print' is not part of PxL", "use px.display(df)"
    elif "integer string conversion" in message:
        return Diagnostic(max(1, line), column, "the number does not fit 64 bits", Kind.PARSER)
    elif "Perhaps you forgot a comma" in message:
        message, hint = "invalid syntax", "perhaps a comma is missing here"
    elif message == "invalid syntax":
        hint = _operator_hint(error.text or "", column)
    return Diagnostic(max(1, line), column, f"{type(error).__name__}: {message}", Kind.PARSER, hint, length)


def _operator_hint(line: str, column: int) -> str:
    """What to write for an operator of other languages at `column` of the line, counted from 1, or ending there."""
    for operator, instead in (("&&", "and"), ("||", "or"), ("!", "not")):
        if any(line.startswith(operator, start) for start in (column - 1, column - 2) if start >= 0):
            return f"write '{instead}' for {operator}"
    return ""


def _with_commas(source: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    """`source` with a comma wherever a call's argument ends a line and a keyword argument begins the next."""
    inserts: list[tuple[int, int]] = []
    brackets: list[bool] = []  # whether each open bracket is a call's
    previous: tokenize.TokenInfo | None = None
    candidate: tuple[int, int] | None = None  # where a comma is missing if '=' comes next
    lines = split_lines(source)
    try:
        for token in tokenize.generate_tokens(io.StringIO("\n".join(lines) + "\n").readline):
            if token.type in {tokenize.NL, tokenize.COMMENT}:
                continue
            if candidate is not None and token.string == "=":
                inserts.append(candidate)
            candidate = None
            if (
                previous is not None
                and brackets
                and brackets[-1]
                and token.start[0] > previous.end[0]
                and token.type == tokenize.NAME
                and not keyword.iskeyword(token.string)
                and _ends_argument(previous)
            ):
                candidate = previous.end
            if token.type == tokenize.OP:
                if token.string in _OPENING:
                    brackets.append(token.string == "(" and previous is not None and _ends_argument(previous))
                elif token.string in _CLOSING and brackets:
                    brackets.pop()
            previous = token
    except (tokenize.TokenError, IndentationError, SyntaxError):
        pass  # what was found before the bad token may be what is missing
    for line, column in reversed(inserts):
        text = lines[line - 1]
        lines[line - 1] = text[:column] + "," + text[column:]
    return "\n".join(lines), tuple((line, column + 1) for line, column in inserts)


def _ends_argument(token: tokenize.TokenInfo) -> bool:
    if token.type == tokenize.NAME:
        return not keyword.iskeyword(token.string) or token.string in {"True", "False", "None"}
    return token.type in {tokenize.NUMBER, tokenize.STRING} or (token.type == tokenize.OP and token.string in _CLOSING)
