from collections.abc import Mapping
from os import PathLike
from types import TracebackType
from typing import Protocol, Self, TypedDict

class _Schema(Protocol):
    def __arrow_c_schema__(self) -> object: ...

class _RecordBatch(Protocol):
    def __arrow_c_array__(self, requested_schema: object | None = ...) -> tuple[object, object]: ...

class ArrowBatch:
    @property
    def num_rows(self) -> int: ...
    @property
    def nbytes(self) -> int: ...
    def __len__(self) -> int: ...
    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]: ...
    def __arrow_c_schema__(self) -> object: ...

class ProgramProbe(TypedDict):
    object: str
    name: str
    section: str
    refused: str | None

class Probe(TypedDict):
    kernel: str
    btf: bool
    missing_capabilities: list[str]
    programs: list[ProgramProbe]
    chosen: str | None
    advice: list[str]

class CaptureError(RuntimeError): ...

class Capture:
    def __init__(
        self,
        schemas: Mapping[str, _Schema],
        *,
        method: str = "auto",
        asid: int,
        ring_bytes: int = ...,
        event_bytes: int = ...,
        message_bytes: int = ...,
        max_body_bytes: int = 512,
        trace_clients: bool = False,
        memory: int = ...,
        max_connections: int = 65_536,
        conn_stats_period: float = 10.0,
        record: str | PathLike[str] | None = None,
        record_bytes: int = ...,
    ) -> None: ...
    @property
    def method(self) -> str: ...
    @property
    def fallback(self) -> str | None: ...
    @property
    def programs(self) -> list[str]: ...
    @property
    def tables(self) -> list[str]: ...
    def poll(self, timeout: float) -> list[tuple[str, ArrowBatch]]: ...
    def processes(self) -> list[tuple[str, int, int, int, int, str, str, int, int]]: ...
    def stats(self) -> dict[str, int]: ...
    def stop(self) -> None: ...
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...

def row_batch(batch: _RecordBatch, table_id: str, eow: bool, eos: bool) -> bytes: ...
def kernel(name: str, batch: _RecordBatch) -> ArrowBatch: ...
def probe() -> Probe: ...
def check_machine() -> None: ...
