"""Script bundles: the JSON file in which Pixie's tools carry many scripts; read from a file or an address, written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sylph.library import manifest, vis
from sylph.library.loader import Script, ScriptError, closest, read_text

#: Pixie's own bundle has about 2 MiB.
MAX_BYTES = 64 * 2**20
_TIMEOUT_S = 20
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Bundle:
    """Scripts of a bundle, as it holds them. `source` is the file or the address."""

    source: str
    items: Mapping[str, Mapping[str, Any]]

    def listing(self) -> list[tuple[str, str]]:
        """(name, one line about it), sorted, without hidden ones."""
        found = sorted(self.items.items())
        return [(name, str(item.get("ShortDoc") or "")) for name, item in found if item.get("hidden") is not True]

    def script(self, name: str) -> Script:
        """One script. Raises ScriptError: there is none of that name, or its vis cannot be read."""
        if name not in self.items:
            raise ScriptError(f"{self.source} has no script {name!r}", closest(name, list(self.items)))
        item = self.items[name]
        text = item.get("vis") or ""
        try:
            parsed = vis.parse(text) if text else None
        except vis.VisError as error:
            raise ScriptError(f"{self.source}: the vis of {name}: {error}") from error
        return Script(
            name=name,
            text=item["pxl"],
            vis=parsed,
            short=str(item.get("ShortDoc") or ""),
            long=str(item.get("LongDoc") or ""),
            hidden=item.get("hidden") is True,
        )


def read(source: str) -> Bundle:
    """The bundle of a file, or of an http:// or https:// address. Raises ScriptError."""
    raw = _fetch(source) if _ADDRESS.match(source) else _read(source)
    if len(raw) > MAX_BYTES:
        raise ScriptError(f"{source}: larger than {MAX_BYTES >> 20} MiB, this is no bundle")
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ScriptError(f"{source}: not a bundle of scripts: not JSON: {error}", _WANTED) from None
    items = data.get("scripts") if isinstance(data, dict) else None
    if not isinstance(items, dict):
        raise ScriptError(f"{source}: not a bundle of scripts: it has no object 'scripts'", _WANTED)
    for name, item in items.items():
        if not isinstance(item, dict):
            raise ScriptError(f"{source}: script {name!r} is not an object", _WANTED)
        if not isinstance(item.get("pxl"), str):
            raise ScriptError(f"{source}: script {name!r} has no text 'pxl'", _WANTED)
        if not isinstance(item.get("vis", ""), str | None):
            raise ScriptError(f"{source}: 'vis' of script {name!r} is not JSON in a text", _WANTED)
    return Bundle(source, items)


_WANTED = "a bundle is what `px script bundle DIR -o FILE` writes"


def _read(source: str) -> bytes:
    try:
        with Path(source).open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ScriptError(f"{source}: {error.strerror}") from error


def _fetch(address: str) -> bytes:
    if not address.lower().startswith(("http://", "https://")):
        raise ScriptError(f"{address}: bundles are read from files, http:// and https:// addresses")
    import urllib.error
    import urllib.request
    from http.client import HTTPException

    hint = "download it, and give the file"
    try:
        with urllib.request.urlopen(address, timeout=_TIMEOUT_S) as answer:
            found: bytes = answer.read(MAX_BYTES + 1)
    except urllib.error.HTTPError as error:
        raise ScriptError(f"{address}: the server answered {error.code} {error.reason}") from None
    except urllib.error.URLError as error:
        raise ScriptError(f"{address}: cannot be read: {error.reason}", hint) from None
    except (OSError, HTTPException, ValueError) as error:
        raise ScriptError(f"{address}: cannot be read: {str(error) or type(error).__name__}", hint) from None
    return found


def from_folder(folder: Path) -> dict[str, Any]:
    """A bundle of all script folders in a folder, as JSON data. A script's name is its path inside the folder.

    Raises ScriptError for what is missing or cannot be read.
    """
    if not folder.is_dir():
        raise ScriptError(f"{folder}: not a folder")
    scripts = {}
    for where in _script_folders(folder):
        name = where.relative_to(folder).as_posix()
        scripts[folder.resolve().name if name == "." else name] = _item(where)
    if not scripts:
        hint = "a script's folder holds one .pxl, a manifest.yaml and a vis.json if it takes arguments"
        raise ScriptError(f"{folder}: no folder with a .pxl file and a manifest.yaml is in it", hint)
    return {"scripts": scripts}


def without_manifest(folder: Path) -> list[Path]:
    """Folders in a folder that hold a .pxl but no manifest.yaml: bundles leave them out."""
    found = {path.parent for path in folder.rglob("*.pxl") if not (path.parent / "manifest.yaml").is_file()}
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts))


def _script_folders(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("manifest.yaml")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not hidden and any(path.parent.glob("*.pxl")):
            yield path.parent


def _item(folder: Path) -> dict[str, Any]:
    sources = sorted(folder.glob("*.pxl"))
    if len(sources) != 1:
        raise ScriptError(f"{folder}: a script's folder holds exactly one .pxl file, this one {len(sources)}")
    try:
        described = manifest.parse(read_text(folder / "manifest.yaml"))
    except manifest.ManifestError as error:
        raise ScriptError(f"{folder / 'manifest.yaml'}: {error}") from None
    texts = {}
    for kind in ("vis", "placement"):
        path = folder / f"{kind}.json"
        texts[kind] = read_text(path) if path.is_file() else ""
    try:
        if texts["vis"]:
            vis.parse(texts["vis"])
    except vis.VisError as error:
        raise ScriptError(f"{folder / 'vis.json'}: {error}") from None
    if texts["placement"] and not texts["vis"]:
        raise ScriptError(f"{folder}: a placement.json needs a vis.json")
    return {
        "pxl": read_text(sources[0]),
        "vis": texts["vis"],
        "placement": texts["placement"],
        "ShortDoc": described.get("short", ""),
        "LongDoc": described.get("long", ""),
        "orgID": described.get("org_id", ""),
        "hidden": described.get("hidden", "").lower() == "true",
    }
