"""What a query will do, as text for people: plan before and after the rules, both parts of it split, SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sylph.plan.dot import plan_dot
from sylph.plan.errors import PlanError
from sylph.plan.nodes import Limit, PartialAggregate, Plan, Sort
from sylph.plan.split import split
from sylph.plan.text import plan_text
from sylph.query.answer import Rows
from sylph.query.steps import Steps
from sylph.tables.rows import record_batch
from sylph.tables.types import ColumnType, DataType, Relation

if TYPE_CHECKING:
    import pyarrow as pa

#: The result table that carries the text, as clients expect it.
TABLE = "__query_plan__"
RELATION: Relation = {"query_plan": ColumnType(DataType.STRING)}


@dataclass(frozen=True, slots=True)
class Measured:
    """What one sink took."""

    sink: str
    rows: int
    nanoseconds: int


def explained_rows(text: str, prepared: Plan | None = None) -> Rows:
    """The result table of one row: the plan as a DOT graph, with the text for people in a comment behind it."""
    graph = plan_dot(prepared or Plan(()))
    comment = text.rstrip("\n").replace("*/", "* /")
    return Rows(TABLE, record_batch(RELATION, [{"query_plan": f"{graph}/*\n{comment}\n*/\n"}]), last=True)


def explain(plan: Plan, prepared: Plan, constants: Mapping[str, str | int]) -> str:
    """`plan` as compiled and `prepared` by the engine."""
    parts = [("plan", plan_text(plan)), ("after rules", plan_text(prepared))]
    try:
        halves = split(prepared)
        parts += [("agent part", plan_text(halves.agent)), ("broker part", plan_text(halves.broker))]
        parts.append(("what travels", _travels(halves.agent)))
    except PlanError as error:
        parts.append(("split", f"not possible: {error}\n"))
    steps = Steps(prepared, constants)
    texts = [(share.name, steps.of(share)) for share in steps.shares]
    texts += [(sink.name, steps.of(sink)) for sink in steps.sinks]
    parts += [(f"SQL of {name}", pretty(query.text()) + "\n") for name, query in texts]
    return "\n".join(f"== {title} ==\n{text}" for title, text in parts)


#: Bytes of a value that travels, guessed; a text may be a body, a state is some counters or a digest.
_WIDTHS = {DataType.STRING: 40, DataType.UINT128: 16, DataType.BOOLEAN: 1, DataType.DATA_TYPE_UNKNOWN: 300}


def _travels(agent: Plan) -> str:
    """What each agent sends at most, guessed before it is run."""
    lines = []
    for sink in agent.sinks:
        width = sum(_WIDTHS.get(kind.data, 8) for kind in sink.input.relation.values())
        match sink.input:
            case PartialAggregate(groups=()):
                lines.append(f"{sink.name}: one row of about {_size(width)}")
            case PartialAggregate(groups=groups):
                lines.append(f"{sink.name}: a row of about {_size(width)} for each group of {', '.join(groups)}")
            case Limit(rows=rows) | Sort(rows=int(rows)):
                lines.append(f"{sink.name}: at most {rows} rows of about {_size(width)}: {_size(width * rows)}")
            case _:
                lines.append(f"{sink.name}: every row that is left, of about {_size(width)}")
    return "".join(f"{line}\n" for line in lines) or "nothing: only the broker is asked\n"


def travelled(
    agent: Plan, batches: Mapping[str, Sequence[pa.RecordBatch]], asked: Sequence[str], left_out: Sequence[str]
) -> str:
    """What agents were asked and sent."""
    lines = []
    total = 0
    for sink in agent.sinks:
        sent = batches.get(sink.name, ())
        size = sum(batch.nbytes for batch in sent)
        total += size
        lines.append(f"{sink.name}: {sum(batch.num_rows for batch in sent)} rows, {_size(size)}")
    lines.append(f"asked {len(asked)} of {len(asked) + len(left_out)} agents: {_some(asked)}; they sent {_size(total)}")
    if left_out:
        lines.append(f"not asked, as no process of theirs can have such rows: {_some(left_out)}")
    return "\n== travelled ==\n" + "\n".join(lines) + "\n"


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:8])
    return f"{shown} and {len(names) - 8} more" if len(names) > 8 else shown or "none"


def _size(size: int) -> str:
    return f"{size} B" if size < 10_000 else f"{size / 1e3:.0f} kB" if size < 10_000_000 else f"{size / 1e6:.0f} MB"


def measured(sinks: list[Measured], records: int, size: int) -> str:
    """What a run took."""
    lines = [f"{sink.sink}: {sink.rows} rows in {sink.nanoseconds / 1e6:.1f} ms" for sink in sinks]
    lines.append(f"read {records} rows, {size} bytes")
    return "\n== measured ==\n" + "\n".join(lines) + "\n"


def pretty(sql: str) -> str:
    """SQL on several lines. sqlglot takes 0.3 s to import, so nothing but this uses it."""
    import sqlglot

    return sqlglot.transpile(sql, read="duckdb", write="duckdb", pretty=True)[0]
