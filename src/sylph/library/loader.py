"""Finds scripts: by id in the library, in a file, in a folder, or on standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sylph.library import manifest, vis

#: The library: FOLDER/<collection>/<name>/, which gives the id `collection/name`.
FOLDER = Path(__file__).parent
#: A script is text that people write; more is a mistake.
MAX_SCRIPT_BYTES = 4 * 2**20


class ScriptError(Exception):
    """A script that cannot be found or read; `hint` says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Script:
    """A script with what belongs to it. `name` is its id, or its path if `is_file`."""

    name: str
    text: str
    vis: vis.Vis | None = None
    short: str = ""
    long: str = ""
    hidden: bool = False
    is_file: bool = False


def _folders() -> Iterator[tuple[str, Path]]:
    for manifest_file in sorted(FOLDER.glob("*/**/manifest.yaml")):
        folder = manifest_file.parent
        yield folder.relative_to(FOLDER).as_posix(), folder


def ids() -> list[str]:
    """Ids of all scripts of the library, sorted; hidden ones too."""
    return [name for name, _ in _folders()]


def listing() -> list[tuple[str, str]]:
    """(id, one line about it) of the library's scripts, without hidden ones."""
    out = []
    for name, folder in _folders():
        described = _manifest(folder)
        if described.get("hidden", "").lower() != "true":
            out.append((name, described.get("short", "")))
    return out


def load(script_id: str) -> Script:
    """The library's script of that id. Raises ScriptError, with what is close to a wrong id."""
    folder = FOLDER / script_id
    parts = script_id.split("/")
    # The id becomes a path: it must stay inside the library.
    if len(parts) < 2 or any(part in {"", ".", ".."} for part in parts) or not (folder / "manifest.yaml").is_file():
        raise ScriptError(f"no script is named {script_id!r}", closest(script_id, ids()))
    return _read_folder(folder, script_id)


def load_path(path: str) -> Script:
    """A script file, a folder with one .pxl file (and a vis.json), or `-` for standard input. Raises ScriptError."""
    if path == "-":
        raw = sys.stdin.buffer.read(MAX_SCRIPT_BYTES + 1)
        return Script("<stdin>", _decode(raw, "<stdin>"), is_file=True)
    where = Path(path)
    if where.is_dir():
        return replace(_read_folder(where, path), is_file=True)
    return Script(path, read_text(where), is_file=True)


def closest(script_id: str, known: Sequence[str]) -> str:
    """A hint that names the scripts that a wrong id may mean."""
    import difflib

    by_name = [name for name in known if name.rpartition("/")[2] == script_id]
    close = by_name or difflib.get_close_matches(script_id, known, n=3, cutoff=0.5)
    if close:
        return f"did you mean {' or '.join(close)}?"
    return "px script list shows all"


def _read_folder(folder: Path, name: str) -> Script:
    scripts = sorted(folder.glob("*.pxl"))
    if len(scripts) != 1:
        raise ScriptError(f"{folder}: a script's folder holds exactly one .pxl file, this one {len(scripts)}")
    vis_file = folder / "vis.json"
    try:
        parsed = vis.parse(read_text(vis_file)) if vis_file.is_file() else None
    except vis.VisError as error:
        raise ScriptError(f"{vis_file}: {error}") from error
    described = _manifest(folder) if (folder / "manifest.yaml").is_file() else {}
    return Script(
        name=name,
        text=read_text(scripts[0]),
        vis=parsed,
        short=described.get("short", ""),
        long=described.get("long", ""),
        hidden=described.get("hidden", "").lower() == "true",
    )


def _manifest(folder: Path) -> dict[str, str]:
    path = folder / "manifest.yaml"
    try:
        return manifest.parse(read_text(path))
    except manifest.ManifestError as error:
        raise ScriptError(f"{path}: {error}") from error


def read_text(path: Path) -> str:
    """A file as text, without a byte order mark. Raises ScriptError."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_SCRIPT_BYTES + 1)
    except OSError as error:
        raise ScriptError(f"{path}: {error.strerror}") from error
    return _decode(raw, str(path))


def _decode(raw: bytes, name: str) -> str:
    if len(raw) > MAX_SCRIPT_BYTES:
        raise ScriptError(f"{name}: larger than {MAX_SCRIPT_BYTES >> 20} MiB, this is no script")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ScriptError(f"{name}: line {line} is not UTF-8 text") from error
