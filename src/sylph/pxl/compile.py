"""A script's text to a plan."""

from __future__ import annotations

import ast
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sylph.plan.errors import PlanError
from sylph.plan.nodes import Plan, Sink
from sylph.plan.placement import check
from sylph.pxl.entry import ExecFunc, convert_arguments, result_frames
from sylph.pxl.errors import CompileError, Diagnostic, Kind, suggestion
from sylph.pxl.flags import Flags, parse_flags
from sylph.pxl.interpreter import Interpreter, Stop
from sylph.pxl.mutations import Export, Mutation
from sylph.pxl.params import check_known
from sylph.pxl.parse import parse
from sylph.pxl.values import Fault, Frame, Poisoned, Scalar, UserFunction
from sylph.tables import TABLES
from sylph.tables.declare import Table

__all__ = ["Compiled", "ExecFunc", "check_script", "compile_script", "runnable"]

#: The error of a script that displays nothing.
NO_RESULT = "query does not output a result, add px.display()"


@dataclass(frozen=True, slots=True)
class Compiled:
    """All that a script asks for. `missing_commas` are (line, column) of commas that were left out and understood.

    `warnings` are about what compiles and hardly means what was meant.
    """

    plan: Plan
    mutations: tuple[Mutation, ...] = ()
    exports: tuple[Export, ...] = ()
    missing_commas: tuple[tuple[int, int], ...] = ()
    warnings: tuple[Diagnostic, ...] = ()


def compile_script(
    source: str,
    *,
    tables: Mapping[str, Table] = TABLES,
    now_ns: int | None = None,
    exec_funcs: Sequence[ExecFunc] = (),
) -> Plan:
    """The plan of a script, or of calls of its functions.

    `now_ns` is what relative times count from; None means the present. With `exec_funcs`, results are those of the
    functions and px.display() does nothing. Raises CompileError with everything found wrong, and for what nothing
    runs yet: probes, settings of agents, exports.
    """
    return runnable(check_script(source, tables=tables, now_ns=now_ns, exec_funcs=exec_funcs), source)


def runnable(compiled: Compiled, source: str) -> Plan:
    """The plan, if it is all that the script asks for. Raises CompileError for what nothing runs yet."""
    for asked, kind, what in (
        (compiled.mutations, Kind.TRACING, "this script changes probes or settings of agents"),
        (compiled.exports, Kind.OTEL, "this script exports rows"),
    ):
        if asked:
            message = f"{what}: it is correct, but running that is not supported yet"
            hint = "px explain shows what it would do"
            raise CompileError([Diagnostic(0, 0, message, kind, hint)], source)
    return compiled.plan


def check_script(
    source: str,
    *,
    tables: Mapping[str, Table] = TABLES,
    now_ns: int | None = None,
    exec_funcs: Sequence[ExecFunc] = (),
    plugin_window: tuple[int, int] | None = None,
) -> Compiled:
    """All that a script asks for, whether or not it can be run. Otherwise as `compile_script`.

    With `plugin_window`, ns since the epoch, the script is one that a plugin runs: `px.plugin.start_time` and
    `end_time` are these, and exports need no endpoint.
    """
    parsed = parse(source)
    flags, errors = parse_flags(source)
    interpreter = Interpreter(
        source,
        tables,
        time.time_ns() if now_ns is None else now_ns,
        display=not exec_funcs,
        reserved=tuple(function.output_prefix for function in exec_funcs),
        params=flags.params,
        plugin_window=plugin_window,
    )
    interpreter.diagnostics.extend(errors)
    interpreter.run(parsed.tree)
    if not interpreter.diagnostics and (unknown := check_known(interpreter, source)):
        interpreter.report(unknown, None)
    if not interpreter.diagnostics:
        _run_functions(interpreter, exec_funcs)
    if not (interpreter.diagnostics or interpreter.results or interpreter.mutations or interpreter.exports):
        hint = "end the script with px.display(df)"
        last = parsed.tree.body[-1] if parsed.tree.body and not exec_funcs else None
        interpreter.report(Fault(NO_RESULT, Kind.PLAN, hint), last)
    plan = _plan(interpreter.results, flags)
    if not interpreter.diagnostics:
        _check_places(interpreter, plan)
    if interpreter.diagnostics:
        raise CompileError(sorted(interpreter.diagnostics, key=lambda error: (error.line, error.column)), source)
    return Compiled(
        plan,
        tuple(interpreter.mutations),
        tuple(interpreter.exports),
        parsed.missing_commas,
        tuple(interpreter.warnings),
    )


def _plan(results: Sequence[tuple[str, Frame]], flags: Flags) -> Plan:
    sinks = []
    taken: set[str] = set()
    for name, frame in results:
        unique, count = name, 0
        while unique in taken:
            count += 1
            unique = f"{name}_{count}"
        taken.add(unique)
        sinks.append(Sink(frame.node, unique))
    return Plan(tuple(sinks), flags.max_output_rows, flags.explain, flags.analyze)


def _check_places(interpreter: Interpreter, plan: Plan) -> None:
    """Report a function that stands where it cannot run: one of the agents' after all agents' rows came together."""
    if not interpreter.placed:
        return
    exported = [Sink(export.input, f"export_{i}") for i, export in enumerate(interpreter.exports)]
    try:
        check(Plan((*plan.sinks, *exported)))
    except PlanError as error:
        wrong = error.call
        named = [(value, node) for name, value, node in interpreter.placed if wrong and name == wrong.function]
        # An expression that was made from another DataFrame, or of aggregates, is another object where it is used.
        same = [item for item in named if isinstance(item[0], Scalar) and item[0].expression is wrong]
        places = same or named
        interpreter.report(Fault(error.message, Kind.PLAN, error.hint), places[-1][1] if places else None)


def _run_functions(interpreter: Interpreter, exec_funcs: Sequence[ExecFunc]) -> None:
    for function in exec_funcs:
        try:
            _run_function(interpreter, function)
        except Fault as fault:
            _report(interpreter, fault)
        except Poisoned:
            pass
        except Stop:
            return
        except RecursionError:
            interpreter.report_quietly("an expression is nested too deeply")
            return


def _report(interpreter: Interpreter, fault: Fault) -> None:
    """An error in the request rather than in the script has no line."""
    fault.node = None
    interpreter.report(fault, None)


def _run_function(interpreter: Interpreter, request: ExecFunc) -> None:
    if not request.name:
        raise Fault("a function to execute has no name", Kind.EXEC_FUNCS)
    if not request.output_prefix:
        raise Fault(f"function '{request.name}' has no output table prefix", Kind.EXEC_FUNCS)
    names: dict[str, Any] = interpreter.globals.values
    function = names.get(request.name)
    if function is None:
        known = [name for name, value in names.items() if isinstance(value, UserFunction)]
        hint = suggestion(request.name, known)
        raise Fault(f"function '{request.name[:80]}' not found in the script", Kind.EXEC_FUNCS, hint)
    if not isinstance(function, UserFunction):
        raise Fault(f"'{request.name}' is not a function", Kind.EXEC_FUNCS)
    values = convert_arguments(interpreter, function, request.args)
    nowhere = ast.Load()  # a node without a place: the call is not in the script
    result = interpreter.call_user(function, [], [(name, value, nowhere) for name, value in values.items()], nowhere)
    for name, frame in result_frames(request, result):
        interpreter.add_result(name, frame)
