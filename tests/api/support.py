"""Handlers and batches that the API is tested with."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import grpc
import pyarrow as pa

from sylph.api.pb import vizierapi_pb2 as pb
from sylph.api.server import serve
from sylph.broker.local import LocalBroker
from sylph.pxl.errors import CompileError, Diagnostic, Kind
from sylph.query.answer import CancelToken, Health, QueryHandler, Result, Rows, ScriptRequest, Stats, TableMeta
from sylph.query.dataset import Dataset
from sylph.query.engine import Engine
from sylph.query.limits import Limits
from sylph.tables.types import ColumnType, DataType, SemanticType, arrow_schema

EXECUTE = "/px.api.vizierpb.VizierService/ExecuteScript"
RELATION = {
    "time_": ColumnType(DataType.TIME64NS, SemanticType.ST_TIME_NS),
    "upid": ColumnType(DataType.UINT128, SemanticType.ST_UPID),
    "ssl": ColumnType(DataType.BOOLEAN),
    "latency": ColumnType(DataType.INT64, SemanticType.ST_DURATION_NS),
    "rate": ColumnType(DataType.FLOAT64),
    "path": ColumnType(DataType.STRING),
}


def make_batch(rows: int, text: str = "/a") -> pa.RecordBatch:
    schema = arrow_schema(RELATION)
    columns = [
        pa.array([1_600_000_000_000_000_000 + i for i in range(rows)], pa.int64()),
        pa.array([i.to_bytes(16, "big") for i in range(rows)], pa.uuid()),
        pa.array([i % 2 == 0 for i in range(rows)]),
        pa.array([-i for i in range(rows)], pa.int64()),
        pa.array([i / 8 for i in range(rows)]),
        pa.array([f"{text}{i}" for i in range(rows)], pa.string()),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


class Handler:
    """Answers with what a test gives it: results, or a function of request and token."""

    def __init__(self, results: Sequence[Result] | Callable[[ScriptRequest, CancelToken], Iterator[Result]] = ()):
        self.results = results
        self.requests: list[ScriptRequest] = []
        self.status = Health(ok=True)

    def execute(self, request: ScriptRequest, cancel: CancelToken) -> Iterator[Result]:
        self.requests.append(request)
        if callable(self.results):
            yield from self.results(request, cancel)
        else:
            yield from self.results

    def health(self) -> Health:
        return self.status


def one_table(rows: int = 3) -> list[Result]:
    return [TableMeta("output", RELATION), Rows("output", make_batch(rows)), Stats(5, 7, 11, rows)]


@contextmanager
def serving(handler: QueryHandler, folder: Path) -> Iterator[Path]:
    """A server of what `handler` answers; its socket."""
    path = folder / "px.sock"
    server = serve(handler, unix=path)
    try:
        yield path
    finally:
        server.stop(0)


@contextmanager
def answering(data: Dataset, folder: Path) -> Iterator[Path]:
    """Compiler, plan, DuckDB and API over rows; the socket."""
    engine = Engine(data, threads=1)
    try:
        with serving(LocalBroker(engine, Limits(), lambda: ""), folder) as path:
            yield path
    finally:
        engine.close()


def execute(channel: grpc.Channel, script: str = "x", timeout: float = 20, **fields: object):
    call = channel.unary_stream(
        EXECUTE,
        request_serializer=pb.ExecuteScriptRequest.SerializeToString,
        response_deserializer=pb.ExecuteScriptResponse.FromString,
    )
    return call(pb.ExecuteScriptRequest(query_str=script, **fields), timeout=timeout)


def compile_error(line: int, column: int, message: str, hint: str = "") -> CompileError:
    return CompileError([Diagnostic(line, column, message, Kind.PARSER, hint)])
