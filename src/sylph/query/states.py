"""States of aggregates as they leave a node: exact while they are few and small, lighter beyond."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sylph.functions import digest
from sylph.plan.nodes import Limit, Node, PartialAggregate, state_name

if TYPE_CHECKING:
    import pyarrow as pa

#: Bytes of the digests of one aggregate in one batch that travel as exact as they are. Twenty nodes send less than 1 MB
#: of what is made lighter beyond, for 200 groups each.
EXACT_BYTES = 48 << 10
#: Groups of a batch beyond which none is made lighter: it would not bring them under a megabyte, and takes 3 us each.
MOST_GROUPS = 2_000


def digest_columns(node: Node) -> list[str]:
    """The columns of a result that are digests made to travel."""
    while isinstance(node, Limit):
        node = node.input
    if not isinstance(node, PartialAggregate):
        return []
    return [
        state_name(name, place)
        for name, call in node.outputs
        for place, template in enumerate(call.overload.partial)
        if template == digest.TO_SEND
    ]


def lightened(batch: pa.RecordBatch, columns: list[str]) -> pa.RecordBatch:
    """The batch with its digests lighter where they are large."""
    for name in columns if batch.num_rows <= MOST_GROUPS else ():
        digests = batch.column(name)
        if digests.nbytes > EXACT_BYTES:
            batch = batch.set_column(batch.schema.get_field_index(name), name, digest.lighten(digests))
    return batch
