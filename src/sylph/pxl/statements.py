"""Statements: those that are written another way, those that PxL does not have, and what an annotation asks for."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from sylph.pxl.errors import Kind
from sylph.pxl.values import Builtin, Fault, Frame, Scalar, TypeValue, describe


def check_annotation(name: str, annotation: Any, value: Any, node: ast.AST | None) -> None:
    """Raise Fault when argument `name` is not what its annotation says."""
    if isinstance(annotation, TypeValue):
        if annotation.type is None:
            fits = isinstance(value, (list, tuple))
        else:
            fits = isinstance(value, Scalar) and value.type.data is annotation.type.data
            if fits and value.cast and value.type.semantic is not annotation.type.semantic:
                fits = False
        expected = annotation.name
    elif isinstance(annotation, Builtin) and annotation.name == "DataFrame":
        fits, expected = isinstance(value, Frame), "DataFrame"
    else:
        return
    if not fits:
        received = describe(value)
        if isinstance(value, Scalar) and value.cast:
            received = f"{value.type.semantic.name.removeprefix('ST_').lower()} {received}"
        raise Fault(f"argument '{name}': expected {expected}, received {received}", Kind.TYPE, "", node)


def written_out(statement: ast.AugAssign) -> ast.Assign:
    """`a += b` as `a = a + b`."""
    value = ast.copy_location(ast.BinOp(statement.target, statement.op, statement.value), statement)
    return ast.copy_location(ast.Assign([statement.target], value), statement)


_STATEMENTS: Mapping[type[ast.stmt], tuple[str, str]] = {
    ast.For: ("for", "DataFrame operations work on all rows at once"),
    ast.While: ("while", "DataFrame operations work on all rows at once"),
    ast.AsyncFunctionDef: ("async def", "use def"),
    ast.Pass: ("pass", "leave it out, or return"),
    ast.Try: ("try", "errors are found before the script runs; operations on rows give 0 or '' instead of failing"),
    ast.Global: ("global", "names outside are seen within a function; give a result back with return"),
    ast.Nonlocal: ("nonlocal", "names outside are seen within a function; give a result back with return"),
    ast.If: ("if", "use px.select(condition, a, b) for a value, df[condition] for rows"),
    ast.With: ("with", ""),
    ast.ClassDef: ("class", ""),
    ast.AnnAssign: ("annotated assignment", "leave the annotation out"),
    ast.Delete: ("del", "use df.drop(['column'])"),
}


def unsupported_statement(statement: ast.stmt) -> tuple[str, Kind, str]:
    """Message, kind and hint about a statement that PxL does not have."""
    name, hint = _STATEMENTS.get(type(statement), (type(statement).__name__.lower(), ""))
    return f"'{name}' is not part of PxL", Kind.MODULE, hint
