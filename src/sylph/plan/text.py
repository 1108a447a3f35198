"""Plans and expressions as short, stable text, for `px explain` and tests.

One node a line, inputs indented below it. A node that is read twice is printed once, with a mark `#n`, and by that
mark afterwards.
"""

from __future__ import annotations

import json
import uuid

from sylph.plan.expressions import AggregateCall, Call, ColumnRef, Expression, Literal
from sylph.plan.nodes import (
    Aggregate,
    Explode,
    Filter,
    Join,
    Limit,
    Map,
    MergeAggregate,
    Node,
    PartialAggregate,
    Plan,
    Remote,
    Sort,
    Source,
    TableFunctionSource,
    Union,
)
from sylph.plan.walk import consumers, inputs
from sylph.tables.types import DataType

_OPERATORS = {
    "add": "+",
    "subtract": "-",
    "multiply": "*",
    "divide": "/",
    "modulo": "%",
    "equal": "==",
    "notEqual": "!=",
    "lessThan": "<",
    "lessThanEqual": "<=",
    "greaterThan": ">",
    "greaterThanEqual": ">=",
    "logicalAnd": "and",
    "logicalOr": "or",
}


def expression_text(expression: Expression) -> str:
    """`(a + 1)`, `px.bin(time_, 10)`, `"text"`."""
    match expression:
        case ColumnRef(name):
            return name if name.isidentifier() else f"`{name}`"
        case Literal(value, kind):
            if kind.data == DataType.STRING:
                return json.dumps(value, ensure_ascii=False)
            if kind.data == DataType.UINT128:
                return str(uuid.UUID(int=int(value)))
            return str(value)
        case Call(function, args):
            texts = [expression_text(arg) for arg in args]
            if function in _OPERATORS and len(texts) == 2:
                return f"({texts[0]} {_OPERATORS[function]} {texts[1]})"
            return f"px.{function}({', '.join(texts)})"


def aggregate_text(call: AggregateCall) -> str:
    """`percentile(latency, 0.99)`."""
    parts = [arg.name for arg in call.args] + [json.dumps(option, ensure_ascii=False) for option in call.options]
    return f"{call.function}({', '.join(parts)})"


def _aggregates(groups: tuple[str, ...], outputs: tuple[tuple[str, AggregateCall], ...]) -> str:
    values = ", ".join(f"{name}={aggregate_text(call)}" for name, call in outputs)
    return f"[{', '.join(groups)}] {values}".rstrip()


def node_text(node: Node) -> str:
    """One line for a node, without its inputs."""
    match node:
        case Source(table, relation, start, end, streaming):
            bounds = "" if start is None and end is None else f" time_ in [{_bound(start)}, {_bound(end)}]"
            return f"source {table} [{', '.join(relation)}]{bounds}{' streaming' if streaming else ''}"
        case TableFunctionSource(function, arguments):
            return f"function {function}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})"
        case Map(outputs=outputs):
            return "map " + ", ".join(_output(name, value) for name, value in outputs)
        case Filter(condition=condition):
            return f"filter {expression_text(condition)}"
        case Limit(rows=rows, per_agent=per_agent):
            return f"limit {rows}{' per agent' if per_agent else ''}"
        case Sort(keys=by, rows=most):
            order = ", ".join(name if ascending else f"{name} descending" for name, ascending in by)
            return f"sort {order}" + ("" if most is None else f" first {most}")
        case Explode(column=column):
            return f"explode {column}"
        case Aggregate(groups=groups, outputs=aggregates):
            return f"aggregate {_aggregates(groups, aggregates)}"
        case PartialAggregate(groups=groups, outputs=aggregates):
            return f"partial aggregate {_aggregates(groups, aggregates)}"
        case MergeAggregate(groups=groups, outputs=aggregates):
            return f"merge aggregate {_aggregates(groups, aggregates)}"
        case Join(how=how, left_on=left_on, right_on=right_on, outputs=columns, tolerance=tolerance):
            equal = len(left_on) - (how == "as_of")
            keys = ", ".join(
                f"{left}{'=' if i < equal else '>='}{right}"
                for i, (left, right) in enumerate(zip(left_on, right_on, strict=True))
            )
            chosen = ", ".join(
                f"{'lr'[side]}.{column}" + ("" if column == name else f" as {name}") for side, column, name in columns
            )
            within = "" if tolerance is None else f" within {tolerance}"
            return f"join {how} on {keys or 'nothing'}{within} [{chosen}]"
        case Union():
            return "union"
        case Remote(name, relation):
            return f"remote {name} [{', '.join(relation)}]"


def _bound(value: int | None) -> str:
    return "-" if value is None else str(value)


def _output(name: str, value: Expression) -> str:
    return name if isinstance(value, ColumnRef) and value.name == name else f"{name}={expression_text(value)}"


def plan_text(plan: Plan) -> str:
    """The whole plan, sink by sink."""
    uses = consumers(plan)
    marks: dict[int, int] = {}
    lines: list[str] = []
    for sink in plan.sinks:
        lines.append(f"sink {sink.name}")
        stack: list[tuple[Node, int]] = [(sink.input, 1)]
        while stack:
            node, level = stack.pop()
            if id(node) in marks:
                lines.append(f"{'  ' * level}#{marks[id(node)]}")
                continue
            mark = ""
            if uses[id(node)] > 1:
                marks[id(node)] = len(marks) + 1
                mark = f" #{marks[id(node)]}"
            lines.append(f"{'  ' * level}{node_text(node)}{mark}")
            stack.extend((child, level + 1) for child in reversed(inputs(node)))
    return "\n".join(lines) + "\n"
