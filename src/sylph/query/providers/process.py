"""What the agent's own process uses, from /proc/self (proc(5))."""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Mapping
from pathlib import Path

from sylph.plan.expressions import LiteralValue
from sylph.query.dataset import Dataset
from sylph.tables.rows import Row

_STATUS = {
    "VmPeak": "vm_peak_bytes",
    "VmSize": "vm_size_bytes",
    "VmLck": "vm_lck_bytes",
    "VmPin": "vm_pin_bytes",
    "VmHWM": "vm_hwm_bytes",
    "VmRSS": "vm_rss_bytes",
    "RssAnon": "rss_anon_bytes",
    "RssFile": "rss_file_bytes",
    "RssShmem": "rss_shmem_bytes",
    "VmData": "vm_data_bytes",
    "VmStk": "vm_stk_bytes",
    "VmExe": "vm_exe_bytes",
    "VmLib": "vm_lib_bytes",
    "VmPTE": "vm_pte_bytes",
    "VmSwap": "vm_swap_bytes",
    "HugetlbPages": "hugetlb_pages_bytes",
    "voluntary_ctxt_switches": "voluntary_ctxt_switches",
    "nonvoluntary_ctxt_switches": "nonvoluntary_ctxt_switches",
}

_SMAPS = {
    "Size": "size_bytes",
    "KernelPageSize": "kernel_page_size_bytes",
    "MMUPageSize": "mmu_page_size_bytes",
    "Rss": "rss_bytes",
    "Pss": "pss_bytes",
    "Shared_Clean": "shared_clean_bytes",
    "Shared_Dirty": "shared_dirty_bytes",
    "Private_Clean": "private_clean_bytes",
    "Private_Dirty": "private_dirty_bytes",
    "Referenced": "referenced_bytes",
    "Anonymous": "anonymous_bytes",
    "LazyFree": "lazy_free_bytes",
    "AnonHugePages": "anon_huge_pages_bytes",
    "ShmemPmdMapped": "shmem_pmd_mapped_bytes",
    "FilePmdMapped": "file_pmd_mapped_bytes",
    "Shared_Hugetlb": "shared_hugetlb_bytes",
    "Private_Hugetlb": "private_hugetlb_bytes",
    "Swap": "swap_bytes",
    "SwapPss": "swap_pss_bytes",
    "Locked": "locked_bytes",
}


def proc_status(dataset: Dataset, _: Mapping[str, LiteralValue]) -> list[Row]:
    """`_DebugAgentProcStatus`."""
    row: dict[str, object] = {"asid": dataset.constants.get("asid", 0)}
    for line in Path("/proc/self/status").read_text().splitlines():
        row.update(_value(line, _STATUS))
    return [row]


def proc_smaps(dataset: Dataset, _: Mapping[str, LiteralValue]) -> list[Row]:
    """`_DebugAgentProcSMaps`."""
    rows: list[dict[str, object]] = []
    for line in Path("/proc/self/smaps").read_text(errors="replace").splitlines():
        first = line.split(" ", 1)[0]
        if not first.endswith(":"):
            # A mapping begins: address perms offset dev inode [path].
            parts = line.split(None, 5)
            path = parts[5] if len(parts) > 5 else ""
            rows.append(
                {"asid": dataset.constants.get("asid", 0), "address": parts[0], "offset": parts[2], "pathname": path}
            )
        elif rows:
            rows[-1].update(_value(line, _SMAPS))
    return list(rows)


def stack_trace(dataset: Dataset, _: Mapping[str, LiteralValue]) -> list[Row]:
    """`_DebugStackTrace`: the Python stacks of all threads."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    text = "\n".join(
        f"thread {names.get(ident, ident)}\n{''.join(traceback.format_stack(frame))}"
        for ident, frame in sys._current_frames().items()
    )
    return [{"asid": dataset.constants.get("asid", 0), "stack_trace": text}]


def _value(line: str, names: Mapping[str, str]) -> dict[str, object]:
    key, _, rest = line.partition(":")
    column = names.get(key)
    if column is None:
        return {}
    number, *unit = rest.split()
    return {column: int(number) * (1024 if unit == ["kB"] else 1)}


PROVIDERS = {
    "_DebugAgentProcStatus": proc_status,
    "_DebugAgentProcSMaps": proc_smaps,
    "_DebugStackTrace": stack_trace,
}
