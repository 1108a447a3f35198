"""A program on a pseudo-terminal of its own: keys in, what it shows out."""

import os
import pty
import re
import select
import signal
import sys
import time
from collections.abc import Sequence

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\x1b\][^\x07]*\x07|\r")


class Terminal:
    def __init__(self, arguments: Sequence[str], environment: dict[str, str]) -> None:
        self.pid, self._main = pty.fork()
        if self.pid == 0:
            os.execve(sys.executable, [sys.executable, *arguments], environment)
        self._shown = ""
        self._seen = 0

    def type(self, keys: str | bytes) -> None:
        os.write(self._main, keys if isinstance(keys, bytes) else keys.encode())

    def expect(self, pattern: str, seconds: float = 25) -> re.Match[str]:
        """The first match behind the last one."""
        deadline = time.monotonic() + seconds
        while True:
            found = re.compile(pattern).search(self._shown, self._seen)
            if found:
                self._seen = found.end()
                return found
            if time.monotonic() > deadline or not self._read(0.1):
                raise AssertionError(f"{pattern!r} is not in {self._shown[self._seen :]!r}")

    def _read(self, seconds: float) -> bool:
        if select.select([self._main], [], [], seconds)[0]:
            try:
                chunk = os.read(self._main, 65536)
            except OSError:
                chunk = b""
            if not chunk:
                return False
            self._shown += _ESCAPES.sub("", chunk.decode(errors="replace"))
        return True

    def end(self, seconds: float = 25) -> int:
        """The exit code of a program that ends."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._read(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = 0
                return os.waitstatus_to_exitcode(status)
        raise AssertionError("it did not end")

    def close(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._main)
