"""How a table is declared: one `Table` per file, from which docs, `px/schemas` and builders follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sylph.tables.types import ColumnType, DataType, PatternType, Relation, SemanticType


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table. `enum` names the values of a GENERAL_ENUM integer column, where it has names."""

    name: str
    data: DataType
    semantic: SemanticType
    pattern: PatternType
    description: str
    enum: Mapping[int, str] | None = None

    @property
    def type(self) -> ColumnType:
        """Data and semantic type together."""
        return ColumnType(self.data, self.semantic)


@dataclass(frozen=True, slots=True)
class Table:
    """A table that agents fill.

    `source` is the connector that writes it; `share` its fraction of the store's budget (None: an equal part
    of what the others leave).
    """

    name: str
    description: str
    source: str
    columns: tuple[Column, ...]
    share: float | None = None
    relation: Relation = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        relation = {column.name: column.type for column in self.columns}
        if len(relation) != len(self.columns):
            raise ValueError(f"table {self.name!r} names a column twice")
        object.__setattr__(self, "relation", relation)
