"""Shared libraries that a process has mapped, from /proc."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

#: What is read of one process's mappings.
_MAX_BYTES = 16 << 20
_MASK_32 = (1 << 32) - 1
_MASK_64 = (1 << 64) - 1
_START_TIME = 19


def libraries(upid: int, proc: Path = Path("/proc")) -> list[str]:
    """Paths of mapped .so files of the process, sorted; none when it is gone or its PID is another's by now."""
    folder = proc / str(upid >> 64 & _MASK_32)
    try:
        # The name of the executable, in parentheses, may hold anything; the start time is the 20th field behind it.
        fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
        if int(fields[_START_TIME]) != upid & _MASK_64:
            return []
        with (folder / "maps").open(errors="replace") as lines:
            text = lines.read(_MAX_BYTES)
    except (OSError, ValueError, IndexError):
        return []
    paths = {line[line.find("/") :] for line in text.splitlines() if "/" in line}
    return sorted(path for path in paths if path.endswith(".so") or ".so." in path)


def shared_libraries(upids: pa.Array) -> pa.Array:
    """The kernel `shared_libraries`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    # A UUID comes as 16 bytes, or as text when the connection does not keep Arrow's types.
    if pa.types.is_string(upids.type):
        encoded = upids.dictionary_encode()
        numbers = [int(text.replace("-", ""), 16) for text in encoded.dictionary.to_pylist()]
    else:
        encoded = pc.dictionary_encode(upids.storage)
        numbers = [int.from_bytes(value, "big") for value in encoded.dictionary.to_pylist()]
    return pa.array([json.dumps(libraries(number)) for number in numbers], pa.string()).take(encoded.indices)
