"""What an agent offers to queries: its store, its metadata and what it knows of itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from sylph.metadata.node import Node
from sylph.metadata.snapshot import Snapshots
from sylph.tables.declare import Table
from sylph.tables.rows import Row

if TYPE_CHECKING:
    import pyarrow as pa

    from sylph.store import Follower, Snapshot, Store


class AgentDataset:
    """One node's rows and entities, as `sylph.query` reads them."""

    def __init__(
        self, tables: Mapping[str, Table], store: Store, snapshots: Snapshots, node: Node, directory: Path | None
    ) -> None:
        self.tables = tables
        self._store = store
        self._snapshots = snapshots
        self.directories: Sequence[Path] = (directory,) if directory else ()
        self.constants: Mapping[str, str | int] = {
            "asid": node.asid,
            "hostname": node.hostname,
            "num_cpus": node.num_cpus,
            "vizier_id": str(node.cluster_id),
            "vizier_name": node.cluster_name,
            "vizier_namespace": "",
            "cidrs": json.dumps(["127.0.0.0/8", "::1/128"]),
        }

    def snapshot(self, table: str, start: int | None, end: int | None) -> AbstractContextManager[Snapshot]:
        """Rows of a table in a time range, held until the context ends."""
        return self._store.snapshot(table, start, end)

    def follow(self, table: str, start: int | None, end: int | None, wake: Callable[[], object]) -> Follower:
        """A place in a table, from its oldest row on."""
        return self._store.follow(table, start, end, wake=wake)

    def entities(self) -> Mapping[str, pa.Table]:
        """The metadata snapshot."""
        return self._snapshots.entities()

    def table_info(self) -> Sequence[Row]:
        """What the store holds of every table, as columns of `_DebugTableInfo`."""
        return [
            {
                "name": table.name,
                "id": table.id,
                "batches_added": table.batches_added,
                "batches_expired": table.batches_expired,
                "bytes_added": table.bytes_added,
                "num_batches": table.batches + table.segments,
                "compacted_batches": table.compacted_batches,
                "size": table.hot_bytes,
                "cold_size": table.cold_bytes,
                "max_table_size": table.max_hot_bytes + table.max_cold_bytes,
                "min_time": table.min_time,
            }
            for table in self._store.stats()
        ]
