"""What a script defines: its functions, the names it sets, and the tables it shows."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from enum import StrEnum

from sylph.pxl.entry import FunctionSignature, signature
from sylph.pxl.errors import split_lines
from sylph.pxl.parse import character_column, parse


class SymbolKind(StrEnum):
    """What a name is."""

    FUNCTION = "function"
    VARIABLE = "variable"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Symbol:
    """A name with the (line, column) where its statement begins and ends, and where the name itself stands."""

    name: str
    kind: SymbolKind
    detail: str
    start: tuple[int, int]
    end: tuple[int, int]
    name_start: tuple[int, int]
    name_end: tuple[int, int]


def symbols(source: str) -> list[Symbol]:
    """Symbols of a script in the order of its lines. Raises CompileError if it cannot be parsed."""
    lines = split_lines(source)
    functions = {(each.name, each.line): each for each in signature(source)}
    found: list[Symbol] = []
    known: set[str] = set()
    for statement in parse(source).tree.body:
        if isinstance(statement, ast.FunctionDef):
            at = lines[statement.lineno - 1].find(statement.name, statement.col_offset + len("def"))
            place = (statement.lineno, at + 1), (statement.lineno, at + 1 + len(statement.name))
            detail = _arguments(functions[statement.name, statement.lineno])
            found.append(Symbol(statement.name, SymbolKind.FUNCTION, detail, *_span(statement, lines), *place))
        elif isinstance(statement, ast.Assign):
            for target in statement.targets:
                # A DataFrame is set again and again: its first line stands for all.
                if isinstance(target, ast.Name) and target.id not in known:
                    known.add(target.id)
                    found.append(
                        Symbol(target.id, SymbolKind.VARIABLE, "", *_span(statement, lines), *_span(target, lines))
                    )
        elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            name = _displayed(statement.value)
            if name is not None:
                span = _span(statement, lines)
                found.append(Symbol(name, SymbolKind.TABLE, "px.display", *span, *span))
    return found


def _span(node: ast.stmt | ast.expr, lines: list[str]) -> tuple[tuple[int, int], tuple[int, int]]:
    last, end = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
    start = (node.lineno, character_column(lines[node.lineno - 1], node.col_offset))
    return start, (last, character_column(lines[last - 1], end))


def _arguments(function: FunctionSignature) -> str:
    shown = (f"{arg.name}: {arg.annotation}" if arg.annotation else arg.name for arg in function.arguments)
    return f"({', '.join(shown)})"


def _displayed(call: ast.Call) -> str | None:
    """The table's name if this is px.display(df, 'name')."""
    if not (isinstance(call.func, ast.Attribute) and call.func.attr == "display"):
        return None
    name = call.args[1] if len(call.args) > 1 else next((one.value for one in call.keywords if one.arg == "name"), None)
    if isinstance(name, ast.Constant) and isinstance(name.value, str) and name.value:
        return name.value
    return "output"
