"""What a query will do, as text for people: plan before and after the rules, both parts of it split, SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sylph.plan.errors import PlanError
from sylph.plan.nodes import Plan
from sylph.plan.split import split
from sylph.plan.sql import statement
from sylph.plan.text import plan_text
from sylph.tables.types import ColumnType, DataType, Relation

#: The result table that carries the text, as clients expect it.
TABLE = "__query_plan__"
RELATION: Relation = {"query_plan": ColumnType(DataType.STRING)}


@dataclass(frozen=True, slots=True)
class Measured:
    """What one sink took."""

    sink: str
    rows: int
    nanoseconds: int


def explain(plan: Plan, prepared: Plan, constants: Mapping[str, str | int]) -> str:
    """`plan` as compiled and `prepared` by the engine."""
    parts = [("plan", plan_text(plan)), ("after rules", plan_text(prepared))]
    try:
        halves = split(prepared)
        parts += [("agent part", plan_text(halves.agent)), ("broker part", plan_text(halves.broker))]
    except PlanError as error:
        parts.append(("split", f"not possible: {error}\n"))
    parts += [
        (f"SQL of {sink.name}", pretty(statement(sink.input, constants).text()) + "\n") for sink in prepared.sinks
    ]
    return "\n".join(f"== {title} ==\n{text}" for title, text in parts)


def measured(sinks: list[Measured], records: int, size: int) -> str:
    """What a run took."""
    lines = [f"{sink.sink}: {sink.rows} rows in {sink.nanoseconds / 1e6:.1f} ms" for sink in sinks]
    lines.append(f"read {records} rows, {size} bytes")
    return "\n== measured ==\n" + "\n".join(lines) + "\n"


def pretty(sql: str) -> str:
    """SQL on several lines. sqlglot takes 0.3 s to import, so nothing but this uses it."""
    import sqlglot

    return sqlglot.transpile(sql, read="duckdb", write="duckdb", pretty=True)[0]
