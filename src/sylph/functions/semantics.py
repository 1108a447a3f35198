"""Rules that give the semantic type of a result."""

from __future__ import annotations

from sylph.functions.declare import SemanticRule
from sylph.tables.types import SemanticType as St

RATES = frozenset({St.ST_THROUGHPUT_PER_NS, St.ST_THROUGHPUT_BYTES_PER_NS})
SUMMABLE = RATES | {St.ST_BYTES, St.ST_DURATION_NS}
MEASURES = SUMMABLE | {St.ST_PERCENT}


def always(semantic: St) -> SemanticRule:
    """The same meaning for every call."""

    def rule(_arguments: tuple[St, ...]) -> St:
        return semantic

    return rule


def keeps(kept: frozenset[St]) -> SemanticRule:
    """The arguments' meaning, when all have the same one and it is in `kept`."""

    def rule(arguments: tuple[St, ...]) -> St:
        first = arguments[0]
        return first if first in kept and all(other is first for other in arguments) else St.ST_NONE

    return rule


def keeps_any(arguments: tuple[St, ...]) -> St:
    """The first argument's meaning."""
    return arguments[0]


def keeps_branches(arguments: tuple[St, ...]) -> St:
    """The meaning of the second and third argument where they agree."""
    return arguments[1] if arguments[1] is arguments[2] else St.ST_NONE


def ratio(arguments: tuple[St, ...]) -> St:
    """Anything over a duration is a throughput; bytes over a duration is a throughput of bytes."""
    if arguments[1] is not St.ST_DURATION_NS:
        return St.ST_NONE
    return St.ST_THROUGHPUT_BYTES_PER_NS if arguments[0] is St.ST_BYTES else St.ST_THROUGHPUT_PER_NS


def quantiles_of(arguments: tuple[St, ...]) -> St:
    """Quantiles of a duration are shown as durations."""
    return St.ST_DURATION_NS_QUANTILES if arguments[0] is St.ST_DURATION_NS else St.ST_QUANTILES
