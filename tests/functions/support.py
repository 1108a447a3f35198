from __future__ import annotations

import ast
from typing import Any

from sylph.functions.declare import Overload
from sylph.functions.registry import resolve_scalar
from sylph.functions.render import template
from sylph.tables.types import DUCKDB_TYPES, ColumnType, DataType

CONSTANTS = {
    "asid": "7",
    "hostname": "'host-a'",
    "num_cpus": "4",
    "vizier_id": "'00000000-0000-0000-0000-000000000001'",
    "vizier_name": "'cluster'",
    "vizier_namespace": "'px'",
    "cidrs": "'[\"10.0.0.0/8\"]'",
}


def literal(value: Any, data: DataType) -> str:
    if data is DataType.STRING or data is DataType.UINT128 or isinstance(value, float):
        return f"'{str(value).replace(chr(39), chr(39) * 2)}'::{DUCKDB_TYPES[data]}"
    return f"({value})::{DUCKDB_TYPES[data]}"


def call_sql(overload: Overload, arguments: list[str]) -> str:
    return f"({template(overload, arguments).format(*arguments, **CONSTANTS)})"


_TYPES = {bool: DataType.BOOLEAN, int: DataType.INT64, float: DataType.FLOAT64, str: DataType.STRING}


def expression_sql(source: str) -> tuple[str, ColumnType]:
    """SQL and type of a PxL expression of calls and literals."""

    def visit(node: ast.expr) -> tuple[str, ColumnType, Any]:
        if isinstance(node, ast.Call):
            assert isinstance(node.func, ast.Attribute)
            args = [visit(arg) for arg in node.args]
            overload, result = resolve_scalar(
                node.func.attr, tuple(arg[1] for arg in args), tuple(arg[2] for arg in args)
            )
            return call_sql(overload, [arg[0] for arg in args]), result, None
        value = ast.literal_eval(node)
        data = _TYPES[type(value)]
        return literal(value, data), ColumnType(data), value

    sql, result, _ = visit(ast.parse(source, mode="eval").body)
    return sql, result
