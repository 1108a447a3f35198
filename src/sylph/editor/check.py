"""Whether a script compiles, alone and as its vis.json calls it, without an agent."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from sylph.editor.findings import Finding, Severity, of_diagnostic
from sylph.editor.samples import parameter_samples, samples, variable_sample
from sylph.editor.vis_file import VisFile, read_vis
from sylph.plan.nodes import Plan
from sylph.pxl.compile import NO_RESULT, Compiled, ExecFunc, check_script
from sylph.pxl.entry import FunctionSignature, signature
from sylph.pxl.errors import CompileError, Diagnostic, suggestion
from sylph.pxl.params import with_values
from sylph.pxl.vis import Func
from sylph.pxl.vis_widgets import display_columns

#: Made-up times of a plugin's run, ns.
_PLUGIN_WINDOW = (1_700_000_000 * 10**9, 1_700_000_010 * 10**9)
#: Columns of a list that are named in a hint.
_NAMED = 12


@dataclass(frozen=True, slots=True)
class ScriptText:
    """A script as text, with the text of its vis.json, and what the files are called. None: there is no such file."""

    path: str
    source: str
    vis_path: str = ""
    vis: str | None = None


@dataclass(frozen=True, slots=True)
class _Call:
    """A call of a function by vis.json. `path` is where: `widgets[2].func`."""

    path: str
    output: str
    func: Func


def check(script: ScriptText) -> list[Finding]:
    """All that is found wrong, in the order of files and lines. Nothing is run, no agent is asked."""
    vis = None if script.vis is None or not script.vis.strip() else read_vis(script.vis, script.vis_path)
    found = [] if vis is None else list(vis.findings)
    try:
        functions = {each.name: each for each in signature(script.source)}
    except CompileError as error:
        return _sorted(found + [of_diagnostic(script.path, each) for each in error.errors])
    if vis is None or vis.vis is None:
        found += _check_alone(script, functions, broken_vis=vis is not None)
    else:
        found += _check_with_vis(script, vis, functions)
    return _sorted(found)


def _sorted(findings: Sequence[Finding]) -> list[Finding]:
    return sorted(dict.fromkeys(findings), key=lambda finding: finding.order)


def _warnings(script: ScriptText, compiled: Compiled) -> list[Finding]:
    message = "a comma is missing here; it is understood, but not by other tools for Python"
    commas = [
        Finding(script.path, line, max(1, column - 1), 1, Severity.WARNING, "parser", message, "px fmt puts it in")
        for line, column in compiled.missing_commas
    ]
    found = [of_diagnostic(script.path, each) for each in compiled.warnings if each.line]
    return commas + [dataclasses.replace(each, severity=Severity.WARNING) for each in found]


def _compile(script: ScriptText, calls: Sequence[ExecFunc]) -> tuple[Compiled | None, tuple[Diagnostic, ...]]:
    try:
        source = with_values(script.source, parameter_samples(script.source))
        # Scripts that plugins run are told from others by what only a plugin's run gives them.
        window = _PLUGIN_WINDOW if "px.plugin." in script.source else None
        return check_script(source, exec_funcs=calls, plugin_window=window), ()
    except CompileError as error:
        return None, error.errors


def _check_alone(script: ScriptText, functions: dict[str, FunctionSignature], *, broken_vis: bool) -> list[Finding]:
    """A script without vis.json: it displays tables, or is a library of functions."""
    compiled, errors = _compile(script, ())
    if compiled is not None:
        return _warnings(script, compiled)
    shows_nothing = [error.message for error in errors] == [NO_RESULT]
    if not shows_nothing or not functions:
        return [of_diagnostic(script.path, error) for error in errors]
    found: list[Finding] = []
    for function in functions.values():
        arguments = samples(function)
        if arguments is not None:
            compiled, errors = _compile(script, [ExecFunc(function.name, "out", arguments)])
            found += [of_diagnostic(script.path, error) for error in errors if error.line]
            found += _warnings(script, compiled) if compiled is not None else []
    if not broken_vis:
        message = "this script shows nothing by itself: it only has functions"
        hint = "end it with px.display(df), or call its functions from a vis.json beside it"
        found.append(Finding(script.path, 0, 0, 1, Severity.WARNING, "plan", message, hint))
    return found


def _check_with_vis(script: ScriptText, file: VisFile, functions: dict[str, FunctionSignature]) -> list[Finding]:
    assert file.vis is not None
    calls = [_Call(f"globalFuncs[{i}].func", one.output_name, one.func) for i, one in enumerate(file.vis.global_funcs)]
    calls += [
        _Call(f"widgets[{i}].func", one.name or f"widget_{i}", one.func)
        for i, one in enumerate(file.vis.widgets)
        if one.func is not None
    ]
    if not calls:
        return _check_alone(script, functions, broken_vis=False) + _unused(file)
    found = _unused(file)
    values = {variable.name: variable_sample(variable) for variable in file.vis.variables}
    sound: list[tuple[_Call, ExecFunc]] = []
    for call in calls:
        problems = _check_call(call, file, functions)
        found += problems
        if not problems:
            arguments = {
                arg.name: arg.value if arg.variable is None else values[arg.variable] for arg in call.func.args
            }
            sound.append((call, ExecFunc(call.func.name, call.output, arguments)))
    compiled, errors = _compile(script, [request for _, request in sound]) if sound else _compile(script, ())
    if compiled is not None:
        found += _warnings(script, compiled)
        return found + (_columns(file, compiled.plan) if sound else [])
    if not sound:
        return found + [of_diagnostic(script.path, error) for error in errors if error.message != NO_RESULT]
    # Each call by itself, to know whose error it is.
    apart = len(found)
    for call, request in sound:
        compiled, alone = _compile(script, [request])
        found += [_of_call(error, call, script, file) for error in alone]
        found += _columns(file, compiled.plan, call.output) if compiled is not None else []
    if len(found) == apart:  # only all calls together run into it, such as a bound
        found += [of_diagnostic(script.path, error) for error in errors]
    return found


def _of_call(error: Diagnostic, call: _Call, script: ScriptText, file: VisFile) -> Finding:
    """An error of a call: in the script if it has a line there, else of what vis.json gives."""
    if error.line:
        return of_diagnostic(script.path, error)
    path = f"{call.path}.name"
    for position, arg in enumerate(call.func.args):
        if error.message.startswith(f"argument '{arg.name}'"):
            path = f"{call.path}.args[{position}]"
            path += ".value" if arg.variable is None else ".variable"
    return file.error(path, error.message, error.hint)


def _check_call(call: _Call, file: VisFile, functions: dict[str, FunctionSignature]) -> list[Finding]:
    """What is wrong with the function's name and the names of its arguments."""
    function = functions.get(call.func.name)
    if function is None:
        hint = suggestion(call.func.name, functions) or _listed("functions are", list(functions))
        message = f"the script has no function '{call.func.name}'"
        return [file.error(f"{call.path}.name", message, hint or "the script defines no functions")]
    names = [argument.name for argument in function.arguments]
    found = []
    for position, arg in enumerate(call.func.args):
        if arg.name not in names:
            hint = suggestion(arg.name, names) or _listed("arguments are", names) or "it takes none"
            message = f"{function.name}() has no argument '{arg.name}'"
            found.append(file.error(f"{call.path}.args[{position}].name", message, hint))
    given = {arg.name for arg in call.func.args}
    missing = [argument.name for argument in function.arguments if argument.required and argument.name not in given]
    if missing and not found:  # a misspelt name is told once
        plural = "argument" if len(missing) == 1 else "arguments"
        message = f"{function.name}() needs the {plural} {', '.join(map(repr, missing))}"
        found.append(file.error(f"{call.path}.name", message, "add it to 'args' of this call"))
    return found


def _listed(what: str, names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMED])
    return f"{what} {shown}{' ...' if len(names) > _NAMED else ''}" if names else ""


def _columns(file: VisFile, plan: Plan, only: str | None = None) -> list[Finding]:
    """Columns that widgets name and results do not have."""
    assert file.vis is not None
    found = []
    for position, widget in enumerate(file.vis.widgets):
        output = widget.global_func_output_name or widget.name or f"widget_{position}"
        if only is not None and output != only:
            continue
        results = [
            sink.input.relation for sink in plan.sinks if sink.name == output or sink.name.startswith(f"{output}[")
        ]
        if not results:
            continue
        names = list(dict.fromkeys(name for relation in results for name in relation))
        for path, column in display_columns(widget.kind, widget.display):
            if column not in names:
                hint = suggestion(column, names) or _listed("columns are", names)
                message = f"the result '{output}' has no column '{column}'"
                found.append(file.error(f"widgets[{position}].displaySpec.{path}", message, hint))
        if widget.kind == "TimeseriesChart" and "time_" not in names:
            message = f"a chart over time needs the column 'time_', which the result '{output}' does not have"
            found.append(file.warning(f"widgets[{position}].displaySpec.@type", message, _listed("columns are", names)))
    return found


def _unused(file: VisFile) -> list[Finding]:
    """What vis.json declares and nothing uses."""
    assert file.vis is not None
    shown = {widget.global_func_output_name for widget in file.vis.widgets}
    funcs = [one.func for one in file.vis.global_funcs] + [one.func for one in file.vis.widgets if one.func is not None]
    used = {arg.variable for func in funcs for arg in func.args}
    found = [
        file.warning(f"globalFuncs[{i}].outputName", f"no widget shows the output '{one.output_name}'")
        for i, one in enumerate(file.vis.global_funcs)
        if one.output_name not in shown
    ]
    found += [
        file.warning(f"variables[{i}].name", f"no function takes the variable '{one.name}'")
        for i, one in enumerate(file.vis.variables)
        if one.name not in used
    ]
    return found
