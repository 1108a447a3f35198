import os
import socket
import stat
import subprocess
import sys
import time

import grpc
import pytest

from sylph.api.auth import KeyFileError, Keys, key_of, make_keys, read_keys
from sylph.api.pb import cloudapi_pb2
from sylph.api.pb import vizierapi_pb2 as pb
from sylph.api.server import MAX_HEALTH_STREAMS, ListenError, Tcp, serve
from sylph.query.answer import Health
from tests.api.support import execute

KEY = "px-api-0c5b3a6e-0000-4000-8000-000000000001"


def health(channel: grpc.Channel):
    call = channel.unary_stream(
        "/px.api.vizierpb.VizierService/HealthCheck",
        request_serializer=pb.HealthCheckRequest.SerializeToString,
        response_deserializer=pb.HealthCheckResponse.FromString,
    )
    return call(pb.HealthCheckRequest(), timeout=10)


def clusters(channel: grpc.Channel, request: cloudapi_pb2.GetClusterInfoRequest, **options: object):
    call = channel.unary_unary(
        "/px.cloudapi.VizierClusterInfo/GetClusterInfo",
        request_serializer=cloudapi_pb2.GetClusterInfoRequest.SerializeToString,
        response_deserializer=cloudapi_pb2.GetClusterInfoResponse.FromString,
    )
    return call(request, timeout=10, **options).clusters


def test_the_socket_is_for_its_owner_only_and_goes_away(handler, tmp_path):
    path = tmp_path / "deep" / "px.sock"
    server = serve(handler, unix=path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    server.stop(0)
    assert not path.exists()


def test_a_second_server_does_not_take_the_socket(server, handler, tmp_path):
    with pytest.raises(ListenError, match="another agent listens"):
        serve(handler, unix=tmp_path / "px.sock")
    with grpc.insecure_channel(f"unix:{tmp_path}/px.sock") as channel:
        assert list(execute(channel))


def test_a_socket_left_by_a_dead_server_is_replaced(handler, tmp_path):
    path = tmp_path / "px.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(os.fspath(path))
    serve(handler, unix=path).stop(0)


def test_other_files_and_long_paths_are_refused(handler, tmp_path):
    path = tmp_path / "px.sock"
    path.write_text("precious")
    with pytest.raises(ListenError, match="not a socket"):
        serve(handler, unix=path)
    assert path.read_text() == "precious"
    with pytest.raises(ListenError, match="107 bytes"):
        serve(handler, unix=tmp_path / ("x" * 100) / "px.sock")


def test_health_says_what_the_handler_says(channel, handler):
    assert next(iter(health(channel))).status.code == 0
    handler.status = Health(ok=False, message="starting")
    status = next(iter(health(channel))).status
    assert (status.code, status.message) == (14, "starting")


def test_health_streams_leave_room_for_queries(channel):
    streams = [health(channel) for _ in range(MAX_HEALTH_STREAMS)]
    for stream in streams:
        next(iter(stream))
    with pytest.raises(grpc.RpcError) as caught:
        next(iter(health(channel)))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert list(execute(channel))
    for stream in streams:
        stream.cancel()


def test_this_host_is_the_one_cluster(channel):
    (cluster,) = clusters(channel, cloudapi_pb2.GetClusterInfoRequest())
    assert cluster.status == cloudapi_pb2.CS_HEALTHY
    assert cluster.pretty_cluster_name == socket.gethostname()
    assert len(clusters(channel, cloudapi_pb2.GetClusterInfoRequest(id=cluster.id))) == 1
    cluster.id.low_bits ^= 1
    assert not clusters(channel, cloudapi_pb2.GetClusterInfoRequest(id=cluster.id))


def test_what_is_not_there_says_so(channel):
    call = channel.unary_unary(
        "/px.api.vizierpb.VizierService/GenerateOTelScript",
        request_serializer=pb.GenerateOTelScriptRequest.SerializeToString,
        response_deserializer=pb.GenerateOTelScriptResponse.FromString,
    )
    with pytest.raises(grpc.RpcError) as caught:
        call(pb.GenerateOTelScriptRequest(pxl_script="x"), timeout=5)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.fixture
def tls_port(handler, tmp_path):
    tcp = Tcp("127.0.0.1", 0, (KEY,), tmp_path / "tls")
    server = serve(handler, unix=tmp_path / "px.sock", tcp=tcp)
    yield server.tcp_port
    server.stop(0)


@pytest.mark.parametrize(
    "metadata",
    [[("pixie-api-key", KEY)], [("x-direct-vizier-key", KEY)], [("authorization", f"bearer {KEY}")]],
)
@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_tcp_takes_tls_with_a_key(tls_port, tmp_path, metadata, compression):
    credentials = grpc.ssl_channel_credentials((tmp_path / "tls/server.crt").read_bytes())
    with grpc.secure_channel(f"localhost:{tls_port}", credentials, compression=compression) as channel:
        assert clusters(channel, cloudapi_pb2.GetClusterInfoRequest(), metadata=metadata)


@pytest.mark.parametrize("metadata", [[], [("pixie-api-key", KEY[:-1])], [("authorization", f"basic {KEY}")]])
def test_tcp_refuses_all_others(tls_port, tmp_path, handler, metadata):
    credentials = grpc.ssl_channel_credentials((tmp_path / "tls/server.crt").read_bytes())
    with grpc.secure_channel(f"localhost:{tls_port}", credentials) as channel:
        with pytest.raises(grpc.RpcError) as caught:
            clusters(channel, cloudapi_pb2.GetClusterInfoRequest(), metadata=metadata)
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
        call = channel.unary_stream("/px.api.vizierpb.VizierService/ExecuteScript")
        with pytest.raises(grpc.RpcError) as caught:
            list(call(b"", metadata=metadata, timeout=5))
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert not handler.requests


def test_tls_does_not_talk_plaintext(tls_port):
    with grpc.insecure_channel(f"127.0.0.1:{tls_port}") as channel, pytest.raises(grpc.RpcError):
        clusters(channel, cloudapi_pb2.GetClusterInfoRequest(), metadata=[("pixie-api-key", KEY)])


def test_plaintext_is_for_loopback_only_and_still_needs_a_key(handler, tmp_path):
    unix = tmp_path / "px.sock"
    with pytest.raises(ListenError, match="not a loopback"):
        serve(handler, unix=unix, tcp=Tcp("0.0.0.0", 0, (KEY,), tmp_path, plaintext=True))
    assert not unix.exists()
    server = serve(handler, unix=unix, tcp=Tcp("127.0.0.1", 0, (KEY,), tmp_path, plaintext=True))
    with grpc.insecure_channel(f"127.0.0.1:{server.tcp_port}") as channel:
        with pytest.raises(grpc.RpcError):
            clusters(channel, cloudapi_pb2.GetClusterInfoRequest())
        assert clusters(channel, cloudapi_pb2.GetClusterInfoRequest(), metadata=[("pixie-api-key", KEY)])
    server.stop(0)


def test_a_taken_port_leaves_nothing_behind(handler, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        tcp = Tcp("127.0.0.1", taken.getsockname()[1], (KEY,), tmp_path, plaintext=True)
        with pytest.raises(ListenError, match="port is taken"):
            serve(handler, unix=tmp_path / "px.sock", tcp=tcp)
    assert not (tmp_path / "px.sock").exists()


def test_no_key_no_tcp(handler, tmp_path):
    with pytest.raises(ListenError, match="at least one key"):
        serve(handler, unix=tmp_path / "px.sock", tcp=Tcp("127.0.0.1", 0, (), tmp_path))


def test_a_certificate_needs_its_key(handler, tmp_path):
    tcp = Tcp("127.0.0.1", 0, (KEY,), tmp_path, certificate=tmp_path / "x.crt")
    with pytest.raises(ListenError, match="give both or none"):
        serve(handler, unix=tmp_path / "px.sock", tcp=tcp)


def test_key_files(tmp_path):
    path = tmp_path / "keys"
    key = make_keys(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_keys(path) == (key,)
    path.write_text(f"# of the team\n{KEY}  # laptop\n\nother\n")
    assert read_keys(path) == (KEY, "other")
    path.chmod(0o640)
    with pytest.raises(KeyFileError, match="chmod 600"):
        read_keys(path)
    path.chmod(0o600)
    path.write_text("# none\n")
    with pytest.raises(KeyFileError, match="no key in it"):
        read_keys(path)
    with pytest.raises(KeyFileError, match="cannot read"):
        read_keys(tmp_path / "absent")


def test_keys_and_metadata():
    keys = Keys(["a", "b"])
    assert "a" in keys
    assert "b" in keys
    assert "ab" not in keys
    assert key_of([("x", "y"), ("authorization", "Bearer  k ")]) == "k"
    assert key_of([("authorization", "k")]) is None
    assert key_of([]) is None


def test_messages_of_a_client_process_that_dies_cancel_its_query(handler, server, tmp_path):
    seen = []

    def results(_request, cancel):
        seen.append(cancel)
        cancel.wait(120)
        yield from ()

    handler.results = results
    script = (
        "import grpc,sys\n"
        f"c=grpc.insecure_channel('unix:{tmp_path}/px.sock')\n"
        "list(c.unary_stream('/px.api.vizierpb.VizierService/ExecuteScript')(b''))\n"
    )
    client = subprocess.Popen([sys.executable, "-c", script])
    deadline = time.monotonic() + 60
    while not seen and time.monotonic() < deadline:
        time.sleep(0.01)
    # Nothing but its client's death ends the query: it goes on while that lives.
    assert not seen[0].wait(0.3)
    assert client.poll() is None
    client.kill()
    client.wait()
    assert seen[0].wait(30)
