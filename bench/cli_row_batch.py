"""Arrow to protobuf row batches: native beside protobuf's Python messages, in cells a second on one core."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import pyarrow as pa

from bench.python_row_batch import row_batch as python_row_batch
from sylph._native import row_batch as native_row_batch
from sylph.api.pb import vizierapi_pb2 as pb
from tests.api.support import RELATION, make_batch

ROWS = 10_000
ROUNDS = 9


def seconds(encode: Callable[[pa.RecordBatch, str, bool, bool], bytes], batch: pa.RecordBatch) -> float:
    began = time.perf_counter()
    encode(batch, "table", True, True)
    return time.perf_counter() - began


def main() -> None:
    batch = make_batch(ROWS, "/some/path/of/usual/length/")
    cells = ROWS * len(RELATION)
    same = pb.RowBatchData.FromString(native_row_batch(batch, "table", True, True)) == pb.RowBatchData.FromString(
        python_row_batch(batch, "table", True, True)
    )
    if not same:
        raise SystemExit("the two encoders differ")
    times: dict[str, list[float]] = {"native": [], "python": []}
    for _ in range(ROUNDS):
        times["native"].append(seconds(native_row_batch, batch))
        times["python"].append(seconds(python_row_batch, batch))
    native, python = (statistics.median(times[name]) for name in ("native", "python"))
    print(f"{ROWS} rows, {cells} cells, median of {ROUNDS} interleaved rounds")
    print(f"native  {native * 1e3:7.2f} ms  {cells / native / 1e6:6.1f} M cells/s")
    print(f"python  {python * 1e3:7.2f} ms  {cells / python / 1e6:6.1f} M cells/s")
    print(f"ratio   {python / native:.0f}")


if __name__ == "__main__":
    main()
