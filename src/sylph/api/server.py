"""The gRPC server: a unix socket for the local user, and TCP with TLS and a key when asked."""

from __future__ import annotations

import ipaddress
import os
import socket
import stat
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from sylph._native import row_batch
from sylph.api import auth, stall, tls
from sylph.api.batches import MAX_BYTES
from sylph.api.cluster import cluster_info
from sylph.api.pb import cloudapi_pb2
from sylph.api.pb import vizierapi_pb2 as pb
from sylph.api.stall import StallWatch
from sylph.api.stream import Ended, answer
from sylph.query.answer import CancelToken, Code, QueryHandler
from sylph.query.limits import STREAMS

#: Health streams never end, so they may not take all workers.
MAX_HEALTH_STREAMS = 8
#: Calls that run at once on one listener, with room for those without end; more wait, and beyond MAX_CALLS are refused.
WORKERS = 16 + MAX_HEALTH_STREAMS + STREAMS
MAX_CALLS = 64
HEALTH_PERIOD_S = 5.0
#: sockaddr_un holds 108 bytes with the final zero.
_MAX_SOCKET_PATH = 107
#: gRPC sends the text of a status in a trailer, whose size is limited.
_MAX_STATUS_TEXT = 1000

_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_BYTES),
    ("grpc.max_send_message_length", 2 * MAX_BYTES),
    ("grpc.max_concurrent_streams", MAX_CALLS),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # Otherwise two servers could share a port, each answering half of the calls.
    ("grpc.so_reuseport", 0),
)
_CODES = {code.value[0]: code for code in grpc.StatusCode}


class ListenError(Exception):
    """An address that cannot be listened on, and what to do about it."""


@dataclass(frozen=True, slots=True)
class Tcp:
    """Where to listen on TCP. `port` 0 lets the system choose.

    Without `certificate` and `private_key` a self-signed pair is kept in `folder`. `plaintext` is for loopback only.
    """

    host: str
    port: int
    keys: Sequence[str]
    folder: Path
    certificate: Path | None = None
    private_key: Path | None = None
    plaintext: bool = False

    @property
    def address(self) -> str:
        """host:port, an IPv6 host in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Server:
    """A running server. `tcp_port` is the port listened on, or None."""

    def __init__(self, servers: Sequence[Any], unix: Path, tcp_port: int | None, service: _Service) -> None:
        self._servers = servers
        self._unix = unix
        self._inode = unix.stat().st_ino
        self._service = service
        self.tcp_port = tcp_port

    def stop(self, grace: float = 1.0) -> None:
        """Takes no more calls, gives running ones `grace` seconds, cancels the rest, removes the socket."""
        self._service.stopping.set()
        for stopped in [server.stop(grace) for server in self._servers]:
            stopped.wait(grace + 5)
        self._service.stalls.close()
        # gRPC removes it too; another server may already listen on the same path.
        if self._unix.exists() and self._unix.stat().st_ino == self._inode:
            self._unix.unlink()


class _Service:
    def __init__(self, handler: QueryHandler) -> None:
        self._handler = handler
        self._health_streams = threading.BoundedSemaphore(MAX_HEALTH_STREAMS)
        self.stopping = threading.Event()
        self.stalls = StallWatch(stall.LIMIT_S)

    def execute_script(self, request: pb.ExecuteScriptRequest, context: grpc.ServicerContext) -> Iterator[bytes]:
        cancel = CancelToken()
        if not context.add_callback(cancel.cancel):
            return
        try:
            yield from self.stalls.watched(answer(self._handler, request, cancel, row_batch), context.cancel)
        except Ended as ended:
            _abort(context, ended.code, ended.message)

    def health_check(
        self, _request: pb.HealthCheckRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.HealthCheckResponse]:
        gone = CancelToken()
        if not context.add_callback(gone.cancel):
            return
        if not self._health_streams.acquire(blocking=False):
            _abort(context, Code.RESOURCE_EXHAUSTED, f"{MAX_HEALTH_STREAMS} health streams are open already")
        try:
            while not self.stopping.is_set():
                health = self._handler.health()
                code = Code.OK if health.ok else Code.UNAVAILABLE
                yield pb.HealthCheckResponse(status=pb.Status(code=code, message=health.message))
                if gone.wait(HEALTH_PERIOD_S):
                    return
        finally:
            self._health_streams.release()

    def generate_otel_script(self, _request: object, context: grpc.ServicerContext) -> None:
        _abort(context, Code.UNIMPLEMENTED, "scripts cannot be rewritten for OpenTelemetry export yet")

    def get_cluster_info(
        self, request: cloudapi_pb2.GetClusterInfoRequest, _context: object
    ) -> cloudapi_pb2.GetClusterInfoResponse:
        return cluster_info(request, self._handler.health())

    def add_to(self, server: Any) -> None:
        vizier = {
            # The answer is serialised natively, so these messages are bytes already.
            "ExecuteScript": grpc.unary_stream_rpc_method_handler(
                self.execute_script, request_deserializer=pb.ExecuteScriptRequest.FromString
            ),
            "HealthCheck": grpc.unary_stream_rpc_method_handler(
                self.health_check,
                request_deserializer=pb.HealthCheckRequest.FromString,
                response_serializer=pb.HealthCheckResponse.SerializeToString,
            ),
            "GenerateOTelScript": grpc.unary_unary_rpc_method_handler(
                self.generate_otel_script,
                request_deserializer=pb.GenerateOTelScriptRequest.FromString,
                response_serializer=pb.GenerateOTelScriptResponse.SerializeToString,
            ),
        }
        clusters = {
            "GetClusterInfo": grpc.unary_unary_rpc_method_handler(
                self.get_cluster_info,
                request_deserializer=cloudapi_pb2.GetClusterInfoRequest.FromString,
                response_serializer=cloudapi_pb2.GetClusterInfoResponse.SerializeToString,
            ),
        }
        server.add_generic_rpc_handlers(
            (
                grpc.method_handlers_generic_handler("px.api.vizierpb.VizierService", vizier),
                grpc.method_handlers_generic_handler("px.cloudapi.VizierClusterInfo", clusters),
            )
        )


def _abort(context: grpc.ServicerContext, code: Code, message: str) -> None:
    context.abort(_CODES[int(code)], message[:_MAX_STATUS_TEXT] or code.name)


def _grpc_server(service: _Service, interceptors: Sequence[Any] = ()) -> Any:
    server = grpc.server(
        ThreadPoolExecutor(WORKERS, thread_name_prefix="api"),
        interceptors=interceptors,
        options=_OPTIONS,
        maximum_concurrent_rpcs=MAX_CALLS,
    )
    service.add_to(server)
    return server


def _clear_stale_socket(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise ListenError(f"{path} exists and is not a socket: remove it or choose another path")
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except OSError as error:
            raise ListenError(f"{path}: {error.strerror or error}") from error
    raise ListenError(f"another agent listens on {path} already: see px status, or end it with px down")


def _listen_unix(server: Any, path: Path) -> None:
    if len(os.fsencode(path)) > _MAX_SOCKET_PATH:
        raise ListenError(f"{path}: a socket's path may have {_MAX_SOCKET_PATH} bytes at most")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ListenError(f"cannot make {path.parent}: {error.strerror}") from error
    _clear_stale_socket(path)
    # Nobody else may connect, not even between bind and chmod.
    umask = os.umask(0o177)
    try:
        server.add_insecure_port(f"unix:{path}")
        path.chmod(0o600)
    except (RuntimeError, OSError) as error:
        raise ListenError(f"cannot listen on {path}: {error}") from error
    finally:
        os.umask(umask)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listen_tcp(server: Any, tcp: Tcp) -> int:
    try:
        if tcp.plaintext:
            if not _is_loopback(tcp.host):
                raise ListenError(f"{tcp.host} is not a loopback address: only there may TLS be left out")
            return int(server.add_insecure_port(tcp.address))
        if (tcp.certificate is None) != (tcp.private_key is None):
            raise ListenError("a certificate and its private key go together: give both or none")
        if tcp.certificate is not None and tcp.private_key is not None:
            certificate, key = tls.read_pair(tcp.certificate, tcp.private_key)
        else:
            certificate, key = tls.read_pair(*tls.self_signed(tcp.folder, tcp.host))
        return int(server.add_secure_port(tcp.address, grpc.ssl_server_credentials([(key, certificate)])))
    except tls.CertificateError as error:
        raise ListenError(str(error)) from error
    except RuntimeError as error:
        raise ListenError(
            f"cannot listen on {tcp.address}: the port is taken or not allowed; choose another"
        ) from error


def serve(handler: QueryHandler, *, unix: Path, tcp: Tcp | None = None) -> Server:
    """Starts to answer on a unix socket (0600), and on TCP when `tcp` is given; returns at once.

    Raises ListenError, with nothing left behind.
    """
    if tcp is not None and not tcp.keys:
        raise ListenError("TCP needs at least one key")
    service = _Service(handler)
    servers = [_grpc_server(service)]
    port = None
    _listen_unix(servers[0], unix)
    try:
        if tcp is not None:
            servers.append(_grpc_server(service, [auth.RequireKey(tcp.keys)]))
            port = _listen_tcp(servers[1], tcp)
    except ListenError:
        servers[0].stop(None).wait(5)
        unix.unlink(missing_ok=True)
        raise
    for server in servers:
        server.start()
    return Server(servers, unix, port, service)
