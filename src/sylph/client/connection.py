"""The Python package's way to an agent: `connect`, and scripts by name, as text, as a file, as a Python function."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from sylph.client.answer import Answer, Stats, Table
from sylph.client.arrow import batch_of, schema_of
from sylph.client.errors import (
    AgentUnavailable,
    AnswerWarning,
    CompileError,
    ErrorAt,
    Problem,
    QueryFailed,
    ScriptErrors,
    SylphError,
)
from sylph.client.excerpt import in_source, render
from sylph.client.python_source import compose, literal_text, time_text
from sylph.client.python_text import literal
from sylph.client.rpc import Client, Done, Event, Rows
from sylph.client.rpc import Table as Announced
from sylph.client.scripts import Call, calls_of, fill, is_mutation, with_parameters
from sylph.client.target import Target
from sylph.library.loader import Script, ScriptError, load, load_path
from sylph.pxl.flags import parse_flags
from sylph.query.limits import MAX_ROWS

#: gRPC's codes of a server that is not there, and of a caller who is not known.
_UNAVAILABLE, _UNAUTHENTICATED = 14, 16
_ID = re.compile(r"[\w.-]+(?:/[\w.-]+)+")
#: A script to run: an id, PxL text, a path, or a function over `px`.
Runnable = str | Path | Callable[..., Any]


def connect(
    address: str = "",
    *,
    key: str = "",
    ca: str | Path | None = None,
    socket: str | Path | None = None,
) -> Connection:
    """Connects to the agent of this host, or over TLS to the one at `address` (`host:port`) with its key.

    `ca` is a certificate to trust, such as an agent's self-signed one; `socket` the path of a unix socket. What is not
    given is read from PX_DIRECT_VIZIER_ADDR, PX_DIRECT_VIZIER_KEY, PX_DIRECT_VIZIER_CA and PX_SOCKET, as `px` does.
    Raises AgentUnavailable when no agent answers, SylphError for a wrong key or certificate.
    """
    environ = os.environ
    if not socket:
        address = address or environ.get("PX_DIRECT_VIZIER_ADDR", "")
    key = key or environ.get("PX_DIRECT_VIZIER_KEY", "")
    trusted = ca or environ.get("PX_DIRECT_VIZIER_CA")
    if address and not re.fullmatch(r"\[[0-9a-fA-F:.]+\]:\d{1,5}|[^\s:/]+:\d{1,5}", address):
        raise SylphError(f"{address!r} is not an address", "write it as host:port, such as 10.0.0.7:50300")
    if address and not key:
        raise SylphError(f"{address} needs a key", "sylph.connect(address, key=...); px up --listen says where it is")
    target = Target(
        socket=Path(socket) if socket else None, address=address, key=key, ca=Path(trusted) if trusted else None
    )
    connection = Connection(Client(target))
    if address:
        try:
            connection.check()
        except BaseException:
            connection.close()
            raise
    return connection


class Connection:
    """A connection to an agent; may be used from several threads, and as a context manager."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Connection to {self._client.where}>"

    def close(self) -> None:
        """Cancels what still runs and disconnects."""
        self._client.close()

    def check(self) -> None:
        """Raises AgentUnavailable or another SylphError unless the agent can answer queries."""
        try:
            trouble = self._client.health()
        except QueryFailed as error:
            if error.code == _UNAVAILABLE:
                raise AgentUnavailable(error.message, error.hint) from None
            raise _for_python(error) from None
        if trouble:
            raise QueryFailed(0, f"the agent runs, but: {trouble}", "see its log")

    def run(
        self, script: Runnable, /, *, timeout: float | None = None, max_rows: int | None = None, **arguments: Any
    ) -> Answer:
        """Runs a script and returns its tables.

        `script` is an id of the library (`px/http_data`), PxL text, a path of a file or a script's folder, or a Python
        function that is written over `px`. `arguments` are those of the script or function; `timeout` is in seconds.
        A table has `max_rows` rows at most, 10,000 when neither that nor the script says it, never more than 1,000,000;
        one with as many is warned about. Ctrl-C cancels the query on the agent. Raises CompileError with places,
        QueryFailed for all else.
        """
        batches: dict[str, list[Any]] = {}
        with self.stream(script, timeout=timeout, max_rows=max_rows, **arguments) as stream:
            stream.refuse_endless = True
            for part in stream:
                batches.setdefault(part.name, []).extend(part.batches())
        tables = [Table(one.name, one.columns, batches.get(one.name, ())) for one in stream.tables]
        most = stream.max_rows == MAX_ROWS
        more = "an answer can have: filter or aggregate" if most else "were asked for: give max_rows=..."
        cut = [
            f"table {table.name!r} may have more rows than the {len(table):,} that {more}"
            for table in tables
            if len(table) >= stream.max_rows
        ]
        for text in cut:
            warnings.warn(text, AnswerWarning, stacklevel=2)
        return Answer(tables, (*stream.warnings, *cut), stream.stats)

    def stream(
        self, script: Runnable, /, *, timeout: float | None = None, max_rows: int | None = None, **arguments: Any
    ) -> Stream:
        """Runs a script as `run` does, and gives rows as they come: each item is a Table with some rows of one.

        Use it in a `with`, or close it: what is not read to its end is cancelled then.
        """
        prepared = prepare(script, arguments)
        if max_rows is not None:
            if not 1 <= max_rows <= MAX_ROWS:
                raise SylphError(f"max_rows is {max_rows:,}", f"give a number of rows from 1 to {MAX_ROWS:,}")
            # As a script says it itself. At the end, so that lines in errors stay.
            flag = f"\n#px:set max_output_rows_per_table={max_rows:d}\n"
            prepared = replace(prepared, source=prepared.source + flag)
        events = self._client.execute(
            prepared.source,
            prepared.calls,
            mutation=is_mutation(prepared.source),
            name=prepared.name,
            timeout=timeout,
        )
        return Stream(events, prepared)


class Stream(Iterator[Table]):
    """Rows of a running query. `tables`, without rows, are known after the first item; `warnings` at its end."""

    def __init__(self, events: Iterator[Event], prepared: Prepared) -> None:
        self._events = events
        self._prepared = prepared
        self._schemas: dict[str, Any] = {}
        self.tables: list[Table] = []
        self.warnings: tuple[str, ...] = ()
        self.stats: Stats | None = None
        #: Raise SylphError for a table whose rows have no end, as of `df.stream()`.
        self.refuse_endless = False
        #: Rows that a table of the answer has at most.
        self.max_rows = min(parse_flags(prepared.source)[0].max_output_rows, MAX_ROWS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Table:
        try:
            for event in self._events:
                match event:
                    case Announced():
                        self.tables.append(Table(event.name, event.columns, ()))
                        self._schemas[event.name] = schema_of(event.name, event.columns)
                    case Rows():
                        if event.live and self.refuse_endless:
                            message = f"the rows of table {event.table!r} may have no end: the script has stream()"
                            raise SylphError(message, "read them as they come: with conn.stream(...) as rows: ...")
                        for warning in event.warnings:
                            warnings.warn(warning, AnswerWarning, stacklevel=3)
                        if event.columns and event.columns[0]:
                            batch = batch_of(self._schemas[event.table], event.columns)
                            columns = next(one.columns for one in self.tables if one.name == event.table)
                            return Table(event.table, columns, [batch])
                    case Done():
                        self._end(event)
        except ScriptErrors as error:
            problems = [self._prepared.problem(one) for one in error.errors]
            raise CompileError(problems, render(problems)) from None
        except QueryFailed as error:
            raise _for_python(error) from None
        except BaseException:
            self.close()
            raise
        raise StopIteration

    def close(self) -> None:
        """Cancels the query on the agent, if it still runs."""
        self._events.close()  # type: ignore[attr-defined]

    def _end(self, done: Done) -> None:
        self.warnings = done.warnings
        self.stats = Stats(done.execution_ns, done.compile_ns, done.bytes, done.records)
        for warning in done.warnings:
            warnings.warn(warning, AnswerWarning, stacklevel=4)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A script as the agent gets it; `problem` says where people find an error of it."""

    name: str
    source: str
    calls: tuple[Call, ...]
    problem: Callable[[ErrorAt], Problem]


def prepare(script: Runnable, arguments: dict[str, Any]) -> Prepared:
    """What is sent for a script and its arguments. Raises SylphError for what is missing or wrong."""
    if callable(script):
        composed = compose(script, arguments)
        return Prepared(composed.name, composed.text, (), composed.problem)
    found = find(script)
    given = {name: _text(name, value) for name, value in arguments.items()}
    values = fill(found, given)
    calls = calls_of(found, values)
    source = with_parameters(found, values)
    written = literal(found.text) if found.text is script else None

    def problem(error: ErrorAt) -> Problem:
        at = written.problem(error) if written is not None else None
        return at or in_source(error, found.text, found.name)

    return Prepared(found.name, source, tuple(calls), problem)


def find(script: str | Path) -> Script:
    """The script that a text or path names, or is. Raises SylphError."""
    try:
        if isinstance(script, Path):
            return load_path(str(script))
        if not isinstance(script, str):
            raise SylphError(
                f"a script cannot be of type {type(script).__name__}",
                "give an id such as 'px/http_data', PxL text, a path, a function",
            )
        if "\n" in script or "(" in script or re.match(r"\s*(?:import|from)\s", script):
            return Script("script", script)
        if _ID.fullmatch(script) and not script.endswith(".pxl") and not Path(script).exists():
            return load(script)
        if not Path(script).exists():
            hint = "an id is such as 'px/http_data'; px script list shows all"
            raise SylphError(f"{script!r} is neither a script's id nor a file", hint)
        return load_path(script)
    except ScriptError as error:
        raise SylphError(str(error), error.hint) from None


def _text(name: str, value: object) -> str:
    """An argument's value as the text that scripts take."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return time_text(name, value)
    try:
        return literal_text(value)
    except ValueError as error:
        raise SylphError(f"argument {name!r} is {error}", "give text, a number, a time or a list of them") from None


def _for_python(error: QueryFailed) -> QueryFailed:
    """The error with a hint for programs rather than for the command line."""
    hint = "sylph.connect(address, key=...)" if error.code == _UNAUTHENTICATED else error.hint
    return QueryFailed(error.code, error.message, hint)
