"""A client of the public API. Imports grpc and the messages, and nothing heavier."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

from sylph.client.errors import AgentUnavailable, ErrorAt, QueryFailed, ScriptErrors, SylphError
from sylph.client.interrupts import deferred
from sylph.client.scripts import Call
from sylph.client.target import Target
from sylph.client.text import decode
from sylph.client.values import Column, Value

#: Larger than what any server sends in one message.
_MAX_MESSAGE = 64 * 2**20
_VIZIER = "/px.api.vizierpb.VizierService"
_CLUSTERS = "/px.cloudapi.VizierClusterInfo"


@dataclass(frozen=True, slots=True)
class Table:
    """Announces a table of the answer."""

    name: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of a table, column by column; `last` when no more come.

    `live`: the table is a stream, and more may come at any time. Its warnings come with rows.
    """

    table: str
    columns: list[list[Value]]
    last: bool
    live: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """The end of an answer."""

    execution_ns: int
    compile_ns: int
    bytes: int
    records: int
    warnings: tuple[str, ...]


Event = Table | Rows | Done


def not_running(path: object) -> AgentUnavailable:
    """The message for an agent that does not run."""
    return AgentUnavailable(f"no agent runs here: nothing answers on {path}", "start it with: px up -d")


def is_listening(path: object) -> bool:
    """Whether something accepts connections on a unix socket. Raises AgentUnavailable when one may not connect."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(2)
        try:
            probe.connect(str(path))
        except PermissionError:
            raise AgentUnavailable(
                f"{path} belongs to another user", "run px as the user who started the agent (such as sudo px)"
            ) from None
        except OSError:
            return False
    return True


class Client:
    """A connection to one agent. Raises AgentUnavailable where there is none, SylphError for a wrong target."""

    def __init__(self, target: Target) -> None:
        if not target.address and not is_listening(target.path):
            raise not_running(target.path)
        self.where = target.address or str(target.path)
        self._channel, self._metadata = _connect(target)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Cancels what still runs and disconnects."""
        self._channel.close()

    def execute(
        self,
        script: str,
        calls: Sequence[Call] = (),
        *,
        mutation: bool = False,
        name: str = "",
        timeout: float | None = None,
    ) -> Iterator[Event]:
        """Runs a script; yields every Table, then Rows, then Done. Closing the iterator cancels the query.

        Raises ScriptErrors when the script does not compile and QueryFailed for all else.
        """
        from sylph.api.pb import vizierapi_pb2 as pb

        request = pb.ExecuteScriptRequest(query_str=script, mutation=mutation, query_name=name)
        for call in calls:
            function = request.exec_funcs.add(func_name=call.function, output_table_prefix=call.output)
            for argument, value in call.arguments.items():
                function.arg_values.add(name=argument, value=value)
        call = self._channel.unary_stream(
            f"{_VIZIER}/ExecuteScript",
            request_serializer=pb.ExecuteScriptRequest.SerializeToString,
            response_deserializer=pb.ExecuteScriptResponse.FromString,
        )
        stream = None
        try:
            # A call that was begun but is not known yet could not be cancelled.
            with deferred():
                stream = call(request, metadata=self._metadata, timeout=timeout)
            yield from self._events(stream)
        finally:
            if stream is not None:
                stream.cancel()

    def _events(self, stream: Any) -> Iterator[Event]:
        names: dict[str, str] = {}
        for message in self._guarded(stream):
            status = message.status
            if status.code:
                if status.error_details:
                    raise ScriptErrors([_error(detail.compiler_error) for detail in status.error_details])
                raise QueryFailed(status.code, status.message)
            kind = message.WhichOneof("result")
            if kind == "meta_data":
                meta = message.meta_data
                names[meta.id] = meta.name
                yield Table(
                    meta.name,
                    tuple(
                        Column(column.column_name, column.column_type, column.column_semantic_type)
                        for column in meta.relation.columns
                    ),
                )
            elif kind == "data" and message.data.HasField("batch"):
                batch = message.data.batch
                columns = [_column(column) for column in batch.cols]
                warnings = tuple(filter(None, status.message.split("\n")))
                yield Rows(names[batch.table_id], columns, batch.eos, batch.eow and not batch.eos, warnings)
            elif kind == "data" and message.data.HasField("execution_stats"):
                stats = message.data.execution_stats
                yield Done(
                    stats.timing.execution_time_ns,
                    stats.timing.compilation_time_ns,
                    stats.bytes_processed,
                    stats.records_processed,
                    tuple(filter(None, status.message.split("\n"))),
                )

    def health(self) -> str:
        """Empty when the agent can answer queries, otherwise why not."""
        from sylph.api.pb import vizierapi_pb2 as pb

        stream = self._channel.unary_stream(
            f"{_VIZIER}/HealthCheck",
            request_serializer=pb.HealthCheckRequest.SerializeToString,
            response_deserializer=pb.HealthCheckResponse.FromString,
        )(pb.HealthCheckRequest(), metadata=self._metadata, timeout=5)
        try:
            for message in self._guarded(stream):
                return (message.status.message or "not healthy") if message.status.code else ""
        finally:
            stream.cancel()
        return "the agent ended the connection"

    def cluster(self) -> Any:
        """The ClusterInfo of the host that answers."""
        from sylph.api.pb import cloudapi_pb2

        call = self._channel.unary_unary(
            f"{_CLUSTERS}/GetClusterInfo",
            request_serializer=cloudapi_pb2.GetClusterInfoRequest.SerializeToString,
            response_deserializer=cloudapi_pb2.GetClusterInfoResponse.FromString,
        )
        (response,) = self._guarded(
            call(cloudapi_pb2.GetClusterInfoRequest(), metadata=self._metadata, timeout=5) for _ in range(1)
        )
        return response.clusters[0]

    def _guarded(self, messages: Iterator[Any]) -> Iterator[Any]:
        """The messages of a call; gRPC's errors become QueryFailed."""
        import grpc

        try:
            yield from messages
        except grpc.RpcError as error:
            code, details = error.code(), error.details() or ""
            hint = ""
            if code is grpc.StatusCode.UNAVAILABLE:
                details = f"the connection to {self.where} failed: {details}"
                hint = "see whether the agent runs: px status"
            elif code is grpc.StatusCode.UNAUTHENTICATED:
                hint = "give the agent's key with --direct_vizier_key or PX_DIRECT_VIZIER_KEY"
            elif code is grpc.StatusCode.DEADLINE_EXCEEDED:
                details = "no answer in time"
            raise QueryFailed(code.value[0], details or code.name, hint) from None


def _connect(target: Target) -> tuple[Any, tuple[tuple[str, str], ...]]:
    # gRPC's core would write its own log lines to standard error.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    import grpc

    options = (("grpc.max_receive_message_length", _MAX_MESSAGE), ("grpc.enable_retries", 0))
    if not target.address:
        # The authority would otherwise be the path, which HTTP/2 does not allow.
        local = (*options, ("grpc.default_authority", "localhost"))
        return grpc.insecure_channel(f"unix:{target.path}", options=local), ()
    if not target.key:
        raise SylphError("--direct_vizier_addr needs --direct_vizier_key", "PX_DIRECT_VIZIER_KEY is read too")
    metadata = (("pixie-api-key", target.key), ("x-direct-vizier-key", target.key))
    if target.insecure:
        host = target.address.rpartition(":")[0].strip("[]")
        if host not in {"localhost", "::1"} and not host.startswith("127."):
            raise SylphError(f"without TLS the key would travel readable to {host}", "unset PX_DISABLE_TLS")
        return grpc.insecure_channel(target.address, options=options), metadata
    try:
        trusted = target.ca.read_bytes() if target.ca else None
    except OSError as error:
        raise SylphError(f"{target.ca}: {error.strerror}") from None
    return grpc.secure_channel(target.address, grpc.ssl_channel_credentials(trusted), options=options), metadata


def _error(told: Any) -> ErrorAt:
    """An error as the agent tells it, the hint in the message's last line."""
    message, _, hint = told.message.partition("\nhelp: ")
    return ErrorAt(told.line, told.column, message, hint)


def _column(column: Any) -> list[Value]:
    match column.WhichOneof("col_data"):
        case "string_data":
            try:
                return [str(raw, "utf-8") for raw in column.string_data.data]
            except UnicodeDecodeError:
                return [decode(raw) for raw in column.string_data.data]
        case "int64_data":
            return list(column.int64_data.data)
        case "time64ns_data":
            return list(column.time64ns_data.data)
        case "float64_data":
            return list(column.float64_data.data)
        case "boolean_data":
            return list(column.boolean_data.data)
        case "uint128_data":
            # A process has many rows.
            known = _UuidTexts()
            return [known[value.high, value.low] for value in column.uint128_data.data]
    return []


class _UuidTexts(dict[tuple[int, int], str]):
    """Texts of UUIDs by their halves, each made once."""

    def __missing__(self, halves: tuple[int, int]) -> str:
        text = f"{halves[0]:016x}{halves[1]:016x}"
        self[halves] = made = f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
        return made
