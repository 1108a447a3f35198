"""Every table function gives its declared columns, or a clear error."""

from __future__ import annotations

import ctypes
import json
import mmap
import os
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

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


def rows(name: str, data: MemoryDataset | None = None, **given: object) -> list[dict[str, Any]]:
    function = TABLE_FUNCTIONS[name]
    arguments = {argument.name: argument.default for argument in function.arguments}
    arguments = {k: "" if v is None else v for k, v in arguments.items()} | given
    node = TableFunctionSource(name, arguments, function.relation)
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


def test_heap_numbers_grow_with_what_is_allocated() -> None:
    (before,) = rows("_HeapStatsNumeric")
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = (
        ctypes.c_void_p,
        [ctypes.c_size_t],
        [ctypes.c_void_p],
    )
    # The larger of the two ways in which glibc keeps blocks: mapped by itself.
    held = libc.malloc(64 << 20)
    try:
        (after,) = rows("_HeapStatsNumeric")
    finally:
        libc.free(held)
    assert after["current_allocated_bytes"] - before["current_allocated_bytes"] > 32 << 20
    assert after["heap_size_bytes"] >= after["current_allocated_bytes"]


def test_heap_report_is_of_the_c_library() -> None:
    (stats,) = rows("_HeapStats")
    assert ET.fromstring(stats["heap"]).tag == "malloc"


def test_heap_ranges_hold_what_is_allocated() -> None:
    block = mmap.mmap(-1, 1 << 24, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    block[: 1 << 23] = bytes(1 << 23)
    address = ctypes.addressof(ctypes.c_char.from_buffer(block))
    (found,) = (row for row in rows("_HeapRanges") if row["address"] <= address < row["address"] + row["length"])
    assert found["type"] == "INUSE"
    assert 0 < found["inuse_fraction"] <= 1
    assert found["length"] >= 1 << 24


@pytest.mark.parametrize("name", ["_HeapStats", "_HeapStatsNumeric", "_HeapRanges", "_HeapReleaseFreeMemory"])
def test_one_agent_can_be_asked(name: str) -> None:
    assert {row["asid"] for row in rows(name, asid=-1)} == {1}
    assert {row["asid"] for row in rows(name, asid=1)} == {1}
    assert rows(name, asid=2) == []


def test_metadata_is_found_by_prefix() -> None:
    data = dataset()
    data.metadata["pod"] = entity("pod", {"pod_id": "p-1", "pod_name": "ns/a"}, {"pod_id": "q-1", "pod_name": "ns/b"})
    data.metadata["process"] = entity("process", {"upid": 1 << 96 | 7})
    keys = lambda prefix: [row["key"] for row in rows("_DebugMDGetWithPrefix", data, prefix=prefix)]  # noqa: E731
    assert keys("/pod/") == ["/pod/p-1", "/pod/q-1"]
    assert keys("/pod/q") == ["/pod/q-1"]
    assert keys("/p") == ["/pod/p-1", "/pod/q-1", "/process/00000001-0000-0000-0000-000000000007"]
    assert keys("/nothing") == []
    (found,) = rows("_DebugMDGetWithPrefix", data, prefix="/pod/p")
    assert json.loads(found["value"])["pod_name"] == "ns/a"


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
