"""What a prompt's inputs mean together: names that earlier ones made are kept, what the last line gives is shown."""

from __future__ import annotations

import ast
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sylph.client.errors import ErrorAt, Problem
from sylph.pxl.errors import CompileError, Diagnostic, Kind, split_lines
from sylph.pxl.interpreter import Interpreter, Stop
from sylph.pxl.parse import parse
from sylph.pxl.values import Fault, Frame, Poisoned, Scalar
from sylph.tables import TABLES
from sylph.tables.declare import Table

#: Rows of a DataFrame that is named at the prompt; px.display() shows all.
SHOWN_ROWS = 50
#: What every session begins with.
PRELUDE = "import px\n"
#: The name that PxL itself has for what is shown.
_DISPLAY = "px.display"


@dataclass(frozen=True, slots=True)
class Question:
    """A script to send. `head` says that only the first rows were asked for, since the user asked for no number."""

    source: str
    head: bool
    #: Lines of it that earlier inputs wrote.
    above: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an input leads to: problems, or a script to send, or a value to tell about; or nothing at all."""

    problems: tuple[Problem, ...] = ()
    question: Question | None = None
    #: A value that is no DataFrame, in a tuple of one.
    value: tuple[Any, ...] = ()


class Notebook:
    """The definitions of a session, as PxL text. Nothing here talks to an agent."""

    def __init__(self, tables: Mapping[str, Table] = TABLES) -> None:
        self._tables = tables
        self.definitions = PRELUDE

    def clear(self) -> None:
        """Forgets all definitions."""
        self.definitions = PRELUDE

    def read(self, text: str) -> Outcome:
        """Takes an input; its definitions are kept when nothing is wrong with it."""
        source = self.definitions + text
        above = self.definitions.count("\n")
        try:
            body = list(parse(source).tree.body)
        except CompileError as error:
            return _outcome(error.errors, source, above)
        interpreter = Interpreter(source, self._tables, time.time_ns(), display=True)
        kept = [one for one in body if one.lineno <= above]
        new = body[len(kept) :]
        self._run(interpreter, kept)
        interpreter.diagnostics.clear()
        shown = new.pop() if new and isinstance(new[-1], ast.Expr) else None
        keep = [one for one in new if self._run(interpreter, [one]) or not isinstance(one, ast.Expr)]
        value = None
        if isinstance(shown, ast.Expr) and not interpreter.diagnostics:
            asked = len(interpreter.mutations)
            value = _value(interpreter, shown)
            if len(interpreter.mutations) > asked:
                keep.append(shown)
        if interpreter.diagnostics:
            return _outcome(interpreter.diagnostics, source, above)
        question = None
        if isinstance(value, Frame) and isinstance(shown, ast.Expr):
            expression = ast.get_source_segment(source, shown.value) or ast.unparse(shown.value)
            head = "" if value.streaming else f".head({SHOWN_ROWS})"
            question = Question(f"{_before(source, shown)}{_DISPLAY}(({expression}){head})\n", bool(head), above)
        elif interpreter.results or interpreter.mutations or interpreter.exports:
            question = Question(f"{source}\n", False, above)
        self.definitions += "".join(f"{_text(source, one, body)}\n" for one in keep)
        tell = () if question is not None or value is None else (value,)
        return Outcome(question=question, value=tell)

    def _run(self, interpreter: Interpreter, body: list[ast.stmt]) -> bool:
        """Runs statements; whether they asked for a change, so that what follows needs them."""
        asked = len(interpreter.mutations)
        try:
            interpreter.block(body, interpreter.globals, module=True)
        except (Stop, RecursionError):
            if not interpreter.diagnostics:
                interpreter.report_quietly("an expression is nested too deeply")
        return len(interpreter.mutations) > asked


def told(error: ErrorAt, question: Question) -> Problem:
    """An error that the agent told about a script that was sent, where the user wrote it."""
    found = Diagnostic(error.line, error.column, error.message, Kind.PLAN, error.hint)
    return _problem(found, question.source, question.above)


def _problem(error: Diagnostic, source: str, above: int) -> Problem:
    lines = split_lines(source)
    if not 1 <= error.line <= len(lines):
        return Problem("input", 0, 0, error.message, error.hint)
    earlier = error.line <= above
    name, line = ("earlier input", error.line) if earlier else ("input", error.line - above)
    return Problem(name, line, error.column, error.message, error.hint, lines[error.line - 1])


def _outcome(errors: Sequence[Diagnostic], source: str, above: int) -> Outcome:
    return Outcome(tuple(_problem(one, source, above) for one in errors))


def _value(interpreter: Interpreter, shown: ast.Expr) -> Any:
    try:
        return interpreter.expression(shown.value, interpreter.globals)
    except Fault as fault:
        interpreter.report(fault, shown)
    except Poisoned:
        pass
    except (Stop, RecursionError):
        if not interpreter.diagnostics:
            interpreter.report_quietly("an expression is nested too deeply")
    return None


def _before(source: str, statement: ast.stmt) -> str:
    """The text before a statement, on lines of its own."""
    lines = split_lines(source)
    head = lines[: statement.lineno - 1]
    before = lines[statement.lineno - 1].encode()[: statement.col_offset].decode().rstrip().rstrip(";")
    return "".join(f"{line}\n" for line in [*head, before])


def _text(source: str, statement: ast.stmt, body: list[ast.stmt]) -> str:
    """A statement as it was written; written anew when it shares a line with another."""
    decorators = statement.decorator_list if isinstance(statement, ast.FunctionDef) else []
    first = min([statement.lineno, *(one.lineno for one in decorators)])
    last = statement.end_lineno or statement.lineno
    for other in body:
        if other is not statement and other.lineno <= last and (other.end_lineno or other.lineno) >= first:
            return ast.unparse(statement)
    return "\n".join(split_lines(source)[first - 1 : last])


def value_text(value: Any) -> str:
    """What is told about a value that is no DataFrame."""
    from sylph.editor.describe import named

    if isinstance(value, Scalar) and value.literal is not None:
        return repr(value.literal)
    item = named("", value)
    lines = [item.detail or str(item.kind)]
    if isinstance(value, Scalar):
        lines.append("a column's expression: assign it, df.name = ..., and show df")
    elif item.doc:
        lines.append(item.doc)
    return "\n\n".join(lines)
