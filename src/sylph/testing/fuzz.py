"""What must hold for the compiler whatever a program is: a plan that the planner takes, or errors that say where."""

from __future__ import annotations

from sylph.plan.codec import decode, encode
from sylph.plan.errors import PlanError
from sylph.plan.nodes import Limit, Plan, Source
from sylph.plan.optimise import optimise
from sylph.plan.placement import check
from sylph.plan.split import split
from sylph.plan.sql import statement
from sylph.plan.text import plan_text
from sylph.plan.walk import postorder, roots, with_roots
from sylph.pxl.compile import check_script
from sylph.pxl.errors import CompileError, Kind, split_lines
from sylph.tables import TABLES
from sylph.testing.programs import Program

_NOW_NS = 1_700_000_000_000_000_000


class Wrong(Exception):  # noqa: N818 - a finding
    """Something that must hold does not."""


def _lower(plan: Plan) -> None:
    """What the query engine does with a plan before it reads rows."""
    try:
        check(plan)
        prepared = optimise(with_roots(plan, [Limit(sink.input, plan.max_output_rows) for sink in plan.sinks]))
        for sink in prepared.sinks:
            statement(sink.input, {}).text()
        halves = split(prepared)
    except PlanError as error:
        if not str(error):
            raise Wrong("a plan error without a message") from None
        _travel(plan)
    else:
        for each in (plan, prepared, halves.agent, halves.broker):
            _travel(each)


def _travel(plan: Plan) -> None:
    """What is compiled arrives as it left."""
    if any(isinstance(node, Source) and node.table not in TABLES for node in postorder(roots(plan))):
        return  # a table that the script's own probe fills
    data = encode(plan)
    try:
        arrived = decode(data, TABLES)
    except PlanError as error:
        raise Wrong(f"a plan that is not accepted: {error}") from None
    if encode(arrived) != data or plan_text(arrived) != plan_text(plan):
        raise Wrong("a plan that arrives as another one")


def _check_errors(found: CompileError, program: Program) -> None:
    """Every error says what and where."""
    lines = split_lines(program.source)
    if not found.errors:
        raise Wrong("no errors in a CompileError")
    for each in found.errors:
        if not each.message or len(each.message) > 2_000:
            raise Wrong(f"a message of {len(each.message)} characters")
        if each.line == 0 and not (program.functions or each.kind is Kind.EXEC_FUNCS):
            raise Wrong(f"no line: {each.message}")
        if not 0 <= each.line <= len(lines) + 1 or each.column < 0:
            raise Wrong(f"line {each.line}, column {each.column} of {len(lines)} lines: {each.message}")
    if not found.render("x"):
        raise Wrong("an empty rendering")


def run(program: Program) -> str:
    """Compile one program: "compiled", or the kind of its first error. Raises Wrong for what no program may cause."""
    try:
        compiled = check_script(program.source, now_ns=_NOW_NS, exec_funcs=program.functions)
    except CompileError as error:
        _check_errors(error, program)
        return str(error.errors[0].kind)
    _lower(compiled.plan)
    return "compiled"
