"""Which tables and columns there are."""

from __future__ import annotations

from collections.abc import Mapping

from sylph.plan.expressions import LiteralValue
from sylph.query.dataset import Dataset
from sylph.tables.declare import Table
from sylph.tables.rows import Row


def get_tables(dataset: Dataset, _: Mapping[str, LiteralValue]) -> list[Row]:
    """`GetTables`."""
    return [{"table_name": table.name, "table_desc": table.description} for table in _sorted(dataset)]


def get_schemas(dataset: Dataset, _: Mapping[str, LiteralValue]) -> list[Row]:
    """`GetSchemas`."""
    return [
        {
            "table_name": table.name,
            "column_name": column.name,
            "column_type": column.data.name,
            "pattern_type": column.pattern.name,
            "column_desc": column.description,
        }
        for table in _sorted(dataset)
        for column in table.columns
    ]


def table_info(dataset: Dataset, _: Mapping[str, LiteralValue]) -> list[Row]:
    """`_DebugTableInfo`."""
    return [{"asid": dataset.constants.get("asid", 0), **row} for row in dataset.table_info()]


def _sorted(dataset: Dataset) -> list[Table]:
    return [dataset.tables[name] for name in sorted(dataset.tables)]


PROVIDERS = {"GetTables": get_tables, "GetSchemas": get_schemas, "_DebugTableInfo": table_info}
