"""Profiles for other tools."""

from __future__ import annotations

from sylph.functions.declare import Aggregate, Example
from sylph.functions.signature import aggregate

_ROWS = "list(struct_pack(stack := {0}, count := {1}, period := {2}))"
_NONE = "CAST([] AS STRUCT(stack VARCHAR, count BIGINT, period BIGINT)[])"

AGGREGATES = (
    Aggregate(
        "pprof",
        "A pprof profile of stack traces (frames from the root, joined by `;`), their counts and the sampling period in"
        " ms. Strings are text here, so its bytes come in base64.",
        aggregate(
            "(S,I,I)->S",
            f"px_pprof_profile(coalesce({_ROWS}, {_NONE}))",
            (f"coalesce({_ROWS}, {_NONE})",),
            (f"coalesce(flatten(list({{0}})), {_NONE})",),
            "px_pprof_profile({0})",
        ),
        parameters=("stack_trace", "count", "period_ms"),
        examples=(Example("px.substring(px.pprof('stack', 'n', 'period'), 0, 8)", "CgQIARAC"),),
    ),
)
