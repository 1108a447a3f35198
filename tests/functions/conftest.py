from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import duckdb
import pytest

from sylph.functions import digest
from sylph.functions.kernels import PREFIX, install

MISSING = [name for name in ("numpy", "sylph._native") if importlib.util.find_spec(name) is None]


class Duck:
    """A DuckDB connection that knows the kernels of what it runs, or skips the test where there are none."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self.register = connection.register
        self.sql = connection.sql
        self.cursor = connection.cursor

    def execute(self, sql: str) -> duckdb.DuckDBPyConnection:
        if f"{PREFIX}" in sql and MISSING:
            pytest.skip(f"kernels need {' and '.join(MISSING)}: make build")
        install(self._connection, sql)
        return self._connection.execute(sql)


@pytest.fixture(scope="session")
def duck() -> Iterator[Duck]:
    digest.register()
    with duckdb.connect(config={"threads": 1, "arrow_lossless_conversion": True}) as connection:
        yield Duck(connection)
