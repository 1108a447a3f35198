"""Files of scripts: which ones a path means, and writing one so that no half of it is ever seen."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from sylph.library.loader import ScriptError


def script_files(paths: Iterable[str]) -> list[Path]:
    """Files as given, and all `*.pxl` of folders, each once; hidden folders are left out.

    Raises ScriptError for what is not there, and for a folder without scripts.
    """
    found: dict[Path, None] = {}
    for name in paths:
        path = Path(name)
        if path.is_dir():
            before = len(found)
            found |= dict.fromkeys(_walk(path))
            if len(found) == before and not any(_walk(path)):
                raise ScriptError(f"{name}: no *.pxl file is in this folder")
        elif path.exists():
            found[path] = None
        else:
            raise ScriptError(f"{name}: no such file or folder")
    return list(found)


def _walk(folder: Path) -> Iterator[Path]:
    def fail(error: OSError) -> None:
        raise ScriptError(f"{error.filename}: {error.strerror}") from error

    for where, folders, files in os.walk(folder, onerror=fail):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(where, name) for name in sorted(files) if name.endswith(".pxl") and not name.startswith("."))


def write_whole(path: Path, content: bytes) -> None:
    """Replaces a file's content at once: readers see the old or the new one. Keeps its mode and links to it.

    Raises ScriptError.
    """
    target = path.resolve()
    temporary = None
    try:
        mode = target.stat().st_mode & 0o7777 if target.exists() else 0o666 & ~_umask()
        descriptor, temporary = tempfile.mkstemp(prefix=".px-", dir=target.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(mode)
        Path(temporary).replace(target)
    except OSError as error:
        if temporary is not None:
            with suppress(OSError):
                Path(temporary).unlink()
        raise ScriptError(f"{path}: cannot be written: {error.strerror}") from error


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
