"""The rewrite rules in their order."""

from __future__ import annotations

from collections.abc import Callable

from sylph.plan.nodes import Plan
from sylph.plan.rules import (
    merge_duplicates,
    merge_filters,
    merge_maps,
    prune_columns,
    push_filters,
    push_limits,
    push_time_bounds,
    remove_dead,
)

Rule = Callable[[Plan], Plan]

#: What moves nodes, to a fixpoint. Duplicates are merged first, since the others leave shared nodes alone.
RULES: tuple[Rule, ...] = (
    remove_dead.apply,
    merge_maps.apply,
    merge_filters.apply,
    push_filters.apply,
    push_time_bounds.apply,
    push_limits.apply,
)

#: A filter sinks one node a round; deeper plans are left as they are after so many rounds, which is correct too.
MAX_ROUNDS = 64


def optimise(plan: Plan) -> Plan:
    """The plan rewritten by every rule until none changes it."""
    plan = merge_duplicates.apply(plan)
    for _ in range(MAX_ROUNDS):
        before = plan
        for rule in RULES:
            plan = rule(plan)
        if plan is before:
            break
    # Pruning leaves maps that change nothing, and sources that differed only in what was read of them.
    return merge_duplicates.apply(merge_maps.apply(prune_columns.apply(plan)))
