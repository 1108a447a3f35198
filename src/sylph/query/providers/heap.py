"""What the allocator of the C library holds in the agent's own process (mallinfo(3), malloc_info(3), malloc_trim(3)).

Of the tables that agents debug with. Memory that DuckDB and Arrow take from their own allocators is in the ranges only.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sylph.plan.expressions import LiteralValue
from sylph.query.answer import Code, QueryError
from sylph.query.dataset import Dataset
from sylph.tables.rows import Row

#: The fields of glibc's `struct mallinfo2`, each a size_t.
_FIELDS = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"


class _MallInfo(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in _FIELDS.split()]


def heap_stats(dataset: Dataset, arguments: Mapping[str, LiteralValue]) -> list[Row]:
    """`_HeapStats`: the C library's own report, XML."""
    return _of_this_agent(dataset, arguments, lambda: [{"heap": _report()}])


def heap_stats_numeric(dataset: Dataset, arguments: Mapping[str, LiteralValue]) -> list[Row]:
    """`_HeapStatsNumeric`. What this allocator does not have is 0."""

    def made() -> list[dict[str, object]]:
        mallinfo = _function("mallinfo2", _MallInfo)
        info = mallinfo()
        numbers = {
            "current_allocated_bytes": info.uordblks + info.hblkhd,
            "heap_size_bytes": info.arena + info.hblkhd,
            "thread_cache_free_bytes": info.fsmblks,
            "pageheap_free_bytes": info.fordblks,
        }
        return [dict(numbers)]

    return _of_this_agent(dataset, arguments, made)


def heap_ranges(dataset: Dataset, arguments: Mapping[str, LiteralValue]) -> list[Row]:
    """`_HeapRanges`: writable memory without a file behind it; what part of it is there, from /proc/self/smaps."""
    return _of_this_agent(dataset, arguments, lambda: _ranges(Path("/proc/self/smaps").read_text(errors="replace")))


def release_free_memory(dataset: Dataset, arguments: Mapping[str, LiteralValue]) -> list[Row]:
    """`_HeapReleaseFreeMemory`."""

    def made() -> list[dict[str, object]]:
        _function("malloc_trim", ctypes.c_int, ctypes.c_size_t)(0)
        return [{}]

    return _of_this_agent(dataset, arguments, made)


def _of_this_agent(
    dataset: Dataset, arguments: Mapping[str, LiteralValue], make: Callable[[], list[dict[str, object]]]
) -> list[Row]:
    """Rows of this agent, if it is the one that is asked; -1 asks all."""
    own = dataset.constants.get("asid", 0)
    if arguments.get("asid", -1) not in (-1, own):
        return []
    return [{"asid": own, **row} for row in make()]


def _function(name: str, result: Any, *arguments: Any) -> Any:
    """A function of the C library. Raises QueryError where there is none, as without glibc 2.33."""
    try:
        found = getattr(ctypes.CDLL(None), name)
    except AttributeError:
        message = f"the C library of this machine has no {name}(), so nothing is known of its allocator"
        raise QueryError(Code.UNIMPLEMENTED, message) from None
    found.restype, found.argtypes = result, arguments
    return found


def _report() -> str:
    pointer = ctypes.POINTER(ctypes.c_void_p)
    open_memstream = _function("open_memstream", ctypes.c_void_p, pointer, ctypes.POINTER(ctypes.c_size_t))
    malloc_info = _function("malloc_info", ctypes.c_int, ctypes.c_int, ctypes.c_void_p)
    close = _function("fclose", ctypes.c_int, ctypes.c_void_p)
    free = _function("free", None, ctypes.c_void_p)
    buffer, size = ctypes.c_void_p(), ctypes.c_size_t()
    stream = open_memstream(ctypes.byref(buffer), ctypes.byref(size))
    if not stream:
        raise QueryError(Code.RESOURCE_EXHAUSTED, "no memory for the report of the allocator")
    malloc_info(0, stream)
    close(stream)
    try:
        return ctypes.string_at(buffer, size.value).decode("utf-8", "replace") if buffer.value else ""
    finally:
        free(buffer)


def _ranges(smaps: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    row: dict[str, object] | None = None
    length = 0
    for line in smaps.splitlines():
        first, _, rest = line.partition(" ")
        if not first.endswith(":"):
            # A mapping begins: address perms offset dev inode [path].
            permissions, _, _, _, *path = rest.split(None, 4)
            row = None
            if permissions.startswith("rw") and (not path or path[0].strip() in ("[heap]", "")):
                start, _, end = first.partition("-")
                length = int(end, 16) - int(start, 16)
                row = {"address": int(start, 16), "length": length, "type": "UNKNOWN", "inuse_fraction": 0.0}
                rows.append(row)
        elif row is not None and first == "Rss:":
            there = int(rest.split()[0]) * 1024
            row["inuse_fraction"] = there / length
            row["type"] = "INUSE" if there else "UNMAPPED"
    return rows


PROVIDERS = {
    "_HeapStats": heap_stats,
    "_HeapStatsNumeric": heap_stats_numeric,
    "_HeapRanges": heap_ranges,
    "_HeapReleaseFreeMemory": release_free_memory,
}
