"""What an agent offers to queries: its store, its metadata and what it knows of itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from sylph.metadata.node import Node
from sylph.metadata.snapshot import Snapshots
from sylph.tables.declare import Table

if TYPE_CHECKING:
    import pyarrow as pa

    from sylph.store import Snapshot, Store
    from sylph.store.stats import TableStats


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

    def entities(self) -> Mapping[str, pa.Table]:
        """The metadata snapshot."""
        return self._snapshots.entities()

    def table_stats(self) -> list[TableStats]:
        """Size and age of every table."""
        return self._store.stats()
