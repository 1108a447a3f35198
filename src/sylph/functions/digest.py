"""Quantiles in DuckDB: digests of numbers as native aggregates, which hold and send less than its own t-digest.

A digest is a BLOB. `crates/kernels/src/quantiles.rs` says what is in it and how far it may be off.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

#: Aggregates over numbers, as {0}: a digest that is as exact as can be, and one made to travel.
WHOLE = "sylph_digest(CAST({0} AS DOUBLE))"
TO_SEND = "sylph_digest_to_send(CAST({0} AS DOUBLE))"
#: An aggregate over digests, as {0}. Bytes that are none are an error.
MERGED = "sylph_digest_merge({0})"

#: Part of the names of all of them.
NAME = "sylph_digest"
#: A statement that frees the digests which DuckDB keeps of what was asked of a database before: the groups that nobody
#: read, after a limit or an error. No query may run there.
RELEASE = "SELECT sylph_release()"
#: Bytes that the digests of all running queries may take together: DuckDB's own limit does not see them.
MEMORY = 512 * 2**20
#: In the error of a query for which they do not suffice.
TOO_MUCH = "quantiles of so many groups need more than"


@cache
def register() -> None:
    """Makes the functions known to databases that this process opens from now on. Raises ImportError, ValueError."""
    import _duckdb

    try:
        from sylph._native import register_functions
    except ImportError as error:
        raise ImportError("sylph._native is missing or older than this source: run `make build`") from error

    register_functions(_duckdb.__file__, MEMORY)


def lighten(digests: pa.Array) -> pa.Array:
    """Digests made to travel, as less exact ones that take less; those of few numbers stay as they are."""
    import pyarrow as pa

    from sylph._native import kernel

    return pa.record_batch(kernel("lighten_digests", pa.record_batch({"digests": digests}))).column(0)


def memory() -> int:
    """Bytes that the digests of all databases take now."""
    from sylph._native import function_memory

    return function_memory()


def quantiles(digest: str) -> str:
    """JSON text of a digest's quantiles p01 to p99, in SQL; of none, all are 0.0."""
    return f"sylph_quantiles({digest})"


def quantile(digest: str, q: float) -> str:
    """One quantile of a digest, in SQL; 0.0 of none."""
    return f"sylph_quantile({digest}, {q!r}::DOUBLE)"
