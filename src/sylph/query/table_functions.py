"""Table functions: who makes their rows. One provider a function, registered by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from sylph.plan.expressions import LiteralValue
from sylph.plan.nodes import TableFunctionSource
from sylph.query.answer import Code, QueryError
from sylph.query.dataset import Dataset
from sylph.tables.rows import Row, record_batch

if TYPE_CHECKING:
    import pyarrow as pa

Provider = Callable[[Dataset, Mapping[str, LiteralValue]], list[Row]]

PROVIDERS: dict[str, Provider] = {}


def provider(name: str) -> Callable[[Provider], Provider]:
    """Registers the provider of a table function."""

    def register(function: Provider) -> Provider:
        PROVIDERS[name] = function
        return function

    return register


def call(dataset: Dataset, source: TableFunctionSource) -> pa.Table:
    """The rows of a table function. Raises QueryError for one that nobody provides."""
    import pyarrow as pa

    make = PROVIDERS.get(source.function)
    if make is None:
        raise QueryError(Code.UNIMPLEMENTED, f"table function {source.function!r} cannot be answered here")
    columns = set(source.relation)
    rows = [{name: row[name] for name in row if name in columns} for row in make(dataset, source.arguments)]
    return pa.Table.from_batches([record_batch(source.relation, rows)])
