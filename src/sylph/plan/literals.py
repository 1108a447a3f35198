"""Literals and names as DuckDB SQL text."""

from __future__ import annotations

import uuid

from sylph.plan.errors import PlanError
from sylph.plan.expressions import Literal, LiteralValue
from sylph.tables.types import DataType

_INT64 = range(-(2**63), 2**63)
_INT32 = range(-(2**31), 2**31)

#: The value that stands for "nothing" in each type, as SQL: no value is ever null.
ZERO_SQL = {
    DataType.BOOLEAN: "false",
    DataType.INT64: "0::BIGINT",
    DataType.UINT128: "'00000000-0000-0000-0000-000000000000'::UUID",
    DataType.FLOAT64: "0::DOUBLE",
    DataType.STRING: "''",
    DataType.TIME64NS: "0::BIGINT",
}


def quote(name: str) -> str:
    """A name as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def string_sql(value: str) -> str:
    """A string literal. DuckDB knows no escapes but the doubled quote, and takes any other character as it is."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise PlanError(f"string {value!r} is not valid Unicode", "remove the lone surrogate") from None
    return "'" + value.replace("'", "''") + "'"


def value_sql(value: LiteralValue, data: DataType) -> str:
    """A value of a type, always with that exact type: an untyped `1` would be a 32-bit integer.

    Raises PlanError when the value is not of the type.
    """
    match data:
        case DataType.BOOLEAN if isinstance(value, bool):
            return "true" if value else "false"
        case DataType.INT64 | DataType.TIME64NS if isinstance(value, int) and int(value) in _INT64:
            number = int(value)
            if number in _INT32:
                return f"{number}::BIGINT" if number >= 0 else f"({number})::BIGINT"
            return f"'{number}'::BIGINT"
        case DataType.FLOAT64 if isinstance(value, float):
            return f"'{value!r}'::DOUBLE"
        case DataType.STRING if isinstance(value, str):
            return string_sql(value)
        case DataType.UINT128 if isinstance(value, int) and 0 <= value < 2**128:
            return f"'{uuid.UUID(int=value)}'::UUID"
        case _:
            raise PlanError(f"{value!r} is not a value of type {data.name}")


def literal_sql(literal: Literal) -> str:
    """A plan's literal as SQL."""
    return value_sql(literal.value, literal.type.data)
