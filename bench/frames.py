"""A service summary over Parquet: this engine against pandas and polars, from the same files, interleaved, medians.

    python bench/frames.py [--rows 4000000] [--rounds 5]

The rows are those of `bench/query.py`, in files of a million rows, zstd, as a store's segments are. Each side reads the
columns that it needs, joins the process's service, and groups: count, mean, seven quantiles, errors, bytes. Quantiles
are exact in pandas and polars, a t-digest here.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

import query
from sylph.query.answer import Rows
from sylph.query.engine import Engine
from sylph.query.limits import Limits
from sylph.testing.dataset import FileSegment, MemoryDataset
from sylph.testing.dataset import Rows as Held

COLUMNS = ["upid", "latency", "resp_status", "resp_body_size"]
POINTS = (0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99)


def names() -> pa.Table:
    """Services by UPID as bytes, which frames can join on."""
    table = query.processes()
    upids = pa.chunked_array([chunk.storage for chunk in table["upid"].chunks]).cast(pa.binary())
    return pa.table({"upid": upids, "service": table["service_name"].cast(pa.string())})


def in_pandas(files: list[Path], services: pd.DataFrame) -> int:
    rows = pd.concat([pd.read_parquet(file, columns=COLUMNS) for file in files], ignore_index=True)
    rows = rows.merge(services, on="upid")
    rows = rows[rows["service"] != ""]
    rows["failure"] = rows["resp_status"] >= 400
    groups = rows.groupby("service")
    stats = groups.agg(
        requests=("latency", "count"), mean=("latency", "mean"), errors=("failure", "sum"),
        error_rate=("failure", "mean"), bytes=("resp_body_size", "sum"),
    )  # fmt: skip
    return len(stats.join(groups["latency"].quantile(list(POINTS)).unstack()))


def in_polars(files: list[Path], services: pl.DataFrame) -> int:
    failure = pl.col("resp_status") >= 400
    return (
        pl.scan_parquet(files)
        .select(COLUMNS)
        .join(services.lazy(), on="upid")
        .filter(pl.col("service") != "")
        .group_by("service")
        .agg(
            pl.len().alias("requests"),
            pl.col("latency").mean().alias("mean"),
            *(pl.col("latency").quantile(point).alias(f"p{point}") for point in POINTS),
            failure.sum().alias("errors"),
            failure.mean().alias("error_rate"),
            pl.col("resp_body_size").sum().alias("bytes"),
        )
        .collect()
        .height
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=4_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files, segments = [], []
        batches = query.generate(options.rows)
        each = 1_000_000 // query.BATCH
        for number, first in enumerate(range(0, len(batches), each)):
            table = pa.Table.from_batches(batches[first : first + each])
            path = Path(folder, f"http_events-{number}.parquet")
            pq.write_table(table, path, compression="zstd")
            segments.append(FileSegment(path, table.num_rows, path.stat().st_size))
            # The same file with the extension type's storage, which frames can join on.
            storage = pa.chunked_array([chunk.storage for chunk in table["upid"].chunks])
            plain = table.set_column(table.schema.get_field_index("upid"), "upid", storage.cast(pa.binary()))
            files.append(path.with_suffix(".plain.parquet"))
            pq.write_table(plain, files[-1], compression="zstd")
        del batches
        data = MemoryDataset(metadata={"process": query.processes()}, directories=(Path(folder),))
        data.rows["http_events"] = Held([], segments)
        engine = Engine(data)
        asked = query.service_stats()
        services = names()
        in_frames = (pl.DataFrame(services), services.to_pandas())
        sides: dict[str, Callable[[], int]] = {
            "this engine": lambda: sum(
                r.batch.num_rows for r in engine.run(asked, limits=Limits(memory=2**31)) if isinstance(r, Rows)
            ),
            "polars": lambda: in_polars(files, in_frames[0]),
            "pandas": lambda: in_pandas(files, in_frames[1]),
        }
        times: dict[str, list[float]] = {name: [] for name in sides}
        for number in range(options.rounds + 1):
            counts = set()
            for name, run in sides.items():
                began = time.perf_counter()
                counts.add(run())
                if number:
                    times[name].append((time.perf_counter() - began) * 1e3)
            assert len(counts) == 1, counts
        print(f"{options.rows} rows in {len(files)} files")
        ours = statistics.median(times["this engine"])
        for name, found in times.items():
            middle = statistics.median(found)
            print(f"{name:12} {middle:8.1f} ms   this engine / {name}: {ours / middle:5.2f}", flush=True)
        engine.close()


if __name__ == "__main__":
    main()
