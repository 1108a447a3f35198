"""The metadata snapshot, entry by entry."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sylph.plan.expressions import LiteralValue
from sylph.query.dataset import Dataset
from sylph.tables.entities import ENTITIES
from sylph.tables.rows import Row


def with_prefix(dataset: Dataset, arguments: Mapping[str, LiteralValue]) -> list[Row]:
    """`_DebugMDGetWithPrefix`: keys are `/pod/<pod_id>` and so on, values JSON, whatever `proto` is."""
    prefix = str(arguments["prefix"])
    rows: list[Row] = []
    for name, table in sorted(dataset.entities().items()):
        start = f"/{name}/"
        if not (start.startswith(prefix) or prefix.startswith(start)):
            continue
        identity = next(iter(ENTITIES[name]))
        for entry in table.to_pylist():
            key = f"{start}{entry[identity]}"
            if key.startswith(prefix):
                rows.append({"key": key, "value": json.dumps(entry, default=str, ensure_ascii=False)})
    return rows


PROVIDERS = {"_DebugMDGetWithPrefix": with_prefix}
