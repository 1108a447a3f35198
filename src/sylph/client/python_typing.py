"""What only Python's type checkers read, taken out of a function's text, so that it can be PxL."""

from __future__ import annotations

import ast
import io
import itertools
import tokenize
from collections.abc import Callable, Iterator

#: A stretch of the text: lines and columns in characters, both from 0.
_Span = tuple[tuple[int, int], tuple[int, int]]


def without_typing(text: str, definition: ast.FunctionDef, is_type: Callable[[ast.expr], bool]) -> str:
    """The text of `definition` with spaces where annotations were for which `is_type` is false, and `*` or `/` alone.

    Every other character keeps its line and column. Where such spaces would not be Python, the text is as it was.
    """
    lines = io.StringIO(text).readlines()
    for (first, start), (last, end) in (*_annotations(lines, definition, is_type), *_marks(text)):
        for number in range(first, last + 1):
            line = lines[number]
            begin = start if number == first else 0
            stop = end if number == last else len(line.rstrip("\r\n"))
            lines[number] = line[:begin] + " " * (stop - begin) + line[stop:]
    after = "".join(lines)
    try:
        ast.parse(after)
    except SyntaxError:
        return text
    return after


def _annotations(lines: list[str], definition: ast.FunctionDef, is_type: Callable[[ast.expr], bool]) -> Iterator[_Span]:
    """Annotations of arguments and of names, each from its colon."""

    def place(line: int, column: int) -> tuple[int, int]:
        # Columns of the syntax tree count bytes.
        return line - 1, len(lines[line - 1].encode()[:column].decode())

    for node in ast.walk(definition):
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            annotated, end = node.annotation, place(node.target.end_lineno or 0, node.target.end_col_offset or 0)
        elif isinstance(node, ast.arg) and node.annotation is not None and not is_type(node.annotation):
            line, column = place(node.lineno, node.col_offset)
            annotated, end = node.annotation, (line, column + len(node.arg))
        else:
            continue
        yield end, place(annotated.end_lineno or 0, annotated.end_col_offset or 0)


def _marks(text: str) -> Iterator[_Span]:
    """Marks of the kinds of arguments, `*` and `/` alone, each with its comma; nothing else is written like them."""
    tokens = [one for one in tokenize.generate_tokens(io.StringIO(text).readline) if one.type == tokenize.OP]
    for one, behind in itertools.pairwise(tokens):
        if (one.string in {"*", "/"} and behind.string == ",") or (one.string == "/" and behind.string == ")"):
            end = behind.end if behind.string == "," else one.end
            yield (one.start[0] - 1, one.start[1]), (end[0] - 1, end[1])
