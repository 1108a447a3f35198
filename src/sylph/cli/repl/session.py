"""One session at the prompt: inputs in, tables and errors out."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from sylph.cli import query, script_args
from sylph.cli.failure import Failure
from sylph.cli.output import table_writer
from sylph.cli.repl.notebook import SHOWN_ROWS, Notebook, Question, told, value_text
from sylph.client.errors import ErrorAt, Problem, ScriptErrors, SylphError
from sylph.client.excerpt import in_source, render
from sylph.client.rpc import Client, Event, Rows
from sylph.client.scripts import Call, calls_of, is_mutation, with_parameters
from sylph.client.terminal import paint, uses_colour
from sylph.client.text import escape
from sylph.library.loader import listing
from sylph.tables import TABLES

#: Commands of the prompt with what they take and do.
COMMANDS = {
    ".help": ("", "this list"),
    ".run": ("SCRIPT [--name value ...]", "run a script of the library; --help tells what it takes"),
    ".scripts": ("[TEXT]", "the library's scripts, those with TEXT in their name"),
    ".tables": ("[TABLE]", "the tables, or the columns of one"),
    ".defs": ("", "what this session has defined"),
    ".save": ("FILE", "write the definitions into a script"),
    ".clear": ("", "forget the definitions"),
    ".quit": ("", "end, as Ctrl-D does"),
}


class Quit(Exception):  # noqa: N818  (no error)
    """The user has had enough."""


class Session:
    """Inputs one after the other. Ctrl-C raises KeyboardInterrupt out of `take`, after cancelling the query."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.notebook = Notebook()

    def take(self, text: str) -> None:
        """Does what an input asks, and prints. Raises Quit."""
        text = text.strip("\n")
        if not text.strip():
            return
        try:
            if text.lstrip().startswith("."):
                self._command(text.strip())
            else:
                self._pxl(text)
        except SylphError as error:
            Failure(error.message, error.hint).show(sys.stdout)
        except Failure as failure:
            failure.show(sys.stdout)

    def _pxl(self, text: str) -> None:
        outcome = self.notebook.read(text)
        if outcome.problems:
            self._show(outcome.problems)
        elif outcome.question is not None:
            self._ask(outcome.question)
        elif outcome.value:
            sys.stdout.write("\n".join(escape(line) for line in value_text(outcome.value[0]).split("\n")) + "\n")

    def _ask(self, question: Question) -> None:
        choose = "df[['COLUMN', ...]] chooses"
        rows = self._answer(question.source, (), "px repl", choose, lambda error: told(error, question))
        if question.head and rows == SHOWN_ROWS:
            note = f"the first {SHOWN_ROWS} rows; px.display(...) shows all"
            sys.stdout.write(paint(note, "dim", on=uses_colour(sys.stdout)) + "\n")

    def _answer(
        self, source: str, calls: Sequence[Call], name: str, whole: str, place: Callable[[ErrorAt], Problem]
    ) -> int:
        """Prints a script's tables; how many rows they had. `whole` says where all columns are."""
        seen = 0

        def counted() -> Iterator[Event]:
            nonlocal seen
            for event in events:
                if isinstance(event, Rows) and event.columns:
                    seen += len(event.columns[0])
                yield event

        events = self._client.execute(source, calls, mutation=is_mutation(source), name=name)
        try:
            query.write(counted(), table_writer.make(sys.stdout, whole))
        except ScriptErrors as error:
            self._show([place(one) for one in error.errors])
        finally:
            # Ctrl-C may come between two events: the query ends on the agent in any case.
            events.close()  # type: ignore[attr-defined]
        return seen

    def _show(self, problems: Sequence[Problem]) -> None:
        sys.stdout.write(render(problems, colour=uses_colour(sys.stdout)) + "\n")

    def _command(self, text: str) -> None:
        try:
            name, *words = shlex.split(text)
        except ValueError as error:
            raise Failure(f"{text}: {error}") from None
        if name not in COMMANDS:
            raise Failure(f"no command {name}", ".help lists them")
        rest = {
            ".run": self._run,
            ".scripts": _scripts,
            ".tables": _tables,
            ".save": self._save,
        }
        if name in rest:
            rest[name](words)
        elif words:
            raise Failure(f"{name} takes nothing")
        elif name == ".help":
            _help()
        elif name == ".defs":
            sys.stdout.write(self.notebook.definitions)
        elif name == ".clear":
            self.notebook.clear()
        else:
            raise Quit

    def _run(self, words: list[str]) -> None:
        if not words:
            raise Failure(".run takes a script's id", "such as .run px/http_data --start_time=-1m")
        script = query.find_script(words[0], None)
        try:
            values = script_args.parse(script, [word for word in words[1:] if word != "--"])
        except script_args.HelpAsked:
            sys.stdout.write(script_args.describe(script) + "\n")
            return
        source, calls = with_parameters(script, values), calls_of(script, values)
        whole = f"px run {script.name} -o json has all"
        self._answer(source, calls, script.name, whole, lambda error: in_source(error, script.text, script.name))

    def _save(self, words: list[str]) -> None:
        if len(words) != 1:
            raise Failure(".save takes a file's name")
        path = Path(words[0]).expanduser()
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(self.notebook.definitions)
        except FileExistsError:
            raise Failure(f"{path} exists", "choose another name") from None
        except OSError as error:
            raise Failure(f"{path}: {error.strerror}") from None


def _help() -> None:
    width = max(len(f"{name} {takes}") for name, (takes, _) in COMMANDS.items())
    for name, (takes, does) in COMMANDS.items():
        sys.stdout.write(f"{f'{name} {takes}':<{width}}  {does}\n")
    sys.stdout.write(
        "\nEverything else is PxL: df = px.DataFrame('http_events', start_time='-5m'), then df.head(5).\n"
        "A DataFrame on the last line is shown; px.NAME tells what a function does. Tab completes,\n"
        "Ctrl-C cancels a query, Ctrl-D ends.\n"
    )


def _scripts(words: list[str]) -> None:
    wanted = words[0] if words else ""
    found = [(name, short) for name, short in listing() if wanted in name]
    if not found:
        raise Failure(f"no script's name has {wanted!r} in it", ".scripts lists all")
    width = max(len(name) for name, _ in found)
    sys.stdout.writelines(f"{name:<{width}}  {short}\n" for name, short in found)


def _tables(words: list[str]) -> None:
    from sylph.editor.describe import type_text

    if not words:
        width = max(map(len, TABLES))
        sys.stdout.writelines(f"{table.name:<{width}}  {table.description}\n" for table in TABLES.values())
        return
    if words[0] not in TABLES:
        raise Failure(f"no table is named {words[0]!r}", ".tables lists them")
    columns = TABLES[words[0]].columns
    names, types = max(len(one.name) for one in columns), max(len(type_text(one.type)) for one in columns)
    for one in columns:
        sys.stdout.write(f"{one.name:<{names}}  {type_text(one.type):<{types}}  {one.description}\n")
