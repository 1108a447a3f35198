"""Which functions there are."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sylph.functions.registry import AGGREGATES, SCALARS, TABLE_FUNCTIONS
from sylph.plan.expressions import LiteralValue
from sylph.query.dataset import Dataset
from sylph.tables.rows import Row
from sylph.tables.types import DataType


def _types(types: tuple[DataType, ...]) -> str:
    return json.dumps([data.name for data in types])


def get_scalars(_: Dataset, __: Mapping[str, LiteralValue]) -> list[Row]:
    """`GetUDFList`."""
    return [
        {"name": name, "return_type": overload.result.name, "args": _types(overload.init + overload.args)}
        for name, function in sorted(SCALARS.items())
        for overload in function.overloads
    ]


def get_aggregates(_: Dataset, __: Mapping[str, LiteralValue]) -> list[Row]:
    """`GetUDAList`."""
    return [
        {"name": name, "return_type": overload.result.name, "args": _types(overload.args)}
        for name, function in sorted(AGGREGATES.items())
        for overload in function.overloads
    ]


def get_table_functions(_: Dataset, __: Mapping[str, LiteralValue]) -> list[Row]:
    """`GetUDTFList`."""
    return [
        {
            "name": name,
            "executor": function.executor.value,
            "init_args": json.dumps({argument.name: argument.data.name for argument in function.arguments}),
            "output_relation": json.dumps({column: kind.data.name for column, kind in function.relation.items()}),
        }
        for name, function in sorted(TABLE_FUNCTIONS.items())
    ]


PROVIDERS = {"GetUDFList": get_scalars, "GetUDAList": get_aggregates, "GetUDTFList": get_table_functions}
