"""The wheel alone, in a clean environment without compilers, captures and answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "sylph"
UV = CACHE / "tools/bin/uv"

pytestmark = [pytest.mark.ebpf, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, as `make wheel` builds it."""
    out = tmp_path_factory.mktemp("dist")
    maturin = Path(sys.executable).with_name("maturin")
    done = subprocess.run(
        [str(maturin), "build", "--release", "--quiet", "--compatibility", "linux", "--out", str(out)],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "CARGO_TARGET_DIR": os.environ.get("CARGO_TARGET_DIR", str(CACHE / "target"))},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (built,) = out.glob("*.whl")
    return built


def test_it_holds_all_it_needs(wheel: Path) -> None:
    assert "-cp311-abi3-linux" in wheel.name
    names = zipfile.ZipFile(wheel).namelist()
    assert "sylph/_native.abi3.so" in names
    for package in ("px", "pxconfig", "pxtrace", "pxviews"):
        assert {f"{package}/__init__.py", f"{package}/py.typed"} <= set(names)
    assert "sylph/library/px/http_data/manifest.yaml" in names


def test_capture_to_query_without_compilers(wheel: Path, tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    subprocess.run([str(UV), "venv", "--quiet", "--python", sys.executable, str(venv)], check=True)
    requirements = tmp_path / "requirements.txt"
    requirements.write_text((ROOT / "requirements.lock").read_text())
    environment = {**os.environ, "VIRTUAL_ENV": str(venv)}
    subprocess.run(
        [str(UV), "pip", "install", "--quiet", str(wheel), "--constraints", str(requirements)],
        env=environment,
        check=True,
    )
    # Nothing but the environment's own programs on the path.
    clean = {
        "PATH": str(venv / "bin"),
        "PX_SOCKET": str(tmp_path / "px.sock"),
        "HOME": str(tmp_path),
        "LANG": "C.UTF-8",
    }
    px = str(venv / "bin/px")
    server = subprocess.Popen(
        [sys.executable, "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(tmp_path)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert server.stdout is not None
    try:
        port = server.stdout.readline().split(" port ")[1].split()[0]
        up = subprocess.run(
            [px, "up", "-d", "--data-dir", str(tmp_path / "data")],
            env=clean,
            capture_output=True,
            text=True,
            check=False,
        )
        assert up.returncode == 0, up.stderr
        try:
            subprocess.run(["curl", "-s", f"http://127.0.0.1:{port}/"], capture_output=True, check=True)
            script = (
                "import px\ndf = px.DataFrame(table='http_events', start_time='-1m')\n"
                f"df = df[df.local_port == {port}]\npx.display(df[['req_path', 'resp_status']])"
            )
            end = time.monotonic() + 5
            rows: list[dict[str, object]] = []
            while not rows and time.monotonic() < end:
                done = subprocess.run(
                    [px, "run", "-f", "-", "-o", "json"],
                    input=script,
                    env=clean,
                    capture_output=True,
                    text=True,
                    check=False,
                )
                assert done.returncode == 0, done.stderr
                rows = [json.loads(line) for line in done.stdout.splitlines()]
            assert [(row["req_path"], row["resp_status"]) for row in rows] == [("/", 200)]
        finally:
            down = subprocess.run([px, "down"], env=clean, capture_output=True, text=True, check=False)
            assert down.returncode == 0, down.stderr
    finally:
        server.kill()
        server.wait()
        server.stdout.close()
