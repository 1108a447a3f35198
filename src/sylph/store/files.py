"""The store's directory: one lock, whole files only, private to its owner."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

_LOCK = "lock"
TEMPORARY = ".tmp"
#: Ending of a file of ours that cannot be used; it counts to the budget and is the first to go.
ASIDE = ".aside"


class StoreBusyError(RuntimeError):
    """Another process uses the directory."""


class Files:
    """Files of the directory `path`. Methods raise OSError as the disk does; nothing is retried here."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None

    def attach(self) -> None:
        """Make the directory if it is not there and lock it. Raises StoreBusyError if another process has it."""
        try:
            self.path.mkdir(0o700)
        except FileExistsError:
            self._make_private()
        except FileNotFoundError:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.mkdir(0o700)
        if self._lock is not None and not self._lock_is_ours():
            self.detach()
        if self._lock is None:
            self._take_lock()

    def detach(self) -> None:
        """Give the lock back."""
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)

    @property
    def writable(self) -> bool:
        """Whether the lock is held: a read-only directory without a lock file can be read but not locked."""
        return self._lock is not None

    def entries(self) -> list[os.DirEntry[str]]:
        """All entries but the lock, by name."""
        with os.scandir(self.path) as found:
            return sorted((entry for entry in found if entry.name != _LOCK), key=lambda entry: entry.name)

    def write(self, name: str, content: pa.Buffer) -> Path:
        """Write a file so that it is there whole and for good, or not at all."""
        path = self.path / name
        temporary = self.path / (name + TEMPORARY)
        try:
            with self.create(temporary) as descriptor:
                write_all(descriptor, content)
                os.fsync(descriptor)
            temporary.rename(path)
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        self.sync()
        return path

    @contextlib.contextmanager
    def create(self, path: Path) -> Iterator[int]:
        """Descriptor of a new private file, closed at the end."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def sync(self) -> None:
        """Make the directory's entries last."""
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def set_aside(self, name: str) -> Path:
        """Rename a file that cannot be used."""
        path = self.path / (name + ASIDE)
        (self.path / name).rename(path)
        return path

    def _make_private(self) -> None:
        """Close a directory that is the store's to its group and others; a shared one such as /tmp is left alone."""
        status = self.path.stat()
        if status.st_mode & 0o077 and status.st_uid == os.geteuid():
            with os.scandir(self.path) as found:
                names = {entry.name for entry in found}
            if not names or _LOCK in names:
                with contextlib.suppress(OSError):
                    self.path.chmod(0o700)

    def _lock_is_ours(self) -> bool:
        """Whether the lock file in the directory is still the one that we hold."""
        assert self._lock is not None
        try:
            return os.path.samestat(os.fstat(self._lock), (self.path / _LOCK).stat())
        except OSError:
            return False

    def _take_lock(self) -> None:
        path = self.path / _LOCK
        try:
            lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            try:
                lock = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                return
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(lock, 20, 0).decode(errors="replace").strip()
            os.close(lock)
            raise StoreBusyError(
                f"{self.path} is in use by process {holder or 'unknown'}: stop that agent or choose another directory"
            ) from None
        # On a full or read-only disk the number stays away; the lock holds all the same.
        with contextlib.suppress(OSError):
            os.ftruncate(lock, 0)
            os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        self._lock = lock


def write_all(descriptor: int, content: pa.Buffer | bytes) -> None:
    """Write all of `content`."""
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]
