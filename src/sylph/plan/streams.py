"""Plans without end: what may follow `stream()`, and the aggregates of windows in them.

A streamed sink reads one table through a chain of operators that need no more than the rows at hand, or one window's.
"""

from __future__ import annotations

from dataclasses import replace

from sylph.functions.registry import resolve_aggregate
from sylph.plan.errors import PlanError
from sylph.plan.expressions import AggregateCall, ColumnRef
from sylph.plan.nodes import (
    Aggregate,
    Explode,
    Filter,
    Join,
    Limit,
    Map,
    Node,
    PartialAggregate,
    Plan,
    Sort,
    Source,
    Union,
    state_name,
)
from sylph.plan.walk import inputs, postorder, rewrite, with_inputs
from sylph.plan.windows import window_of

#: Output that `with_counts` adds to aggregates: how many rows each group has.
COUNT = "#rows"
#: The state column that holds it.
COUNT_STATE = state_name(COUNT, 0)

WINDOWS_HINT = "aggregate in windows: df.rolling('10s').agg(...)"


def is_streaming(node: Node) -> bool:
    """Whether the rows under a node have no end."""
    return any(isinstance(item, Source) and item.streaming for item in postorder([node]))


def parts(plan: Plan) -> tuple[Plan, Plan]:
    """The plan of the sinks that end, and the plan of those that do not."""
    streamed = tuple(sink for sink in plan.sinks if is_streaming(sink.input))
    ending = tuple(sink for sink in plan.sinks if sink not in streamed)
    return replace(plan, sinks=ending), replace(plan, sinks=streamed)


def chain(root: Node) -> list[Node]:
    """The operators from the leaf up to `root`. Raises PlanError where two inputs come together."""
    found = [root]
    while children := inputs(found[-1]):
        if len(children) > 1:
            raise _refusal(found[-1])
        found.append(children[0])
    found.reverse()
    return found


def check(root: Node) -> None:
    """Raises PlanError when the rows of `root` cannot be shown as they come."""
    leaf, *operators = chain(root)
    if not isinstance(leaf, Source):
        raise PlanError("only rows of a table can be streamed", "px.DataFrame('http_events') has such rows")
    limited = False
    for node in operators:
        match node:
            case Map() | Filter() | Explode():
                pass
            case Limit():
                limited = True
            case Aggregate() | PartialAggregate() if window_of(node) is not None:
                if limited:
                    message = "head() before windows would end the stream within one"
                    raise PlanError(message, "aggregate first, then head()")
                _check_aggregate(node)
            case _:
                raise _refusal(node)


def _check_aggregate(node: Aggregate | PartialAggregate) -> None:
    for name, call in node.outputs:
        if not call.overload.partial:
            message = f"stream() cannot follow px.{call.function} of output {name!r}: it needs all rows at once"
            raise PlanError(message, "leave out stream(), or this output")
    for name in node.groups:
        if "#" in name:
            raise PlanError(f"group column {name!r} of a stream has a # in its name", "give it another name")


def _refusal(node: Node) -> PlanError:
    match node:
        case Aggregate(outputs=()):
            return PlanError("stream() cannot follow distinct(), which must see all rows first", WINDOWS_HINT)
        case Aggregate() | PartialAggregate():
            return PlanError("stream() cannot follow agg(), which must see all rows first", WINDOWS_HINT)
        case Sort(rows=rows):
            name = "sort()" if rows is None else "top()"
            message = f"stream() cannot follow {name}, which must see all rows first"
            return PlanError(message, "leave out stream(), or the order")
        case Join():
            return PlanError("stream() cannot follow merge(), which must see all rows first", "leave out stream()")
        case Union():
            return PlanError(
                "stream() cannot follow append(), which puts rows in order", "display each DataFrame's stream() instead"
            )
        case _:
            return PlanError("stream() cannot follow this operation, which must see all rows first")


def with_counts(plan: Plan) -> Plan:
    """The plan with every window's aggregate counting its rows too, so that what comes too late can be counted."""
    return rewrite(plan, lambda node, _: _counted(node) if isinstance(node, Aggregate) else node)


def _counted(node: Aggregate) -> Node:
    column = ColumnRef(node.groups[0], node.input.relation[node.groups[0]])
    overload, kind = resolve_aggregate("count", (column.type,))
    count = AggregateCall("count", (column,), overload, kind)
    counted = Aggregate(node.input, node.groups, (*node.outputs, (COUNT, count)))
    return Map(counted, tuple((name, ColumnRef(name, type_)) for name, type_ in node.relation.items()))


def streamed(root: Node) -> Node:
    """The same chain over the same source without end."""
    leaf, *operators = chain(root)
    assert isinstance(leaf, Source)
    node: Node = replace(leaf, streaming=True)
    for operator in operators:
        node = with_inputs(operator, (node,))
    return node
