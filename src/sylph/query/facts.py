"""What an agent tells of itself, by which a broker knows whose rows it cannot have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sylph.query.dataset import Dataset

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Facts:
    """What an agent tells of itself: its process entity, its short id and its host's name."""

    processes: pa.Table
    asid: int
    hostname: str


def facts_of(dataset: Dataset) -> Facts:
    """The facts of the agent that has this dataset."""
    constants = dataset.constants
    return Facts(dataset.entities()["process"], int(constants.get("asid", 0)), str(constants.get("hostname", "")))
