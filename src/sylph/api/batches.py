"""Row batches as messages: cut to the size that clients accept, encoded natively, framed by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from sylph.query.answer import Code, QueryError

if TYPE_CHECKING:
    import pyarrow as pa

#: A message with rows is cut when it would be larger; clients accept 4 MiB by default, Pixie's broker sends 0.9 MiB.
TARGET_BYTES = int(0.9 * 2**20)
#: No message may be larger than this, not even with a single row.
MAX_BYTES = 8 * 2**20
_MAX_ROWS = 65536

#: (batch, table_id, eow, eos) to the bytes of a RowBatchData.
Encoder = Callable[["pa.RecordBatch", str, bool, bool], bytes]


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def frame(query_id: bytes, row_batch: bytes) -> bytes:
    """ExecuteScriptResponse{query_id = 2, data = 3: QueryData{batch = 1}} around an encoded RowBatchData."""
    batch_head = b"\x0a" + _varint(len(row_batch))
    data_head = b"\x1a" + _varint(len(batch_head) + len(row_batch))
    return b"".join((b"\x12", _varint(len(query_id)), query_id, data_head, batch_head, row_batch))


def encode_rows(
    batch: pa.RecordBatch,
    table_id: str,
    encode: Encoder,
    *,
    last: bool,
    live: bool = False,
    limit: int = TARGET_BYTES,
) -> Iterator[bytes]:
    """Encoded RowBatchData of at most `limit` bytes each, in row order.

    `last` marks the final one eow and eos; `live`, of a stream, eow alone.

    A single row over `limit` is sent as it is; over MAX_BYTES it raises QueryError(RESOURCE_EXHAUSTED).
    """
    rows = batch.num_rows
    if rows == 0:
        if last or live:
            yield encode(batch, table_id, True, last)
        return
    # Varints and the tag of every string may take half as much again as Arrow.
    step = max(1, min(_MAX_ROWS, rows * int(limit * 0.7) // max(1, batch.nbytes)))
    start = 0
    while start < rows:
        count = min(step, rows - start)
        at_end = start + count == rows
        encoded = encode(batch.slice(start, count), table_id, at_end and (last or live), at_end and last)
        if len(encoded) > limit and count > 1:
            # These rows are larger than the average; the step stays small, it is only a matter of a few messages.
            step = max(1, count * limit * 9 // (len(encoded) * 10))
            continue
        if len(encoded) > MAX_BYTES:
            size = len(encoded) / 2**20
            raise QueryError(
                Code.RESOURCE_EXHAUSTED,
                f"one row takes {size:.1f} MiB, more than the {MAX_BYTES // 2**20} MiB that an answer may carry: "
                "keep fewer columns or shorten its text",
            )
        yield encoded
        start += count
