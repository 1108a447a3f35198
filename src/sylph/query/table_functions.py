"""Table functions: their declared columns, filled by the provider of the same name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from sylph.plan.expressions import LiteralValue
from sylph.plan.nodes import TableFunctionSource
from sylph.query.answer import Code, QueryError
from sylph.query.dataset import Dataset
from sylph.query.providers import agents, functions, heap, metadata, process, schema
from sylph.tables.rows import Row, record_batch

if TYPE_CHECKING:
    import pyarrow as pa

Provider = Callable[[Dataset, Mapping[str, LiteralValue]], list[Row]]

PROVIDERS: Mapping[str, Provider] = {
    **schema.PROVIDERS,
    **agents.PROVIDERS,
    **functions.PROVIDERS,
    **process.PROVIDERS,
    **heap.PROVIDERS,
    **metadata.PROVIDERS,
}

#: Functions about what does not exist here yet: no tracepoints, no scheduled scripts.
EMPTY = frozenset({"GetTracepointStatus", "GetCronScriptHistory"})


def call(dataset: Dataset, source: TableFunctionSource) -> pa.Table:
    """The rows of a table function. Raises QueryError for one that nobody provides."""
    import pyarrow as pa

    make = PROVIDERS.get(source.function)
    if make is None and source.function not in EMPTY:
        message = f"table function {source.function!r} has no meaning here: no allocator of this agent samples its heap"
        raise QueryError(Code.UNIMPLEMENTED, message)
    rows = [] if make is None else make(dataset, source.arguments)
    kept = [{name: value for name, value in row.items() if name in source.relation} for row in rows]
    return pa.Table.from_batches([record_batch(source.relation, kept)])
