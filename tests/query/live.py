"""A dataset over a real store, and readers of streams."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pyarrow as pa

from sylph.pxl.compile import compile_script
from sylph.query.answer import CancelToken, QueryError, Result, Rows
from sylph.tables import TABLES
from sylph.tables.rows import Row, record_batch

HTTP = TABLES["http_events"].relation


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
