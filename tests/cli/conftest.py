import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.api.support import Handler, one_table, serving

SOURCE = Path(__file__).parents[2] / "src"


def environment(**extra: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PX_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**kept, "PYTHONPATH": str(SOURCE), **extra}


@pytest.fixture
def handler() -> Handler:
    return Handler(one_table())


@pytest.fixture
def agent(handler, tmp_path) -> Iterator[Path]:
    """A running server; its socket."""
    with serving(handler, tmp_path) as path:
        yield path


@pytest.fixture
def px(tmp_path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `px` with this test's socket; `before` is put before the command, such as setpriv."""

    def run(
        *arguments: str, stdin: str = "", before: Sequence[str] = (), **extra: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*before, sys.executable, "-m", "sylph.cli.main", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            env=environment(PX_SOCKET=str(tmp_path / "px.sock"), **extra),
        )

    return run


@pytest.fixture
def script(tmp_path) -> str:
    path = tmp_path / "my.pxl"
    path.write_text("import px\npx.display(px.DataFrame('http_events'))\n")
    return str(path)
