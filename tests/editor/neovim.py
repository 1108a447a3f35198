"""Neovim as its user has it: a process of its own, keys typed, what it shows read back."""

import functools
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cli.conftest import environment

TIMEOUT_S = 60
PAGE = Path(__file__).parents[2] / "docs" / "pxl" / "editors.md"


@functools.cache
def version() -> tuple[int, int] | None:
    """(major, minor) of the Neovim on PATH; None without one."""
    program = shutil.which("nvim")
    if program is None:
        return None
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=TIMEOUT_S).stdout
    found = re.search(r"NVIM v(\d+)\.(\d+)", said)
    assert found, said
    return int(found[1]), int(found[2])


def documented_settings() -> str:
    """What docs/pxl/editors.md tells users of this version to put into their init.lua."""
    newer, older, both = re.findall(r"^```lua\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return (newer if (version() or (0, 0)) >= (0, 11) else older) + both


class Neovim:
    """A running Neovim. `ask` evaluates an expression of Vim's, `type` sends keys."""

    def __init__(self, folder: Path, file: Path) -> None:
        for name in ("bin", "home"):
            (folder / name).mkdir()
        px = folder / "bin" / "px"
        px.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m sylph.cli.main "$@"\n')
        px.chmod(0o755)
        (folder / "init.lua").write_text(documented_settings())
        self.socket = folder / "nvim.sock"
        self.environment = environment(HOME=str(folder / "home"), PATH=f"{folder / 'bin'}:{os.environ['PATH']}")
        for name in [one for one in self.environment if one.startswith(("XDG_", "NVIM", "VIM"))]:
            del self.environment[name]
        self.said = (folder / "said").open("w+b")
        self.process = subprocess.Popen(
            ["nvim", "--headless", "-n", "-i", "NONE", "-u", folder / "init.lua", "--listen", self.socket, file],
            stdin=subprocess.DEVNULL,
            stdout=self.said,
            stderr=self.said,
            env=self.environment,
        )
        self.until("v:vim_did_enter", bool)

    def ask(self, expression: str) -> Any:
        """The value of an expression. Raises `LookupError` while there is none, such as at start."""
        done = subprocess.run(
            ["nvim", "--server", self.socket, "--remote-expr", f"json_encode({expression})"],
            capture_output=True,
            text=True,
            env=self.environment,
            timeout=TIMEOUT_S,
            check=False,
        )
        # Older ones print it among errors.
        answer = done.stdout.strip() or done.stderr.strip()
        try:
            return json.loads(answer)
        except ValueError:
            raise LookupError(answer) from None

    def until(self, expression: str, wanted: Callable[[Any], bool]) -> Any:
        """The value of an expression, once it is what is wanted."""
        deadline = time.monotonic() + TIMEOUT_S
        found: object = None
        while time.monotonic() < deadline:
            try:
                found = self.ask(expression)
                if wanted(found):
                    return found
            except LookupError as error:
                found = error
            assert self.process.poll() is None, self.output()
            time.sleep(0.05)
        raise AssertionError(f"{expression} is still {found!r}\n{self.output()}")

    def lua(self, expression: str, wanted: Callable[[Any], bool]) -> Any:
        """The value of an expression in Lua, once it is what is wanted."""
        return self.until("luaeval('{}')".format(expression.replace("'", "''")), wanted)

    def type(self, keys: str) -> None:
        """Types keys, named as Vim names them: `<Esc>`."""
        self.ask("nvim_input('{}')".format(keys.replace("'", "''")))

    def to(self, line: int, text: str) -> None:
        """Puts the cursor on the beginning of `text` in a line from 1."""
        # Keys, all of it: what is typed next comes after them.
        self.type(f"<Esc>{line}G0<Cmd>call search('\\V{text}', 'c')<CR>")

    def servers(self) -> list[int]:
        """Processes that it started."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(one) for one in children.split()]

    def output(self) -> str:
        self.said.seek(0)
        return self.said.read().decode(errors="replace")


@contextmanager
def started(folder: Path, file: Path) -> Iterator[Neovim]:
    """A Neovim with a file open, which is gone afterwards."""
    found = Neovim(folder, file)
    try:
        yield found
    finally:
        found.process.kill()
        found.process.wait()
        found.said.close()
