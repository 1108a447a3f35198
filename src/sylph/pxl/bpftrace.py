"""What a bpftrace program prints, as columns: one for each conversion of its `printf` formats."""

from __future__ import annotations

import re

from sylph.tables.types import ColumnType, DataType, Relation

MAX_COLUMNS = 64

_PRINTF = re.compile(r'\bprintf\s*\(\s*"((?:[^"\\]|\\.)*)"')
_STRING_OR_COMMENT = re.compile(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?(?:\*/|\Z)', re.DOTALL)
_CONVERSION = re.compile(r"(?:([A-Za-z_][A-Za-z0-9_]*)\s*:\s*)?%(%|[-+ #0]*\d*(?:\.\d+)?(?:hh|h|ll|l|z|j)?([a-zA-Z]))")
_STRINGS = frozenset("s")
_INTEGERS = frozenset("diuxXopcr")


class ProgramError(ValueError):
    """A program whose output cannot be a table."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def relation(program: str) -> Relation:
    """Columns of a program's output. A column called `time_` is a time. Raises ProgramError."""
    without_comments = _STRING_OR_COMMENT.sub(lambda found: found[1] or " ", program)
    formats = _PRINTF.findall(_without_begin(without_comments))
    if not formats:
        raise ProgramError(
            "the program prints nothing", 'print one row at a time: printf("time_:%llu pid:%d", nsecs, pid)'
        )
    relations = [_columns(text) for text in formats]
    if any(list(other.items()) != list(relations[0].items()) for other in relations):
        raise ProgramError("the printf statements of the program do not print the same columns")
    return relations[0]


def _columns(text: str) -> Relation:
    columns: dict[str, ColumnType] = {}
    for position, found in enumerate(match for match in _CONVERSION.finditer(text) if match[2] != "%"):
        name = found[1] or f"Column_{position}"
        if found[3] in _STRINGS:
            type_ = ColumnType(DataType.STRING)
        elif found[3] in _INTEGERS:
            type_ = ColumnType(DataType.TIME64NS if name == "time_" else DataType.INT64)
        else:
            raise ProgramError(f"'%{found[2]}' cannot be a column")
        if name in columns:
            raise ProgramError(f"the program prints two columns named '{name}'")
        if name == "time_" and type_.data is DataType.STRING:
            raise ProgramError("column 'time_' must be an integer")
        columns[name] = type_
    if not columns:
        raise ProgramError("a printf statement of the program prints no column", "name them: name:%d")
    if len(columns) > MAX_COLUMNS:
        raise ProgramError(f"the program prints more than {MAX_COLUMNS} columns")
    return columns


def _without_begin(program: str) -> str:
    """The program without its BEGIN block, which prints headings and no rows."""
    begin = re.search(r"\bBEGIN\s*\{", program)
    if begin is None:
        return program
    depth, position = 1, begin.end()
    while position < len(program) and depth:
        depth += {"{": 1, "}": -1}.get(program[position], 0)
        position += 1
    return program[: begin.start()] + program[position:]
