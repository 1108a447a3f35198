"""Pixie's own Python client, unmodified, asks this server."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from sylph.api.server import Tcp, serve
from sylph.query.answer import Code, QueryError, Rows, TableMeta
from tests.api.descriptors import described
from tests.api.support import RELATION, compile_error, make_batch, one_table

VERSION = "0.9.0"
KEY = "px-api-0c5b3a6e-0000-4000-8000-000000000001"


@pytest.fixture(scope="session")
def pxapi_python() -> Path:
    """Interpreter of an environment that holds pxapi and its own versions of grpc and protobuf."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "sylph/pxapi-venv"
    python = cache / "bin/python"
    marker = cache / f"pxapi-{VERSION}"
    if not marker.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", cache], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", f"pxapi=={VERSION}"], check=True, timeout=100)
        marker.touch()
    return python


def answer(request, _cancel):
    match request.script:
        case "two tables":
            yield TableMeta("a", RELATION)
            yield TableMeta("b", RELATION)
            yield Rows("a", make_batch(7))
            # Larger than the 4 MiB that this client takes in one message.
            yield Rows("b", make_batch(60_000, "/long" * 20))
        case "fail":
            yield TableMeta("output", RELATION)
            raise QueryError(Code.RESOURCE_EXHAUSTED, "too much memory")
        case script if "wrong" in script:
            raise compile_error(line=2, column=7, message="SyntaxError: '(' was never closed")
        case _:
            yield from one_table(3)


@pytest.mark.parametrize("transport", ["unix", "tcp"])
def test_pixies_python_client_is_answered(pxapi_python, handler, tmp_path, transport):
    handler.results = answer
    unix = tmp_path / "px.sock"
    server = serve(handler, unix=unix, tcp=Tcp("127.0.0.1", 0, (KEY,), tmp_path, plaintext=True))
    address = f"unix:{unix}" if transport == "unix" else f"127.0.0.1:{server.tcp_port}"
    client = Path(__file__).parent / "pxapi_client.py"
    try:
        ran = subprocess.run(
            [pxapi_python, client, address, KEY], capture_output=True, text=True, timeout=60, check=False
        )
    finally:
        server.stop(0)
    assert ran.returncode == 0, ran.stderr
    out = json.loads(ran.stdout)
    assert out["cluster"] == socket.gethostname()
    assert out["rows"] == [
        [
            str(1600000000000000000 + i),
            f"00000000-0000-0000-0000-00000000000{i}",
            str(i % 2 == 0),
            str(-i),
            str(i / 8),
            f"b'/a{i}'",
        ]
        for i in range(3)
    ]
    assert out["counts"] == {"a": 7, "b": 60_000}
    kind, text = out["compile"]
    assert kind == "PxLError"
    assert "never closed" in text
    assert "wrong(" in text
    kind, text = out["query"]
    assert kind == "ValueError"
    assert "too much memory" in text


def test_messages_are_those_of_pixies_clients(pxapi_python):
    program = Path(__file__).parent / "descriptors.py"
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ran = subprocess.run(
        [pxapi_python, program, "pxapi.proto"], capture_output=True, text=True, check=True, timeout=60, env=environ
    )
    theirs = json.loads(ran.stdout)
    ours = described("sylph.api.pb")
    assert len(ours) > 190
    assert {name: value for name, value in theirs.items() if name in ours} == ours
    left_out = [name for name in theirs if name.startswith("px.api.vizierpb.") and name not in ours]
    # The debug service: logs and states of a cluster's pods.
    allowed = ("Debug", "VizierDebugService", "VizierPodStatus", "ContainerStatus", "ContainerState", "PodPhase")
    assert all(name.removeprefix("px.api.vizierpb.").startswith(allowed) for name in left_out)
