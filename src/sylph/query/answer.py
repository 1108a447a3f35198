"""What may be asked and what is answered: the contract between the API and whatever runs queries."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

from sylph.tables.types import Relation

if TYPE_CHECKING:
    import pyarrow as pa


class Code(IntEnum):
    """Why a query ended; the numbers are gRPC's."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    UNAUTHENTICATED = 16


class QueryError(Exception):
    """A query that cannot be answered for another reason than its text."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A function of the script to call with text arguments; its tables are named after `prefix`."""

    function: str
    prefix: str
    arguments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ScriptRequest:
    """A script to run. With `calls`, the tables are those of the calls; otherwise those that it displays."""

    script: str
    calls: tuple[FunctionCall, ...] = ()
    #: The caller allows the script to place or remove probes.
    mutation: bool = False
    #: Label for logs.
    name: str = ""


@dataclass(frozen=True, slots=True)
class TableMeta:
    """Announces an output table. All are announced before the first rows."""

    name: str
    relation: Relation


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of an announced table, columns in the relation's order. `last`: no more will come.

    `live`: more may come at any time, or never; these are to be shown now.
    """

    name: str
    batch: pa.RecordBatch
    last: bool = False
    live: bool = False


@dataclass(frozen=True, slots=True)
class Watermark:
    """From an agent to the broker: the streamed table has no more rows for windows that end by `time` (ns)."""

    name: str
    time: int


@dataclass(frozen=True, slots=True)
class QueryWarning:
    """Something that the asker should know although there is an answer."""

    message: str


@dataclass(frozen=True, slots=True)
class Stats:
    """What the answer took."""

    execution_ns: int = 0
    compile_ns: int = 0
    bytes: int = 0
    records: int = 0


Result = TableMeta | Rows | Watermark | QueryWarning | Stats


class CancelToken:
    """Set when nobody waits for the answer any more. Safe to use from any thread."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], object]] = []

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._event.is_set()

    def cancel(self) -> None:
        """Sets the token and runs the callbacks, once."""
        with self._lock:
            if self._event.is_set():
                return
            self._event.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def on_cancel(self, callback: Callable[[], object]) -> None:
        """Calls `callback` when the token is set; at once when it is already. It must be quick and not raise."""
        with self._lock:
            if not self._event.is_set():
                self._callbacks.append(callback)
                return
        callback()

    def forget(self, callback: Callable[[], object]) -> None:
        """Takes a callback back; one that was never given is no error."""
        with self._lock:
            if callback in self._callbacks:
                self._callbacks.remove(callback)

    def wait(self, timeout: float | None = None) -> bool:
        """Waits up to `timeout` seconds for the token; True when it is set."""
        return self._event.wait(timeout)

    def check(self) -> None:
        """Raises QueryError(CANCELLED) when the token is set."""
        if self._event.is_set():
            raise QueryError(Code.CANCELLED, "the query was cancelled")


@dataclass(frozen=True, slots=True)
class Health:
    """Whether queries can be answered, and why not."""

    ok: bool
    message: str = ""


class QueryHandler(Protocol):
    """Answers queries. Called from many threads at once."""

    def execute(self, request: ScriptRequest, cancel: CancelToken) -> Iterator[Result]:
        """Yields every TableMeta, then Rows, then at most one Stats; warnings anywhere.

        Raises `sylph.pxl.errors.CompileError` for a wrong script and QueryError for all else. The iterator is
        closed when the asker has gone.
        """
        ...

    def health(self) -> Health:
        """Tells whether queries can be answered now; quick."""
        ...
