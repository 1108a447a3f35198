"""Which agents can have rows for a part of a plan, from what is known of the agents' processes.

A condition on who made a row (`ctx["pod"] == "x"`) is a condition on the process entity. An agent none of whose
processes meets it, nor a process that nobody knows, has no row to send and need not be asked. `demands` finds such
conditions; they are true of at least one process of an agent that has rows, and may be true of others.
"""

from __future__ import annotations

from dataclasses import replace

from sylph.plan.expressions import Call, ColumnRef, Expression, Literal
from sylph.plan.nodes import (
    Aggregate,
    Explode,
    Filter,
    Limit,
    Map,
    Node,
    PartialAggregate,
    Sort,
    Source,
    Union,
)
from sylph.plan.templates import CONSTANTS
from sylph.plan.walk import conjuncts, references, substitute
from sylph.tables.entities import ENTITIES
from sylph.tables.types import ColumnType, DataType, Relation

#: Column that tells whose process it is.
AGENT = "#agent"
#: What is known of agents' processes: a row for each, and for each agent one of zero values for those unknown.
PROCESSES: Relation = {
    AGENT: ColumnType(DataType.INT64),
    "#hostname": ColumnType(DataType.STRING),
    **ENTITIES["process"],
}

#: Functions that only depend on the agent or on the part of a UPID that all its processes share.
_OF_AGENT = {"asid": "asid", "upid_to_asid": "asid", "_exec_hostname": "#hostname"}
#: More branches are not looked at: then every agent is asked.
_MAX_BRANCHES = 64


def demands(root: Node) -> list[list[Expression]] | None:
    """For each table below `root`, terms over `PROCESSES` that a row of it meets; None: any agent may have rows."""
    found: list[list[Expression]] = []
    stack: list[tuple[Node, list[Expression]]] = [(root, [])]
    while stack:
        node, terms = stack.pop()
        match node:
            case Filter():
                stack.append((node.input, terms + conjuncts(node.condition)))
            case Map():
                values = dict(node.outputs)
                stack.append((node.input, [substitute(term, values) for term in terms]))
            case Limit() | Sort():
                stack.append((node.input, terms))
            case Explode():
                stack.append((node.input, [term for term in terms if node.column not in references(term)]))
            case Aggregate() | PartialAggregate():
                # One of no rows at all has a row, which says nothing: the merge of none gives the same.
                stack.append((node.input, [term for term in terms if references(term) <= set(node.groups)]))
            case Union():
                stack.extend((child, terms) for child in node.inputs)
            case Source():
                known = [about for term in terms if (about := _about_process(term)) is not None]
                if not known:
                    return None
                found.append(known)
            case _:
                return None
        if len(found) + len(stack) > _MAX_BRANCHES:
            return None
    return found


def _about_process(term: Expression) -> Expression | None:
    """The term over `PROCESSES`; None when it depends on anything else."""
    if isinstance(term, Literal):
        return term
    if isinstance(term, ColumnRef):
        return None
    own = _OF_AGENT.get(term.function)
    if own is not None and all(_is_upid(arg) for arg in term.args):
        return ColumnRef(own, replace(PROCESSES[own], semantic=term.type.semantic))
    lookup = term.overload.lookup
    if lookup is not None:
        if lookup.entity != "process" or lookup.key != "upid" or lookup.otherwise or not _is_upid(term.args[0]):
            return None
        return ColumnRef(lookup.value, replace(PROCESSES[lookup.value], semantic=term.type.semantic))
    template = term.overload.sql
    if template is None or any(f"{{{name}}}" in template for name in CONSTANTS):
        return None
    args = []
    for arg in term.args:
        about = _about_process(arg)
        if about is None:
            return None
        args.append(about)
    return Call(term.function, tuple(args), term.overload, term.type) if args else None


def _is_upid(value: Expression) -> bool:
    return isinstance(value, ColumnRef) and value.name == "upid" and value.type.data is DataType.UINT128
