"""Plans as graphs in the DOT language, which Graphviz and user interfaces draw."""

from __future__ import annotations

from sylph.plan.nodes import Plan
from sylph.plan.text import node_text
from sylph.plan.walk import inputs, postorder, roots

#: A label longer than this is cut: a node may list hundreds of columns.
_LABEL_WIDTH = 200


def plan_dot(plan: Plan) -> str:
    """A directed graph: a node for each operator and sink, edges along which rows go."""
    names: dict[int, str] = {}
    lines = ["digraph plan {", "  node [shape=box];"]
    for number, node in enumerate(postorder(roots(plan))):
        names[id(node)] = f"n{number}"
        lines.append(f"  n{number} [label={_quoted(node_text(node))}];")
        lines += [f"  {names[id(child)]} -> n{number};" for child in inputs(node)]
    for number, sink in enumerate(plan.sinks):
        lines.append(f"  s{number} [label={_quoted(f'sink {sink.name}')}];")
        lines.append(f"  {names[id(sink.input)]} -> s{number};")
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(text: str) -> str:
    if len(text) > _LABEL_WIDTH:
        text = text[: _LABEL_WIDTH - 3] + "..."
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\0", "")
    return f'"{escaped}"'
