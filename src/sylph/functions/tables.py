"""Table functions: what they take and what columns they give. Their rows come from providers in `query`."""

from __future__ import annotations

from sylph.functions.declare import Argument, Executor, TableFunction
from sylph.functions.signature import LETTERS
from sylph.tables.types import ColumnType, DataType, Relation
from sylph.tables.types import SemanticType as St

_KELVIN = Executor.ONE_KELVIN
_AGENTS = Executor.ALL_AGENTS
_PEM = Executor.ALL_PEM

_MEANINGS = {"asid": St.ST_ASID, "bytes": St.ST_BYTES, "ns": St.ST_DURATION_NS}


def _relation(columns: str) -> Relation:
    """`name:T` or `name:T:meaning`, separated by blanks."""
    relation = {}
    for column in columns.split():
        name, letter, *meaning = column.split(":")
        relation[name] = ColumnType(LETTERS[letter], _MEANINGS[meaning[0]] if meaning else St.ST_NONE)
    return relation


def _bytes(names: str) -> str:
    return " ".join(f"{name}:I:bytes" for name in names.split())


def _ints(names: str) -> str:
    return " ".join(f"{name}:I" for name in names.split())


_INCLUDE_KELVIN = Argument("include_kelvin", DataType.BOOLEAN, True, "Whether the broker is listed beside the agents")
_ASID = Argument("asid", DataType.INT64, -1, "Short id of the agent to ask, -1 for all")
_HEAP = _relation("asid:I heap:S")

FUNCTIONS = (
    TableFunction("GetTables", "The tables that agents fill.", _KELVIN, _relation("table_name:S table_desc:S")),
    TableFunction(
        "GetSchemas",
        "The columns of every table, with type and pattern by name.",
        _KELVIN,
        _relation("table_name:S column_name:S column_type:S pattern_type:S column_desc:S"),
    ),
    TableFunction(
        "GetAgentStatus",
        "Every agent and its state: AGENT_STATE_UNKNOWN, _HEALTHY, _UNRESPONSIVE or _DISCONNECTED.",
        _KELVIN,
        _relation(
            "agent_id:U asid:I hostname:S ip_address:S agent_state:S create_time:T last_heartbeat_ns:I"
            " kernel_headers_installed:B"
        ),
        (_INCLUDE_KELVIN,),
    ),
    TableFunction(
        "GetProfilerSamplingPeriodMS",
        "Milliseconds between two samples of each agent's CPU profiler.",
        _KELVIN,
        _relation("asid:I profiler_sampling_period_ms:I"),
    ),
    TableFunction(
        "GetLinuxHeadersStatus",
        "Whether Linux headers are installed on each agent's machine.",
        _KELVIN,
        _relation("asid:I kernel_headers_installed:B"),
        (_INCLUDE_KELVIN,),
    ),
    TableFunction(
        "GetUDFList",
        "The scalar functions: one row for each overload, argument types as a JSON array.",
        _KELVIN,
        _relation("name:S return_type:S args:S"),
    ),
    TableFunction(
        "GetUDAList",
        "The aggregate functions: one row for each overload, argument types as a JSON array.",
        _KELVIN,
        _relation("name:S return_type:S args:S"),
    ),
    TableFunction(
        "GetUDTFList",
        "The table functions, with arguments and columns as JSON.",
        _KELVIN,
        _relation("name:S executor:S init_args:S output_relation:S"),
    ),
    TableFunction(
        "GetTracepointStatus",
        "Dynamic tracepoints and their state: pending, running, failed, terminating, terminated or unknown. Messages"
        " and output tables are JSON arrays.",
        _KELVIN,
        _relation("tracepoint_id:U name:S state:S status:S output_tables:S"),
    ),
    TableFunction(
        "GetCronScriptHistory",
        "Runs of scheduled scripts.",
        _KELVIN,
        _relation(
            "script_id:S timestamp:T error_message:S execution_time_ns:I:ns compilation_time_ns:I:ns"
            " bytes_processed:I:bytes records_processed:I"
        ),
    ),
    TableFunction("Version", "The version that the broker runs.", _KELVIN, _relation("asid:I version:S")),
    TableFunction(
        "_DebugMDState",
        "What each agent's metadata holds, as text.",
        _AGENTS,
        _relation("asid:I pod_name:S debug_state:S"),
    ),
    TableFunction(
        "_DebugMDGetWithPrefix",
        "Entries of the metadata whose key begins with a prefix, such as `/pod/`. Values are JSON whatever `proto` is.",
        _KELVIN,
        _relation("key:S value:S"),
        (
            Argument("prefix", DataType.STRING, None, "How the keys begin"),
            Argument("proto", DataType.STRING, None, "Name of the message type that the values hold"),
        ),
    ),
    TableFunction(
        "_DebugTableInfo",
        "The tables of each agent's store and what they take; min_time is -1 for a table without time_.",
        _AGENTS,
        _relation(
            "asid:I name:S id:I "
            + _ints(
                "batches_added batches_expired bytes_added num_batches compacted_batches size cold_size max_table_size"
            )
            + " min_time:T"
        ),
    ),
    TableFunction(
        "_DebugStackTrace", "Stacks of each agent's threads, as text.", _AGENTS, _relation("asid:I stack_trace:S")
    ),
    TableFunction(
        "_HeapStats", "What the C library's allocator holds in each agent, as text (XML).", _AGENTS, _HEAP, (_ASID,)
    ),
    TableFunction(
        "_HeapSample",
        "A sample of what each agent's heap holds, as text. Refused: the allocator of agents takes no samples.",
        _AGENTS,
        _HEAP,
        (_ASID,),
    ),
    TableFunction(
        "_HeapGrowthStacks",
        "Where each agent's heap grew, as text. Refused as `_HeapSample` is.",
        _AGENTS,
        _HEAP,
        (_ASID,),
    ),
    TableFunction(
        "_HeapRanges",
        "Address ranges of each agent's heap, and what part of them is in memory: INUSE, FREE, UNMAPPED or UNKNOWN.",
        _AGENTS,
        _relation("asid:I:asid address:I type:S length:I:bytes inuse_fraction:F"),
        (_ASID,),
    ),
    TableFunction(
        "_HeapStatsNumeric",
        "What the C library's allocator holds in each agent, in bytes; 0 for what it does not have.",
        _AGENTS,
        _relation(
            "asid:I "
            + _bytes(
                "current_allocated_bytes heap_size_bytes central_cache_free_bytes transfer_cache_free_bytes"
                " thread_cache_free_bytes pageheap_free_bytes pageheap_unmapped_bytes"
            )
        ),
        (_ASID,),
    ),
    TableFunction(
        "_HeapReleaseFreeMemory",
        "Gives free memory of each agent back to the system.",
        _AGENTS,
        _relation("asid:I:asid"),
        (_ASID,),
    ),
    TableFunction(
        "_DebugAgentProcStatus",
        "Memory and context switches of each agent, from /proc/self/status.",
        _PEM,
        _relation(
            "asid:I:asid "
            + _bytes(
                "vm_peak_bytes vm_size_bytes vm_lck_bytes vm_pin_bytes vm_hwm_bytes vm_rss_bytes rss_anon_bytes"
                " rss_file_bytes rss_shmem_bytes vm_data_bytes vm_stk_bytes vm_exe_bytes vm_lib_bytes vm_pte_bytes"
                " vm_swap_bytes hugetlb_pages_bytes"
            )
            + " "
            + _ints("voluntary_ctxt_switches nonvoluntary_ctxt_switches")
        ),
    ),
    TableFunction(
        "_DebugAgentProcSMaps",
        "Mappings of each agent's memory, from /proc/self/smaps.",
        _PEM,
        _relation(
            "asid:I:asid address:S offset:S pathname:S "
            + _bytes(
                "size_bytes kernel_page_size_bytes mmu_page_size_bytes rss_bytes pss_bytes shared_clean_bytes"
                " shared_dirty_bytes private_clean_bytes private_dirty_bytes referenced_bytes anonymous_bytes"
                " lazy_free_bytes anon_huge_pages_bytes shmem_pmd_mapped_bytes file_pmd_mapped_bytes"
                " shared_hugetlb_bytes private_hugetlb_bytes swap_bytes swap_pss_bytes locked_bytes"
            )
        ),
    ),
)
