"""A process that writes to a store until it is killed."""

from __future__ import annotations

import time
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

from sylph.store import Store
from tests.store.samples import rows, table

FLUSH = 0.3
MEMORY, DISK = 8 << 20, 4 << 20


def open_store(directory: Path) -> Store:
    """The store of writer and reader."""
    return Store({"events": table()}, directory=directory, memory=MEMORY, disk=DISK, flush_interval=FLUSH)


def write(directory: Path, first: int, arrived: Synchronized[int], durable: Synchronized[int]) -> None:
    """Append rows from number `first` on, telling how many arrived and how many are on disk."""
    store = open_store(directory)
    appended = first
    while True:
        store.append("events", rows(appended, 100))
        appended += 100
        arrived.value = appended
        (stats,) = store.stats()
        durable.value = appended - (stats.pending_rows - stats.journal_rows)
        time.sleep(0.001)
