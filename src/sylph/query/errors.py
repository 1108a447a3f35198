"""DuckDB's errors as answers to the asker."""

from __future__ import annotations

from sylph.functions import digest
from sylph.query.answer import Code, QueryError
from sylph.query.limits import Limits


def translate(error: Exception, limits: Limits, table: str = "") -> QueryError:
    """What went wrong, and what to do. `error` is any duckdb.Error, or one of Arrow's.

    Arrow reads DuckDB's results, and gives what goes wrong meanwhile as an OSError with DuckDB's text.
    """
    import duckdb

    text = str(error).strip().split("\n", 1)[0]
    if isinstance(error, duckdb.OutOfMemoryException) or text.startswith("Out of Memory Error"):
        used = text.rsplit("(", 1)[-1].rstrip(")") if "(" in text else "all of it"
        message = (
            f"{f'table {table!r}' if table else 'the query'} needs more memory than its limit of"
            f" {limits.memory / 2**20:.0f} MiB ({used}); "
            "narrow start_time, filter before groupby() or merge(), or group by fewer columns"
        )
        return QueryError(Code.RESOURCE_EXHAUSTED, message)
    if digest.TOO_MUCH in text:
        where = f"table {table!r}: " if table else ""
        message = f"{where}{text.split(': ', 1)[-1]}; narrow start_time, or group by fewer columns"
        return QueryError(Code.RESOURCE_EXHAUSTED, message)
    wrong = duckdb.OutOfRangeException | duckdb.ConversionException | duckdb.InvalidInputException
    if isinstance(error, wrong) or text.startswith(("Out of Range Error", "Conversion Error", "Invalid Input Error")):
        return QueryError(Code.INVALID_ARGUMENT, f"a value is out of range: {text}")
    if isinstance(error, duckdb.IOException) or text.startswith("IO Error"):
        return QueryError(Code.UNAVAILABLE, f"a segment cannot be read: {text}")
    return QueryError(Code.INTERNAL, f"the query engine failed: {text}")
