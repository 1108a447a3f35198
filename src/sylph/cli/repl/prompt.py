"""The prompt itself: editing, completion, history, keys. Everything that needs prompt_toolkit."""

from __future__ import annotations

import ast
import codeop
import sys
import warnings
from collections.abc import Iterable

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.enums import EditingMode
from prompt_toolkit.filters import Condition, completion_is_selected, has_selection
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from sylph.cli.failure import Failure
from sylph.cli.repl.history import history_file, prepare
from sylph.cli.repl.session import COMMANDS, Quit, Session
from sylph.client.scripts import variables_of
from sylph.editor.complete import complete
from sylph.library.loader import ScriptError, ids, load
from sylph.tables import TABLES

_INDENT = "    "


class PxlCompleter(Completer):
    """Completes PxL by what the session has defined, and the prompt's own commands."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """What can follow at the cursor."""
        del complete_event
        before = document.text_before_cursor
        if before.lstrip().startswith("."):
            yield from _command_completions(before.lstrip())
            return
        definitions = self._session.notebook.definitions
        line = definitions.count("\n") + document.cursor_position_row + 1
        column = document.cursor_position_col + 1
        for found in complete(definitions + document.text, line, column):
            detail = f"{found.kind}  {found.detail}".strip()
            yield Completion(found.label, start_position=found.start - column, display_meta=detail)


def _command_completions(text: str) -> Iterable[Completion]:
    name, space, rest = text.partition(" ")
    words = rest.split(" ")
    if not space:
        known = {one: does for one, (_, does) in COMMANDS.items()}
    elif name == ".tables":
        known = {one.name: f"{len(one.columns)} columns" for one in TABLES.values()}
    elif name == ".run" and len(words) == 1:
        known = dict.fromkeys(ids(), "script")
    elif name == ".run":
        known = _arguments(words[0])
    else:
        return
    word = text.rpartition(" ")[2]
    for label, meta in known.items():
        if label.startswith(word):
            yield Completion(label, start_position=-len(word), display_meta=meta)


def _arguments(script_id: str) -> dict[str, str]:
    try:
        found = variables_of(load(script_id))
    except ScriptError:
        return {}
    return {f"--{one.name}=": one.description or one.type for one in found.values()}


def is_complete(text: str) -> bool:
    """Whether an input can be taken: no bracket is open, and an empty line stands behind a function's body."""
    if text.lstrip().startswith("."):
        return True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Compiled, not run; one that is wrong is complete, for the error to be shown.
            if codeop.compile_command(text, "input", "exec") is None:
                return False
            body = ast.parse(text).body
    except (SyntaxError, ValueError, OverflowError, MemoryError, RecursionError):
        return True
    in_function = bool(body) and isinstance(body[-1], ast.FunctionDef)
    return not (in_function and text.rpartition("\n")[2].strip())


def _bindings() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("enter", filter=~completion_is_selected & ~has_selection)
    def _enter(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if not buffer.document.text_after_cursor.strip() and is_complete(buffer.text):
            buffer.validate_and_handle()
            return
        line = buffer.document.current_line_before_cursor
        indent = line[: len(line) - len(line.lstrip())]
        buffer.insert_text("\n" + indent + (_INDENT if line.rstrip().endswith(":") else ""))

    @keys.add("tab", filter=Condition(_at_indent))
    def _tab(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text(_INDENT)

    return keys


def _at_indent() -> bool:
    from prompt_toolkit.application import get_app

    return not get_app().current_buffer.document.current_line_before_cursor.strip()


class _PrivateHistory(FileHistory):
    """A history file whose troubles do not end the session."""

    _trouble = False

    def store_string(self, string: str) -> None:
        """Adds an input to the file; what a terminal sent that is no text is kept as escapes."""
        try:
            super().store_string(string.encode("utf-8", "backslashreplace").decode())
        except OSError as error:
            if not self._trouble:
                Failure(f"{history_file()}: {error.strerror}", "what is typed is not kept").show()
            self._trouble = True


def _history() -> History:
    path = history_file()
    try:
        prepare(path)
    except OSError as error:
        Failure(f"{path}: {error.strerror}", "what is typed is not kept").show()
        return InMemoryHistory()
    return _PrivateHistory(path)


def run(session: Session, banner: str) -> None:
    """Reads inputs until Ctrl-D."""
    sys.stdout.write(f"{banner}\n")
    prompt: PromptSession[str] = PromptSession(
        "px> ",
        multiline=True,
        prompt_continuation=lambda width, _line, _wrapped: "... ".rjust(width),
        completer=PxlCompleter(session),
        complete_while_typing=False,
        complete_in_thread=True,
        history=_history(),
        key_bindings=_bindings(),
        editing_mode=EditingMode.EMACS,
        enable_history_search=False,
    )
    while True:
        try:
            text = prompt.prompt()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        try:
            session.take(text)
        except KeyboardInterrupt:
            sys.stdout.write("\ncancelled\n")
        except Quit:
            return
        sys.stdout.flush()
