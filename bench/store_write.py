"""What writing costs: CPU and bytes per http_events row, against plain pyarrow of the same rows.

    PYTHONPATH=src python bench/store_write.py [--rows 200000] [--pairs 5]

The store's figure is everything its own thread and its callers do for a row: append, compaction, encoding, journal,
fsync, rename; the baseline is `pyarrow.parquet.write_table` with zstd and nothing else. Pairs are interleaved and
medians printed. CPU is that of the whole process.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from store_traffic import batches, unique_headers

from sylph.store import Store
from sylph.tables import TABLES


def store(rows: list[pa.RecordBatch], directory: Path) -> tuple[float, float, float]:
    with Store(TABLES, directory=directory) as opened:
        before, appending = time.process_time(), 0.0
        for number, batch in enumerate(rows):
            start = time.thread_time()
            opened.append("http_events", batch)
            appending += time.thread_time() - start
            # Wait for the writer: this measures its cost, not what happens when it is outrun.
            while number % 16 == 0 and _pending(opened) > 48_000:
                time.sleep(0.005)
        opened.flush()
        cpu = time.process_time() - before
        assert not opened.take_losses()
        return cpu, appending, opened.disk_used


def _pending(opened: Store) -> int:
    return next(stats.pending_rows for stats in opened.stats() if stats.name == "http_events")


def plain(rows: list[pa.RecordBatch], directory: Path) -> tuple[float, float]:
    directory.mkdir()
    before = time.process_time()
    for first in range(0, len(rows), 32):
        part = pa.Table.from_batches(rows[first : first + 32])
        pq.write_table(part, directory / f"{first}.parquet", compression="zstd")
    cpu = time.process_time() - before
    return cpu, sum(path.stat().st_size for path in directory.iterdir())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--pairs", type=int, default=5)
    options = parser.parse_args()
    traffic = batches(options.rows, batch_rows=1000)
    kinds = {"demo traffic": traffic, "unique id in each header": unique_headers(traffic)}
    for kind, rows in kinds.items():
        count = sum(batch.num_rows for batch in rows)
        hot = sum(batch.get_total_buffer_size() for batch in rows) / count
        ours, theirs = [], []
        for _ in range(options.pairs):
            with tempfile.TemporaryDirectory() as directory:
                ours.append(store(rows, Path(directory) / "store"))
                theirs.append(plain(rows, Path(directory) / "plain"))
        cpu, appending, size = (statistics.median(column) / count for column in zip(*ours, strict=True))
        cpu0, size0 = (statistics.median(column) / count for column in zip(*theirs, strict=True))
        print(f"{kind}: {count} rows of {hot:.0f} B in memory, medians of {options.pairs} pairs")
        print(f"  store        {cpu * 1e6:6.3f} us/row, of it append {appending * 1e6:.3f}   {size:6.1f} B/row on disk")
        print(f"  write_table  {cpu0 * 1e6:6.3f} us/row                        {size0:6.1f} B/row on disk")


if __name__ == "__main__":
    main()
