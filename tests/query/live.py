"""A dataset over a real store, and readers of streams."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pyarrow as pa

from sylph.pxl.compile import compile_script
from sylph.query.answer import CancelToken, QueryError, Result, Rows
from sylph.query.dataset import Follower, Snapshot
from sylph.store import Store
from sylph.tables import TABLES
from sylph.tables.entities import ENTITIES
from sylph.tables.rows import Row, record_batch
from sylph.tables.types import arrow_schema

HTTP = TABLES["http_events"].relation


class StoreDataset:
    """What an agent offers, without capture: a store and given entities."""

    def __init__(self, store: Store, directory: Path | None = None) -> None:
        self.store = store
        self.tables = TABLES
        self.directories: Sequence[Path] = (directory,) if directory else ()
        self.constants: Mapping[str, str | int] = {"asid": 1, "hostname": "node-1", "num_cpus": 2}
        self.metadata: dict[str, pa.Table] = {}

    def snapshot(self, table: str, start: int | None, end: int | None) -> AbstractContextManager[Snapshot]:
        return self.store.snapshot(table, start, end)

    def follow(self, table: str, start: int | None, end: int | None, wake: Callable[[], object]) -> Follower:
        return self.store.follow(table, start, end, wake=wake)

    def entities(self) -> Mapping[str, pa.Table]:
        return {name: self.metadata.get(name, arrow_schema(kind).empty_table()) for name, kind in ENTITIES.items()}

    def table_info(self) -> Sequence[Row]:
        return ()


def http(*rows: Row) -> pa.RecordBatch:
    """Rows of http_events; what is left out is zero."""
    return record_batch(HTTP, list(rows))


class Reader:
    """Runs a plan in a thread and keeps what it shows. `wait_for` blocks until a condition on that holds."""

    def __init__(self, run: Callable[..., Iterator[Result]], script: str, **options: object) -> None:
        self.results: list[Result] = []
        self.error: BaseException | None = None
        self.cancel = CancelToken()
        self._changed = threading.Condition()
        self._over = False
        plan = compile_script(script, **options)  # type: ignore[arg-type]
        self._thread = threading.Thread(target=self._read, args=(run(plan, cancel=self.cancel),), daemon=True)
        self._thread.start()

    def _read(self, results: Iterator[Result]) -> None:
        try:
            for result in results:
                with self._changed:
                    self.results.append(result)
                    self._changed.notify_all()
        except QueryError as error:
            self.error = error
        finally:
            with self._changed:
                self._over = True
                self._changed.notify_all()

    def rows(self, table: str = "output") -> list[Row]:
        found = []
        for result in self.results:
            if isinstance(result, Rows) and result.name == table:
                found += result.batch.to_pylist()
        return found

    def wait_for(self, enough: Callable[[], bool], seconds: float = 20) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self._over or enough(), seconds), self.results[-5:]
        assert enough() or self.error is None, self.error
        assert enough(), self.results[-5:]

    def wait_rows(self, count: int, table: str = "output") -> list[Row]:
        self.wait_for(lambda: len(self.rows(table)) >= count)
        return self.rows(table)

    def end(self) -> BaseException | None:
        """Cancels and waits for the end; the error it ended with."""
        self.cancel.cancel()
        return self.join()

    def join(self) -> BaseException | None:
        self._thread.join(10)
        assert not self._thread.is_alive()
        return self.error
