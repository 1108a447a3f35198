"""Evaluation of a script's syntax tree at compile time, over a whitelist of nodes, within bounds."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from sylph.functions.declare import Placement
from sylph.functions.registry import SCALARS
from sylph.pxl import dataframe, expressions, limits
from sylph.pxl.aggregated import HINT, is_aggregated
from sylph.pxl.arguments import bind_names
from sylph.pxl.errors import MAX_REPORTED, Diagnostic, Kind, listing, split_lines, suggestion
from sylph.pxl.modules import MODULES
from sylph.pxl.mutations import Export, Mutation
from sylph.pxl.parse import character_column
from sylph.pxl.statements import check_annotation, unsupported_statement, written_out
from sylph.pxl.times import TimeError, misread, parse_duration, parse_time
from sylph.pxl.values import (
    POISON,
    Bound,
    Fault,
    Frame,
    Module,
    Poisoned,
    Scalar,
    Scope,
    UserFunction,
    article,
    describe,
)
from sylph.tables.declare import Table
from sylph.tables.types import DataType


class Stop(Exception):  # noqa: N818 - a control-flow signal
    """Nothing more is compiled: a bound was reached, or enough errors were found."""


#: What a block of statements gives when no `return` was reached.
_FELL_THROUGH = object()


class Interpreter:
    """One compilation. `results` are the (name, DataFrame) that the script displays, `diagnostics` its errors."""

    def __init__(
        self,
        source: str,
        tables: Mapping[str, Table],
        now_ns: int,
        *,
        display: bool,
        reserved: tuple[str, ...] = (),
        params: Mapping[str, str] = MappingProxyType({}),
        plugin_window: tuple[int, int] | None = None,
    ) -> None:
        self.tables = tables
        self.now_ns = now_ns
        #: False when functions of the script are executed: px.display() then does nothing.
        self.display = display
        #: Result names that px.debug() must not take.
        self.reserved = reserved
        #: What px.plugin's times are; None outside a plugin's run.
        self.plugin_window = plugin_window
        #: Values given for px.param(), and type and default of those declared so far.
        self.params = params
        self.params_declared: dict[str, tuple[str, object]] = {}
        self.mutations: list[Mutation] = []
        self.exports: list[Export] = []
        self.results: list[tuple[str, Frame]] = []
        #: Calls of functions that cannot run everywhere: name, what it gave, where it is written.
        self.placed: list[tuple[str, Any, ast.AST]] = []
        self.diagnostics: list[Diagnostic] = []
        #: What compiles and hardly means what was meant.
        self.warnings: list[Diagnostic] = []
        self.globals = Scope({}, Scope(dict(expressions.BUILTINS)))
        #: Name of the DataFrame whose column is being assigned.
        self.assigning: str | None = None
        self.depth = 0
        self.modules: dict[str, Module] = {}
        self._lines = split_lines(source)
        self._steps = limits.MAX_STEPS
        self._operators = 0
        self._bytes = 0
        self._calls: list[tuple[str, ast.AST]] = []
        #: Where the user's script called into library source, while that runs.
        self._foreign_call: ast.AST | None = None
        self._at: ast.AST | None = None

    # What built-ins need.

    def charge(self, steps: int) -> None:
        """Count work done; raises Stop when a script has used up its share."""
        self._steps -= steps
        if self._steps < 0:
            raise self.stop("the script takes too many steps to compile")

    def add_operator(self, columns: int, longest: int = 32) -> None:
        """Count one plan node with so many columns, whose names have at most `longest` characters."""
        self.charge(columns)
        self.add_bytes(64 + columns * (2 * longest + 32))
        self._operators += 1
        if self._operators > limits.MAX_OPERATORS:
            raise self.stop(f"the script makes more than {limits.MAX_OPERATORS:,} operations")

    def add_expression(self, nodes: int) -> None:
        """Count one expression of so many nodes in the plan."""
        self.charge(nodes // 4)
        self.add_bytes(nodes * 64)

    def add_bytes(self, size: int) -> None:
        """Count what the plan takes on its way to agents; raises Stop when no agent would accept it."""
        self._bytes += size
        if self._bytes > limits.MAX_PLAN_BYTES:
            raise self.stop("the plan of the script becomes too large")

    def add_result(self, name: str, frame: Frame) -> None:
        """Make `frame` a result table."""
        if len(name) > limits.MAX_NAME:
            raise Fault(f"the name of a table has at most {limits.MAX_NAME:,} characters", Kind.LIMIT)
        if len(self.results) >= limits.MAX_SINKS:
            raise Fault(f"a script shows at most {limits.MAX_SINKS} tables", Kind.LIMIT)
        self.results.append((name, frame))

    def place(self, function: str, value: Any, node: ast.AST) -> Any:
        """`value`, what a call of `function` at `node` gave: remembered when that cannot run everywhere."""
        if SCALARS[function].placement is not Placement.ANYWHERE:
            self.placed.append((function, value, self._foreign_call or node))
        return value

    def stop(self, message: str) -> Stop:
        """Report that a bound was reached; the caller raises the result."""
        self.report(Fault(message, Kind.LIMIT), self._at)
        return Stop()

    def report(self, fault: Fault, node: ast.AST | None) -> None:
        """Add an error at the fault's own node, else at `node`. Raises Stop when there are enough."""
        where = fault.node or node
        calls = tuple((name, self._position(call)[0]) for name, call in self._calls if hasattr(call, "lineno"))
        if self._foreign_call is not None:
            where, calls = self._foreign_call, ()
        line, column, length = self._position(where)
        found = Diagnostic(line, column, fault.message, fault.kind, fault.hint, length, calls[:8])
        for known in self.diagnostics:
            if (known.line, known.column, known.message) == (line, column, found.message):
                return
        self.diagnostics.append(found)
        if len(self.diagnostics) >= MAX_REPORTED:
            raise Stop

    def warn(self, fault: Fault, node: ast.AST | None) -> None:
        """Add a warning about `node` of the user's script, once."""
        line, column, length = self._position(node)
        found = Diagnostic(line, column, fault.message, fault.kind, fault.hint, length)
        if self._foreign_call is None and len(self.warnings) < MAX_REPORTED and found not in self.warnings:
            self.warnings.append(found)

    def _warn_of_time(self, text: str, node: ast.AST | None) -> None:
        if part := misread(text):
            hint = "a duration is one whole number with its unit: '-90m', '-1500ms'"
            self.warn(Fault(f"of '{text[:60]}', only '{part}' is read", Kind.TIME, hint), node)

    def time(self, bound: Bound, name: str) -> int | None:
        """Argument `name` as ns since the epoch; None when it is None."""
        value = bound.values[name]
        if value is None:
            return None
        constant = value.literal if isinstance(value, Scalar) else None
        if constant is not None and value.type.data in {DataType.INT64, DataType.TIME64NS}:
            return int(constant)
        if not isinstance(constant, str):
            hint = "give a duration such as '-5m', a time, or ns such as px.now() - px.minutes(5)"
            raise Fault(
                f"expected argument '{name}' as a time, received {describe(value)}", Kind.TIME, hint, bound.node(name)
            )
        self._warn_of_time(constant, bound.node(name))
        try:
            return parse_time(constant, self.now_ns)
        except TimeError as error:
            raise Fault(str(error), Kind.TIME, node=bound.node(name)) from None

    def duration(self, bound: Bound, name: str) -> int:
        """Argument `name`, a duration text or ns, as ns."""
        value = bound.values[name]
        constant = value.literal if isinstance(value, Scalar) else None
        if isinstance(constant, str):
            self._warn_of_time(constant, bound.node(name))
            try:
                return parse_duration(constant)
            except TimeError as error:
                raise Fault(str(error), Kind.TIME, node=bound.node(name)) from None
        if isinstance(constant, int) and value.type.data is DataType.INT64:
            return constant
        hint = "give a text such as '5s' (units: ms, s, m, h, d), or ns such as px.seconds(5)"
        raise Fault(
            f"expected argument '{name}' as a duration, received {describe(value)}", Kind.TIME, hint, bound.node(name)
        )

    # Statements.

    def run(self, tree: ast.Module) -> None:
        """Evaluate a script. Errors are in `diagnostics` afterwards."""
        if not tree.body:
            self.diagnostics.append(Diagnostic(1, 1, "the script is empty", Kind.PARSER, "begin with 'import px'"))
            return
        try:
            self.block(tree.body, self.globals, module=True)
        except Stop:
            pass
        except RecursionError:
            self.report_quietly("an expression is nested too deeply")

    def report_quietly(self, message: str) -> None:
        """Report a bound that was reached, even when there are enough errors."""
        with contextlib.suppress(Stop):
            self.report(Fault(message, Kind.LIMIT), self._at)

    def block(self, body: list[ast.stmt], scope: Scope, *, module: bool = False) -> Any:
        """Evaluate statements; what `return` gave, or None. Errors are reported and poison what they would set."""
        result: Any = _FELL_THROUGH
        for position, statement in enumerate(body):
            self._at = statement
            try:
                result = self._statement(statement, scope, first=position == 0, module=module)
            except Poisoned:
                result = _poison(statement, scope)
            except Fault as fault:
                self.report(fault, statement)
                result = _poison(statement, scope)
            if result is not _FELL_THROUGH and not module:
                return result
        return None

    def _statement(self, statement: ast.stmt, scope: Scope, *, first: bool, module: bool) -> Any:
        self.charge(1)
        if isinstance(statement, ast.Expr):
            self._expression_statement(statement.value, scope, first=first, module=module)
        elif isinstance(statement, ast.Assign):
            self._assign(statement, scope)
        elif isinstance(statement, ast.AugAssign):
            self._assign(written_out(statement), scope)
        elif isinstance(statement, ast.FunctionDef):
            scope.values[statement.name] = expressions.define(self, statement, scope)
        elif isinstance(statement, ast.Return):
            if module:
                raise Fault("'return' outside a function", Kind.MODULE)
            return None if statement.value is None else self.expression(statement.value, scope)
        elif isinstance(statement, ast.Import):
            self._import(statement, scope)
        elif isinstance(statement, ast.ImportFrom):
            self._import_from(statement, scope)
        else:
            raise Fault(*unsupported_statement(statement))
        return _FELL_THROUGH

    def _expression_statement(self, value: ast.expr, scope: Scope, *, first: bool, module: bool) -> None:
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            if not first:
                raise Fault("a docstring may only come first", Kind.MODULE, "use a comment: # ...")
            if module:
                scope.values["__doc__"] = expressions.constant(value)
            return
        self.expression(value, scope)

    def _assign(self, statement: ast.Assign, scope: Scope) -> None:
        if len(statement.targets) != 1:
            raise Fault("only one target can be assigned", Kind.ASSIGNMENT, "write one assignment for each name")
        target = statement.targets[0]
        if isinstance(target, ast.Name):
            scope.values[target.id] = self.expression(statement.value, scope)
        elif isinstance(target, (ast.Attribute, ast.Subscript)):
            self._assign_member(target, statement.value, scope)
        else:
            raise Fault(
                f"cannot assign to a {type(target).__name__.lower()}",
                Kind.ASSIGNMENT,
                "assign to a name or to a column",
                target,
            )

    def _assign_member(self, target: ast.Attribute | ast.Subscript, value: ast.expr, scope: Scope) -> None:
        if not isinstance(target.value, ast.Name):
            base: Any = self.expression(target.value, scope)
            if not isinstance(base, Module):
                raise Fault("a column is assigned to a DataFrame's name: df.column = ...", Kind.ASSIGNMENT, "", target)
        else:
            base = self.expression(target.value, scope)
        if isinstance(base, Frame) and isinstance(target.value, ast.Name):
            name = target.attr if isinstance(target, ast.Attribute) else self._column_key(target, scope)
            self._assign_column(target.value.id, base, name, value, scope)
        elif isinstance(target, ast.Subscript):
            raise Fault(f"cannot assign to an element of {article(base)}", Kind.ASSIGNMENT, "", target)
        elif isinstance(base, Module):
            base.attributes[target.attr] = self.expression(value, scope)
        else:
            raise Fault(f"cannot assign attribute '{target.attr}' of {article(base)}", Kind.NAME, "", target)

    def _column_key(self, target: ast.Subscript, scope: Scope) -> str:
        key = self.expression(target.slice, scope)
        name = key.literal if isinstance(key, Scalar) else None
        if not isinstance(name, str):
            raise Fault("a column is assigned by its name: df['column'] = ...", Kind.ASSIGNMENT, "", target.slice)
        return name

    def _assign_column(self, frame_name: str, base: Frame, name: str, value: ast.expr, scope: Scope) -> None:
        outer, self.assigning = self.assigning, frame_name
        try:
            found = self.expression(value, scope)
            if not isinstance(found, Scalar):
                hint = HINT if is_aggregated(found) else ""
                raise Fault(f"a column must be an expression, not {article(found)}", Kind.ASSIGNMENT, hint, value)
            scope.values[frame_name] = dataframe.assign(self, base, name, found)
        except Fault as fault:
            fault.node = fault.node or value
            self.report(fault, value)
            scope.values[frame_name] = dataframe.taint(base)
        except Poisoned:
            scope.values[frame_name] = dataframe.taint(base)
        finally:
            self.assigning = outer

    def module(self, name: str) -> Module:
        """The module called `name`; Fault when there is none."""
        found = self.modules.get(name)
        if found is None:
            make = MODULES.get(name)
            if make is None:
                hint = suggestion(name, MODULES) or f"modules are {listing(MODULES)}"
                raise Fault(f"ModuleNotFoundError: no module named '{name}'", Kind.IMPORT, hint)
            found = self.modules[name] = make(self)
        return found

    def _import(self, statement: ast.Import, scope: Scope) -> None:
        if len(statement.names) != 1:
            raise Fault("only one module can be imported in a statement", Kind.IMPORT, "write one import for each")
        alias = statement.names[0]
        scope.values[alias.asname or alias.name] = self.module(alias.name)

    def _import_from(self, statement: ast.ImportFrom, scope: Scope) -> None:
        if statement.level or statement.module is None:
            raise Fault("relative imports are not supported", Kind.IMPORT)
        module = self.module(statement.module)
        for alias in statement.names:
            value = module.get(alias.name)
            if value is None:
                hint = suggestion(alias.name, module.names())
                if alias.name == "*":
                    hint = f"write import {module.name}, and {module.name}.name"
                raise Fault(
                    f"ImportError: cannot import name '{alias.name}' from '{module.name}'", Kind.IMPORT, hint, alias
                )
            scope.values[alias.asname or alias.name] = value

    # Expressions and calls.

    def expression(self, node: ast.expr, scope: Scope) -> Any:
        """The value of an expression. Raises Fault, with the innermost node that is to blame."""
        self._steps -= 1
        if self._steps < 0:
            self.charge(0)
        handler: Callable[[Interpreter, Any, Scope], Any] | None = expressions.HANDLERS.get(type(node))
        depth = self.depth
        if depth > limits.MAX_EVALUATION_DEPTH:
            self._at = node
            raise self.stop("expressions or calls are nested too deeply")
        self.depth = depth + 1
        try:
            if handler is None:
                raise expressions.unsupported(node)
            return handler(self, node, scope)
        except Fault as fault:
            if fault.node is None:
                fault.node = node
            raise
        finally:
            self.depth = depth

    def call_user(
        self,
        function: UserFunction,
        args: list[tuple[Any, ast.AST]],
        keywords: list[tuple[str, Any, ast.AST]],
        node: ast.AST,
    ) -> Any:
        """Evaluate the body of a function that the script defines."""
        defaults = frozenset(function.defaults)
        values, nodes = bind_names(function.name, function.parameters, args, keywords, defaults=defaults)
        for name in function.parameters:
            values.setdefault(name, function.defaults.get(name))
        for name, annotation in function.annotations.items():
            check_annotation(name, annotation, values[name], nodes.get(name))
        if len(self._calls) >= limits.MAX_CALL_DEPTH:
            self._at = node
            raise self.stop(f"functions call one another more than {limits.MAX_CALL_DEPTH} deep")
        outer, self.assigning = self.assigning, None
        entered = function.foreign and self._foreign_call is None
        if entered:
            self._foreign_call = node
        self._calls.append((function.name, node))
        try:
            result = self.block(function.definition.body, Scope(values, function.scope))
        finally:
            self._calls.pop()
            if entered:
                self._foreign_call = None
            self.assigning = outer
        if result is POISON:
            raise Poisoned
        return result

    def _position(self, node: ast.AST | None) -> tuple[int, int, int]:
        """(line, column, length) to point at for a node; zeros when it is not in the script."""
        if not isinstance(node, (ast.expr, ast.stmt, ast.keyword, ast.arg, ast.alias)):
            return 0, 0, 0
        if isinstance(node, ast.Call):
            node = node.func
        line, start = node.lineno, node.col_offset
        end_line, end = node.end_lineno or line, node.end_col_offset or start
        if isinstance(node, ast.Attribute):
            line, start = end_line, end - len(node.attr.encode("utf-8", "replace"))
        elif isinstance(node, ast.FunctionDef):
            end_line, end = line, start + 4 + len(node.name)
        text = self._lines[line - 1] if line <= len(self._lines) else ""
        column = character_column(text, start)
        length = character_column(text, end) - column if end_line == line else len(text.rstrip()) + 1 - column
        return line, column, max(1, length)


def _poison(statement: ast.stmt, scope: Scope) -> Any:
    """Mark what a failed statement would have set; what a failed `return` gives."""
    if isinstance(statement, (ast.Assign, ast.AugAssign)):
        for target in statement.targets if isinstance(statement, ast.Assign) else [statement.target]:
            if isinstance(target, ast.Name):
                scope.values[target.id] = POISON
    elif isinstance(statement, ast.FunctionDef):
        scope.values[statement.name] = POISON
    elif isinstance(statement, (ast.Import, ast.ImportFrom)):
        for alias in statement.names:
            scope.values[alias.asname or alias.name] = POISON
    elif isinstance(statement, ast.Return):
        return POISON
    return _FELL_THROUGH
