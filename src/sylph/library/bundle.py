"""Script bundles: the JSON file in which Pixie's tools carry many scripts."""

from __future__ import annotations

import json
from pathlib import Path

from sylph.library import vis
from sylph.library.loader import Script, ScriptError, closest

#: Pixie's own bundle has about 2 MiB.
MAX_BYTES = 64 * 2**20


def read(path: Path) -> dict[str, Script]:
    """Scripts by name. Raises ScriptError for a file that cannot be read or is no bundle."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        hint = "download it first" if "://" in str(path) or str(path).startswith("http") else ""
        raise ScriptError(f"{path}: {error.strerror}", hint) from error
    if len(raw) > MAX_BYTES:
        raise ScriptError(f"{path}: larger than {MAX_BYTES >> 20} MiB")
    try:
        items = json.loads(raw)["scripts"].items()
        return {name: _script(name, item) for name, item in items}
    except vis.VisError as error:
        raise ScriptError(f"{path}: {error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ScriptError(f"{path}: not a bundle of scripts: {type(error).__name__}: {error}") from error


def find(path: Path, name: str) -> Script:
    """One script of a bundle. Raises ScriptError."""
    scripts = read(path)
    if name not in scripts:
        raise ScriptError(f"{path} has no script {name!r}", closest(name, list(scripts)))
    return scripts[name]


def _script(name: str, item: dict[str, object]) -> Script:
    text = str(item.get("vis") or "")
    return Script(
        name=name,
        text=str(item["pxl"]),
        vis=vis.parse(text) if text else None,
        short=str(item.get("ShortDoc", "")),
        long=str(item.get("LongDoc", "")),
        hidden=item.get("hidden") is True,
    )
