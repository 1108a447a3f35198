"""What a query reads: some batches and some segments that stay until it is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import pyarrow as pa

from sylph.store.segment import Segment


@dataclass(slots=True)
class Snapshot:
    """The rows of a table at one moment, each once, in `batches` or in `segments`; all of `schema`.

    Whole batches and segments: rows outside the asked time range may be among them. Segments stay on disk, and
    batches count to the memory budget, until `close`.
    """

    schema: pa.Schema
    batches: list[pa.RecordBatch]
    segments: list[Segment]
    _release: Callable[[], None] | None = field(repr=False)

    def close(self) -> None:
        """Let go of batches and segments; may be called again."""
        release, self._release = self._release, None
        self.batches, self.segments = [], []
        if release is not None:
            release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        # A snapshot that was forgotten must not hold its bytes for ever.
        if getattr(self, "_release", None) is not None:
            self.close()
