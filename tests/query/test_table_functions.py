"""Every table function gives its declared columns, or a clear error."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sylph.functions.registry import SCALARS, TABLE_FUNCTIONS
from sylph.plan.nodes import TableFunctionSource
from sylph.query.answer import Code, QueryError, Rows
from sylph.query.engine import Engine
from sylph.query.table_functions import EMPTY, PROVIDERS
from sylph.tables import TABLES
from sylph.tables.types import arrow_schema
from sylph.testing.dataset import MemoryDataset
from sylph.testing.plans import agg, plan
from tests.query.test_engine import dataset, entity


def rows(name: str, data: MemoryDataset | None = None) -> list[dict[str, object]]:
    function = TABLE_FUNCTIONS[name]
    arguments = {argument.name: argument.default for argument in function.arguments}
    node = TableFunctionSource(name, {k: "" if v is None else v for k, v in arguments.items()}, function.relation)
    engine = Engine(data or dataset())
    (result,) = (result for result in engine.run(plan(node)) if isinstance(result, Rows))
    engine.close()
    assert result.batch.schema.equals(arrow_schema(function.relation), check_metadata=True)
    return result.batch.to_pylist()


@pytest.mark.parametrize("name", sorted(TABLE_FUNCTIONS))
def test_each_has_rows_or_says_why_not(name: str) -> None:
    if name in PROVIDERS:
        data = dataset()
        data.metadata["agent"] = entity("agent", {"agent_id": 2**127 + 1, "asid": 1, "hostname": "node-1"})
        assert rows(name, data)
    elif name in EMPTY:
        assert rows(name) == []
    else:
        with pytest.raises(QueryError) as error:
            rows(name)
        assert error.value.code is Code.UNIMPLEMENTED
        assert name in error.value.message


def test_schemas_are_those_declared() -> None:
    got = {(row["table_name"], row["column_name"], row["column_type"]) for row in rows("GetSchemas")}
    assert got == {(table.name, column.name, column.data.name) for table in TABLES.values() for column in table.columns}
    assert {row["table_name"] for row in rows("GetTables")} == set(TABLES)


def test_scalars_are_listed_by_overload() -> None:
    assert len(rows("GetUDFList")) == sum(len(function.overloads) for function in SCALARS.values())
    assert {"name": "pow", "return_type": "FLOAT64", "args": '["FLOAT64", "INT64"]'} in rows("GetUDFList")


def test_process_status_is_our_own() -> None:
    (status,) = rows("_DebugAgentProcStatus")
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
    assert status["vm_rss_bytes"] == pytest.approx(resident, rel=0.2)
    maps = rows("_DebugAgentProcSMaps")
    assert any("libc" in str(row["pathname"]) for row in maps)
    assert sum(int(str(row["rss_bytes"])) for row in maps) == pytest.approx(resident, rel=0.2)


def test_they_are_tables_like_others() -> None:
    function = TABLE_FUNCTIONS["GetSchemas"]
    node = agg(TableFunctionSource("GetSchemas", {}, function.relation), ["table_name"], n=("column_name", "count"))
    engine = Engine(dataset())
    (result,) = (result for result in engine.run(plan(node)) if isinstance(result, Rows))
    engine.close()
    assert dict(zip(*result.batch.to_pydict().values(), strict=True)) == {
        table.name: len(table.columns) for table in TABLES.values()
    }
