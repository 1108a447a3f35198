"""Aggregates that say how values are spread: percentiles, standard deviation, distinct values, histograms."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace
from functools import lru_cache

from sylph.functions import digest
from sylph.functions.declare import Aggregate, AggregateOverload, Example, LiteralValue, Option
from sylph.functions.semantics import MEASURES, keeps
from sylph.functions.signature import aggregate, quote
from sylph.tables.types import DataType

_NAN = "'nan'::DOUBLE"

# -- percentile -----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def _percentile(overload: AggregateOverload, options: tuple[LiteralValue, ...]) -> AggregateOverload:
    (q,) = options
    if not (isinstance(q, float) and 0.0 <= q <= 1.0):
        raise ValueError(f"a percentile is a fraction from 0.0 to 1.0, such as 0.99, not {q}")
    # The digest is the same for every q, so that several percentiles of a column share one.
    return replace(
        overload,
        sql=digest.quantile(digest.WHOLE, q),
        partial=(digest.TO_SEND,),
        merge=(digest.MERGED,),
        final=digest.quantile("{0}", q),
    )


# -- stddev ---------------------------------------------------------------------------------------------------------

#: Squares of greater values are no floats.
_FINITE = "CASE WHEN abs(CAST({0} AS DOUBLE)) <= 1e150 THEN CAST({0} AS DOUBLE) END"
_STDDEV = f"stddev_samp({_FINITE})"

# -- count_distinct -------------------------------------------------------------------------------------------------

#: Hashes kept of a group's values: the least ones. Fewer are all there are; else their density says how many there are.
KEPT = 4096
_LEAST = f"coalesce(min(DISTINCT hash({{0}}), {KEPT}), [])"
_COUNTED = (
    f"CASE WHEN len({{0}}) < {KEPT} THEN CAST(len({{0}}) AS BIGINT)"
    f" ELSE CAST(round({KEPT - 1} / (CAST(({{0}})[{KEPT}] AS DOUBLE) / 18446744073709551616.0)) AS BIGINT) END"
)

# -- histogram ------------------------------------------------------------------------------------------------------

MAX_BOUNDS = 200
#: 1, 2 and 5 times each power of ten: what latencies in ns, bytes and ratios need.
_SERIES = tuple(float(f"{factor}e{power}") for power in range(-6, 19) for factor in (1, 2, 5))


def bounds(text: str) -> tuple[float, ...]:
    """The bounds in an option's text; raises ValueError."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, list) or not all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values):
        raise ValueError("the bounds of a histogram are a list of numbers such as [1000, 1000000]")
    if not 1 <= len(values) <= MAX_BOUNDS:
        raise ValueError(f"a histogram has from 1 to {MAX_BOUNDS} bounds, not {len(values)}")
    try:
        found = tuple(map(float, values))
    except OverflowError:
        found = (math.inf,)
    if not all(map(math.isfinite, found)):
        raise ValueError("the bounds of a histogram are finite numbers: what is beyond the last is counted too")
    if any(a >= b for a, b in itertools.pairwise(found)):
        raise ValueError("the bounds of a histogram must be in ascending order, each once")
    return found


@lru_cache(maxsize=256)
def _histogram(overload: AggregateOverload, options: tuple[LiteralValue, ...]) -> AggregateOverload:
    given = bounds(str(options[0])) if options[0] else ()
    edges = given or _SERIES
    points = ", ".join(f"'{edge!r}'::DOUBLE" for edge in (*edges, math.inf))
    value = "CASE WHEN NOT isnan(CAST({0} AS DOUBLE)) THEN CAST({0} AS DOUBLE) END"
    counts = f"map_values(histogram({value}, [{points}]))"
    ends = [None, *edges, None]
    starts = [
        f'{{"lower":{json.dumps(lower)},"upper":{json.dumps(upper)},"count":'
        for lower, upper in itertools.pairwise(ends)
    ]
    none = f"list_resize(CAST([] AS UBIGINT[]), {len(starts)}, 0)"
    pairs = f"list_zip([{', '.join(map(quote, starts))}], coalesce({{counts}}, {none}))"
    if not given:
        # Of so many buckets only those with values are of interest.
        pairs = f"list_filter({pairs}, lambda pair: pair[2] > 0)"
    text = f"'[' || array_to_string(list_transform({pairs}, lambda pair: pair[1] || pair[2] || '}}}}'), ',') || ']'"
    sums = ", ".join(f"CAST(sum({{0}}[{i + 1}]) AS UBIGINT)" for i in range(len(starts)))
    return replace(
        overload,
        sql=text.replace("{counts}", counts),
        partial=(counts,),
        merge=(f"CASE WHEN count({{0}}) > 0 THEN [{sums}] END",),
        final=text.replace("{counts}", "{0}"),
    )


def _overloads(signatures: str) -> tuple[AggregateOverload, ...]:
    """Signatures whose SQL depends on options."""
    return aggregate(signatures, "", (), (), "")


FUNCTIONS = (
    Aggregate(
        "percentile",
        "The value below which the fraction q of the values lies, as a float: `px.percentile('latency', 0.99)`. inf and"
        " nan are passed over; 0.0 of no rows.",
        tuple(_percentile(one, (0.5,)) for one in _overloads("(I)->F (F)->F")),
        keeps(MEASURES),
        error="A digest: the rank of the value is within 0.02 of the one asked for, direct or merged.",
        parameters=("value",),
        options=(Option("q", DataType.FLOAT64),),
        specialize=_percentile,
        beyond=True,
        examples=(Example("px.percentile('n', 0.5)", 2.0),),
    ),
    Aggregate(
        "stddev",
        "Standard deviation of the values as a sample; nan of fewer than two. inf, nan and what is beyond 1e150 are"
        " passed over.",
        aggregate(
            "(I)->F (F)->F",
            f"coalesce({_STDDEV}, {_NAN})",
            (f"{_STDDEV} EXPORT_STATE",),
            ("combine_aggr(to_aggregate_state({0}, 'stddev_samp', ['DOUBLE']))",),
            f"coalesce(finalize({{0}}), {_NAN})",
        ),
        keeps(MEASURES),
        parameters=("value",),
        beyond=True,
        examples=(Example("px.stddev('ratio')", 1.0),),
    ),
    Aggregate(
        "count_distinct",
        "How many different values there are.",
        aggregate(
            "(B)->I (I)->I (F)->I (T)->I (S)->I (U)->I",
            _COUNTED.replace("{0}", _LEAST),
            (_LEAST,),
            (f"list_sort(list_distinct(flatten(list({{0}}))))[:{KEPT}]",),
            _COUNTED,
        ),
        error=f"Exact for fewer than {KEPT} values in a group; a standard error of 1.6 % for more, direct or merged.",
        parameters=("value",),
        beyond=True,
        examples=(Example("px.count_distinct('path')", 2),),
    ),
    Aggregate(
        "histogram",
        'How many values are in each bucket, as a JSON array of `{"lower":1.0,"upper":2.0,"count":3}`: greater than the'
        " lower bound, at most the upper one; null where there is none. With a list of bounds, all their buckets;"
        " without, those of 1, 2 and 5 times the powers of ten that are not empty. nan is passed over.",
        tuple(_histogram(one, ("",)) for one in _overloads("(I)->S (F)->S")),
        parameters=("value",),
        options=(Option("buckets", DataType.STRING, "", numbers=True),),
        specialize=_histogram,
        beyond=True,
        examples=(
            Example(
                "px.histogram('n', [2])", '[{"lower":null,"upper":2.0,"count":2},{"lower":2.0,"upper":null,"count":1}]'
            ),
        ),
    ),
)
