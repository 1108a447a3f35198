"""Where each operator may run: functions that need an agent come before the first operator that needs all agents.

The rules are those of `docs/pxl`: aggregates, merges, appends, limits and sinks need all agents. A function that only
agents can answer must come before them, one that only the broker can answer after; the broker's own functions force
their operator, and all that follow, to the broker.
"""

from __future__ import annotations

from types import MappingProxyType

from sylph.functions.declare import Executor, Placement
from sylph.functions.registry import SCALARS, TABLE_FUNCTIONS
from sylph.plan.errors import PlanError
from sylph.plan.expressions import Call, Expression
from sylph.plan.nodes import (
    Explode,
    Filter,
    Limit,
    Map,
    MergeAggregate,
    Node,
    Plan,
    Remote,
    Source,
    TableFunctionSource,
    Union,
)
from sylph.plan.rules import prune_columns
from sylph.plan.walk import expressions, inputs, postorder, roots, subexpressions

#: Functions that cannot run everywhere.
_PLACED = MappingProxyType(
    {name: one.placement for name, one in SCALARS.items() if one.placement is not Placement.ANYWHERE}
)


def placement(expression: Expression) -> Placement:
    """Where this very call may run, its arguments aside."""
    if not isinstance(expression, Call):
        return Placement.ANYWHERE
    return _PLACED.get(expression.function, Placement.ANYWHERE)


def placements(node: Node) -> set[Placement]:
    """Where the functions in an operator may run."""
    return {_PLACED.get(call.function, Placement.ANYWHERE) for call in _calls(node)}


def uses(node: Node, where: Placement) -> Call | None:
    """A call in the operator of a function that can only run there."""
    for call in _calls(node):
        if _PLACED.get(call.function) is where:
            return call
    return None


def _calls(node: Node) -> list[Call]:
    """The calls in an operator, the outer ones first: most of what it gives are plain columns."""
    found: list[Call] = []
    stack = [value for value in expressions(node) if isinstance(value, Call)]
    stack.reverse()
    while stack:
        call = stack.pop()
        found.append(call)
        stack.extend([arg for arg in reversed(call.args) if isinstance(arg, Call)])
    return found


def agent_side(plan: Plan, *, unions: bool = False) -> set[int]:
    """The id()s of the nodes that run on agents. Raises PlanError for a function in the wrong place.

    With `unions`, also those of appends of what agents have: all agents' appends together are the append of all.
    Then `check` must have been before, since to the language an append needs all agents.
    """
    side: set[int] = set()
    for node in postorder(roots(plan)):
        below = all(id(child) in side for child in inputs(node))
        places = placements(node)
        agent_only = uses(node, Placement.AGENT) if Placement.AGENT in places and not below else None
        if agent_only:
            raise PlanError(
                f"function {agent_only.function!r} must execute before blocking nodes such as limit, agg, and join",
                "move it up in the script, before the first of them",
                agent_only,
            )
        match node:
            case Source():
                side.add(id(node))
            case TableFunctionSource(function):
                declared = TABLE_FUNCTIONS.get(function)
                if declared is not None and declared.executor is not Executor.ONE_KELVIN:
                    side.add(id(node))
            case Map() | Filter() if below and Placement.BROKER not in places:
                side.add(id(node))
            case Union() if below and unions:
                side.add(id(node))
            case Limit(per_agent=True) | Explode() if below:
                side.add(id(node))
            case _:
                pass
    return side


def check_agent_part(plan: Plan) -> None:
    """Raises PlanError for what agents are never asked: rows sent by others, merging, functions of the broker's."""
    for node in postorder(roots(plan)):
        if isinstance(node, Remote | MergeAggregate):
            raise PlanError("an agent's part of a plan reads what agents sent")
        if isinstance(node, TableFunctionSource):
            declared = TABLE_FUNCTIONS.get(node.function)
            if declared is None or declared.executor is Executor.ONE_KELVIN:
                raise PlanError(f"table function {node.function!r} is the broker's")
        broker_only = uses(node, Placement.BROKER)
        if broker_only:
            raise PlanError(f"function {broker_only.function!r} is the broker's", call=broker_only)


def check(plan: Plan) -> None:
    """Raises PlanError when a function is in the wrong place. On a plan as compiled: rules may move operators.

    Columns that nobody reads are not computed, so their functions may stand anywhere.
    """
    try:
        _check(plan)
    except PlanError:
        _check(prune_columns.apply(plan))


def _check(plan: Plan) -> None:
    agent_side(plan)
    for node in postorder(roots(plan)):
        if isinstance(node, Map | Filter) and {Placement.AGENT, Placement.BROKER} <= placements(node):
            for expression in expressions(node):
                _check_nesting(expression)


def _check_nesting(expression: Expression) -> None:
    for item in subexpressions(expression):
        if placement(item) is not Placement.AGENT:
            continue
        for inner in subexpressions(item):
            if placement(inner) is Placement.BROKER:
                assert isinstance(item, Call)
                assert isinstance(inner, Call)
                message = f"function {item.function!r} runs on agents and cannot take what the broker's "
                raise PlanError(f"{message}{inner.function!r} gives", call=item)
