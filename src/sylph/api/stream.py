"""One query's answer as the messages of ExecuteScript, in the order that clients rely on."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Generator, Iterator
from dataclasses import dataclass

from sylph.api.batches import Encoder, encode_rows, frame
from sylph.api.pb import vizierapi_pb2 as pb
from sylph.pxl.errors import CompileError
from sylph.query.answer import (
    CancelToken,
    Code,
    FunctionCall,
    QueryError,
    QueryHandler,
    QueryWarning,
    Rows,
    ScriptRequest,
    Stats,
    TableMeta,
)
from sylph.query.arrow import empty
from sylph.tables.types import Relation

log = logging.getLogger(__name__)


class Ended(Exception):  # noqa: N818  (not an error of ours: the rpc ends so)
    """The answer ended early; the client has been told in a message of the stream."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def request_of(message: pb.ExecuteScriptRequest) -> ScriptRequest:
    """The request that a message asks for. Raises QueryError when it cannot be served."""
    if message.query_id:
        raise QueryError(
            Code.NOT_FOUND,
            f"query {message.query_id} is not running: an answer cannot be taken up again, run the script anew",
        )
    calls = tuple(
        FunctionCall(
            call.func_name, call.output_table_prefix, {argument.name: argument.value for argument in call.arg_values}
        )
        for call in message.exec_funcs
    )
    return ScriptRequest(
        script=message.query_str,
        calls=calls,
        mutation=message.mutation,
        name=message.query_name,
    )


@dataclass(slots=True)
class _Output:
    table_id: str
    relation: Relation
    ended: bool = False
    live: bool = False


class _Answer:
    def __init__(self, query_id: str, encode: Encoder) -> None:
        self._query_id = query_id
        self._id_bytes = query_id.encode()
        self._encode = encode
        self._outputs: dict[str, _Output] = {}
        self._rows_began = False
        self._rows = 0
        self._bytes = 0
        self._warnings: list[str] = []
        self._stats: Stats | None = None

    def results(self, handler: QueryHandler, request: ScriptRequest, cancel: CancelToken) -> Iterator[bytes]:
        results = handler.execute(request, cancel)
        try:
            for result in results:
                cancel.check()
                match result:
                    case TableMeta():
                        yield self._announce(result)
                    case Rows():
                        yield from self._send(result)
                    case QueryWarning():
                        yield from self._warn(result.message)
                    case Stats():
                        self._stats = result
        finally:
            # A generator frees what the query holds now, not when it is collected.
            if isinstance(results, Generator):
                results.close()

    def _warn(self, message: str) -> Iterator[bytes]:
        """Warnings go with the statistics; those of a stream, which may never come to that, with a batch of no rows."""
        output = next((output for output in self._outputs.values() if output.live and not output.ended), None)
        if output is None:
            self._warnings.append(message)
            return
        batch = frame(self._id_bytes, self._encode(empty(output.relation), output.table_id, True, False))
        # Messages one behind the other are one message.
        yield batch + pb.ExecuteScriptResponse(status=pb.Status(message=message)).SerializeToString()

    def _announce(self, meta: TableMeta) -> bytes:
        if self._rows_began:
            raise RuntimeError(f"table {meta.name!r} was announced after rows were sent")
        if meta.name in self._outputs:
            raise QueryError(Code.INVALID_ARGUMENT, f"two output tables are named {meta.name!r}")
        output = self._outputs[meta.name] = _Output(str(uuid.uuid4()), meta.relation)
        columns = [
            pb.Relation.ColumnInfo(
                column_name=name,
                column_type=pb.DataType.ValueType(column.data),
                column_semantic_type=pb.SemanticType.ValueType(column.semantic),
            )
            for name, column in meta.relation.items()
        ]
        metadata = pb.QueryMetadata(name=meta.name, id=output.table_id, relation=pb.Relation(columns=columns))
        return pb.ExecuteScriptResponse(query_id=self._query_id, meta_data=metadata).SerializeToString()

    def _send(self, rows: Rows) -> Iterator[bytes]:
        self._rows_began = True
        output = self._outputs[rows.name]
        if output.ended:
            raise RuntimeError(f"table {rows.name!r} got rows after its last ones")
        output.ended, output.live = rows.last, rows.live
        self._rows += rows.batch.num_rows
        for encoded in encode_rows(rows.batch, output.table_id, self._encode, last=rows.last, live=rows.live):
            self._bytes += len(encoded)
            yield frame(self._id_bytes, encoded)

    def end(self, elapsed_ns: int) -> Iterator[bytes]:
        """The end of every table that has none yet, then the statistics."""
        for output in self._outputs.values():
            if not output.ended:
                yield frame(self._id_bytes, self._encode(empty(output.relation), output.table_id, True, True))
        stats = self._stats or Stats(execution_ns=elapsed_ns, bytes=self._bytes, records=self._rows)
        response = pb.ExecuteScriptResponse(
            query_id=self._query_id,
            data=pb.QueryData(
                execution_stats=pb.QueryExecutionStats(
                    timing=pb.QueryTimingInfo(
                        execution_time_ns=stats.execution_ns, compilation_time_ns=stats.compile_ns
                    ),
                    bytes_processed=stats.bytes,
                    records_processed=stats.records,
                )
            ),
        )
        if self._warnings:
            # The protocol has no place for warnings; code 0 with a message is ignored by those who know none.
            response.status.message = "\n".join(self._warnings)
        yield response.SerializeToString()


def failure(query_id: str, error: Exception) -> tuple[bytes, Ended]:
    """The message that tells a client of `error`, and how the rpc ends after it."""
    status = pb.Status()
    match error:
        case CompileError():
            status.code = Code.INVALID_ARGUMENT
            status.message = "the script does not compile"
            for one in error.errors:
                message = f"{one.message}\nhelp: {one.hint}" if one.hint else one.message
                status.error_details.add().compiler_error.CopyFrom(
                    pb.CompilerError(line=one.line, column=one.column, message=message)
                )
        case QueryError():
            status.code = error.code
            status.message = error.message
        case _:
            status.code = Code.INTERNAL
            status.message = f"internal error, see the agent's log: {type(error).__name__}: {error}"
    response = pb.ExecuteScriptResponse(query_id=query_id, status=status)
    return response.SerializeToString(), Ended(Code(status.code), status.message)


def answer(
    handler: QueryHandler, message: pb.ExecuteScriptRequest, cancel: CancelToken, encode: Encoder
) -> Iterator[bytes]:
    """Serialised ExecuteScriptResponses of one query. Raises Ended after the message of an error.

    Order: all meta_data; rows; for every table exactly one batch with eow and eos; execution_stats.
    """
    query_id = str(uuid.uuid4())
    try:
        request = request_of(message)
        began = time.monotonic_ns()
        output = _Answer(query_id, encode)
        yield from output.results(handler, request, cancel)
        yield from output.end(time.monotonic_ns() - began)
    except Exception as error:  # whatever goes wrong in a query must not end the agent
        told, ended = failure(query_id, error)
        if ended.code == Code.INTERNAL:
            log.error("query %s %s failed", query_id, message.query_name, exc_info=error)
    else:
        return
    yield told
    raise ended
