"""Kernels: functions over Arrow arrays that DuckDB calls by name, for what SQL cannot express.

Computing kernels are native (`sylph._native.kernel`); what waits for the outside (`nslookup`, `shared_libraries`) works
on distinct values. In SQL a kernel is called `px_NAME`; `install` makes those that a statement uses known to a DuckDB
connection. DuckDB needs numpy for that, so nothing is imported before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

#: One Arrow array for each argument, all of one length and without nulls, in; an array of that length out.
Arrays = Callable[..., "pa.Array"]

PREFIX = "px_"
_CALL = re.compile(rf"\b{PREFIX}(\w+)\(")


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel with its DuckDB types. `load` gives the function; None: `sylph._native.kernel` has it."""

    name: str
    parameters: tuple[str, ...]
    result: str
    load: Callable[[], Arrays] | None = None
    #: False for what depends on more than its arguments.
    pure: bool = True


def _nslookup() -> Arrays:
    from sylph.functions.reverse_dns import names

    return names


def _shared_libraries() -> Arrays:
    from sylph.functions.mapped_files import shared_libraries

    return shared_libraries


_ROW = "STRUCT(stack VARCHAR, count BIGINT, period BIGINT)[]"

#: All kernels by name.
KERNELS: Mapping[str, Kernel] = MappingProxyType(
    {
        kernel.name: kernel
        for kernel in (
            Kernel("bytes_to_hex", ("VARCHAR",), "VARCHAR"),
            Kernel("hex_to_ascii", ("VARCHAR",), "VARCHAR"),
            Kernel("uri_parse", ("VARCHAR",), "VARCHAR"),
            Kernel("redact_pii_best_effort", ("VARCHAR",), "VARCHAR"),
            Kernel("normalize_pgsql", ("VARCHAR", "VARCHAR"), "VARCHAR"),
            Kernel("normalize_mysql", ("VARCHAR", "BIGINT"), "VARCHAR"),
            Kernel("cidrs_contain_ip", ("VARCHAR", "VARCHAR"), "BOOLEAN"),
            Kernel("match_endpoint", ("VARCHAR", "VARCHAR"), "BOOLEAN"),
            Kernel("predict_request_path_cluster", ("VARCHAR", "VARCHAR"), "VARCHAR"),
            Kernel("build_request_path_clusters", ("VARCHAR[]",), "VARCHAR"),
            Kernel("encode_sentence_piece", ("VARCHAR",), "VARCHAR"),
            Kernel("text_embedding", ("VARCHAR",), "VARCHAR"),
            Kernel("kmeans_inference", ("VARCHAR", "VARCHAR"), "BIGINT"),
            Kernel("kmeans_fit", ("VARCHAR[]", "BIGINT"), "VARCHAR"),
            Kernel("pprof_profile", (_ROW,), "VARCHAR"),
            Kernel("nslookup", ("VARCHAR",), "VARCHAR", _nslookup, pure=False),
            Kernel("shared_libraries", ("UUID",), "VARCHAR", _shared_libraries, pure=False),
        )
    }
)


def used(sql: str) -> set[str]:
    """Names of the kernels that a statement may call."""
    return {name for name in _CALL.findall(sql) if name in KERNELS}


def install(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Makes the kernels that `sql` calls known to the connection's database; those known already stay.

    Call it with nothing unfinished on the connection. Costs about 0.3 ms a kernel.
    """
    for name in used(sql):
        _create(connection, KERNELS[name])


def _create(connection: duckdb.DuckDBPyConnection, kernel: Kernel) -> None:
    import duckdb
    from duckdb.func import PythonUDFType

    try:
        connection.create_function(
            PREFIX + kernel.name,
            function(kernel),
            list(kernel.parameters),
            kernel.result,
            type=PythonUDFType.ARROW,
            side_effects=not kernel.pure,
        )
    except (duckdb.NotImplementedException, duckdb.CatalogException) as error:
        if "already" not in str(error):  # an earlier statement did it
            raise


@cache
def function(kernel: Kernel) -> Callable[..., Any]:
    """The kernel as DuckDB calls it: with chunked arrays, as many as it has parameters.

    Cached since it must live for ever: DuckDB's catalog keeps calling it after the cursor that holds the only
    reference to it is closed, and would crash.
    """
    arrays = kernel.load() if kernel.load is not None else _native(kernel.name)
    if len(kernel.parameters) == 1:
        return lambda one: arrays(_whole(one))
    return lambda one, two: arrays(_whole(one), _whole(two))


def _whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    import pyarrow as pa

    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return (
        array.cast(pa.string())
        if pa.types.is_string_view(array.type) or pa.types.is_large_string(array.type)
        else array
    )


def _native(name: str) -> Arrays:
    import pyarrow as pa

    from sylph._native import kernel

    def call(*columns: pa.Array) -> pa.Array:
        batch = pa.record_batch(list(columns), [str(place) for place in range(len(columns))])
        return pa.record_batch(kernel(name, batch)).column(0)

    return call
