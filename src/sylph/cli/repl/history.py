"""What was typed at the prompt, kept between sessions in a file that only its owner can read."""

from __future__ import annotations

import os
from pathlib import Path

#: When the file is larger, its older half is dropped.
MAX_BYTES = 1 << 20


def history_file() -> Path:
    """The file: repl_history in the user's state folder."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state"
    return Path(state) / "sylph" / "repl_history"


def prepare(path: Path) -> None:
    """Makes the file with 0600, or gives it that mode, and keeps it within MAX_BYTES. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(file, "rb+") as opened:
        os.fchmod(opened.fileno(), 0o600)
        if opened.seek(0, os.SEEK_END) <= MAX_BYTES:
            return
        opened.seek(-MAX_BYTES // 2, os.SEEK_END)
        # An entry begins with an empty line and a comment.
        _, _, kept = opened.read().partition(b"\n\n#")
        opened.seek(0)
        opened.write(b"\n#" + kept)
        opened.truncate()
