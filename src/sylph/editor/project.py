"""The files of a script: what lies beside a .pxl, and checking all of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from sylph.editor.check import ScriptText, check
from sylph.editor.files import script_files
from sylph.editor.findings import Finding, Severity
from sylph.library import manifest
from sylph.library.loader import ScriptError, read_text

VIS, MANIFEST, PLACEMENT = "vis.json", "manifest.yaml", "placement.json"
#: What a manifest says.
_KEYS = ("short", "long", "org_id", "hidden")


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found in files, with their texts by path."""

    scripts: int
    findings: tuple[Finding, ...]
    sources: dict[str, str] = field(default_factory=dict)


def vis_beside(pxl: Path) -> Path | None:
    """The vis.json that calls this script's functions: the one in its folder, if the script is alone there."""
    vis = pxl.parent / VIS
    return vis if vis.is_file() and len(list(pxl.parent.glob("*.pxl"))) == 1 else None


def check_paths(paths: Iterable[str]) -> Checked:
    """Checks files, and all scripts in folders, with what lies beside them. Raises ScriptError for a wrong path.

    A vis.json or manifest.yaml stands for the script beside it.
    """
    found: list[Finding] = []
    sources: dict[str, str] = {}
    files = script_files(script for path in paths for script in _scripts_of(path))
    folders: dict[Path, int] = {}
    for pxl in files:
        folders[pxl.parent] = folders.get(pxl.parent, 0) + 1
        found += _check_file(pxl, sources)
    for folder, count in folders.items():
        found += _check_folder(folder, count, sources)
    return Checked(len(files), tuple(found), sources)


def _scripts_of(path: str) -> list[str]:
    file = Path(path)
    if file.name not in (VIS, MANIFEST) or not file.is_file():
        return [path]
    scripts = [str(script) for script in sorted(file.parent.glob("*.pxl"))]
    if not scripts:
        raise ScriptError(f"{path}: this is no script, and no *.pxl file is beside it")
    return scripts


def _check_file(pxl: Path, sources: dict[str, str]) -> list[Finding]:
    vis = vis_beside(pxl)
    try:
        source = sources[str(pxl)] = read_text(pxl)
    except ScriptError as error:
        return [_unreadable(pxl, error)]
    if vis is None:
        return check(ScriptText(str(pxl), source))
    try:
        text = sources[str(vis)] = read_text(vis)
    except ScriptError as error:
        return [*check(ScriptText(str(pxl), source)), _unreadable(vis, error)]
    return check(ScriptText(str(pxl), source, str(vis), text))


def _check_folder(folder: Path, count: int, sources: dict[str, str]) -> list[Finding]:
    """What is wrong with the files beside a script."""
    found = []
    if count > 1 and (folder / VIS).is_file():
        message = f"{count} .pxl files are in this folder: it is not known which of them this file is for"
        found.append(_whole(folder / VIS, message, "a folder with a vis.json holds exactly one .pxl"))
    if (folder / MANIFEST).is_file():
        found += _check_manifest(folder / MANIFEST, sources)
    if (folder / PLACEMENT).is_file():
        try:
            json.loads(read_text(folder / PLACEMENT))
        except ScriptError as error:
            found.append(_unreadable(folder / PLACEMENT, error))
        except (ValueError, RecursionError) as error:
            found.append(_whole(folder / PLACEMENT, f"this is not JSON: {error}"))
    return found


def _check_manifest(path: Path, sources: dict[str, str]) -> list[Finding]:
    try:
        text = sources[str(path)] = read_text(path)
        values = manifest.parse(text)
    except ScriptError as error:
        return [_unreadable(path, error)]
    except manifest.ManifestError as error:
        line = int(str(error).removeprefix("line ").partition(":")[0])
        message = str(error).partition(": ")[2]
        return [Finding(str(path), line, 1, 1, Severity.ERROR, "manifest", message)]
    found = []
    if not values.get("short"):
        message = "'short' is missing: one line about the script, for lists"
        found.append(Finding(str(path), 1, 1, 1, Severity.WARNING, "manifest", message))
    lines = [line.partition(":")[0] for line in text.splitlines()]
    for name in values:
        if name not in _KEYS:
            message = f"the key '{name}' is not known, and is ignored"
            place = (lines.index(name) + 1, 1, len(name))
            hint = f"keys are {', '.join(_KEYS)}"
            found.append(Finding(str(path), *place, Severity.WARNING, "manifest", message, hint))
    return found


def _unreadable(path: Path, error: ScriptError) -> Finding:
    return _whole(path, str(error).removeprefix(f"{path}: "), error.hint)


def _whole(path: Path, message: str, hint: str = "") -> Finding:
    return Finding(str(path), 0, 0, 1, Severity.ERROR, "file", message, hint)
