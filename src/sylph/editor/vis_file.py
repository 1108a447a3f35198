"""A vis.json with the places of what is wrong in it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from sylph.editor.findings import Finding, Severity
from sylph.editor.json_places import JsonPlaces, Place
from sylph.pxl.vis import Vis, VisError, load_vis

#: Fields that are not known, as many as are told apart.
_MOST_UNKNOWN = 50


@dataclass(frozen=True, slots=True)
class VisFile:
    """A vis.json that was read. `vis` is None when it cannot be used; `findings` say why."""

    path: str
    vis: Vis | None
    places: JsonPlaces | None
    findings: tuple[Finding, ...] = ()

    def error(self, path: str, message: str, hint: str = "") -> Finding:
        """An error about the value at `path`."""
        return self._finding(path, message, hint, Severity.ERROR)

    def warning(self, path: str, message: str, hint: str = "") -> Finding:
        """A warning about the value at `path`."""
        return self._finding(path, message, hint, Severity.WARNING)

    def _finding(self, path: str, message: str, hint: str, severity: Severity) -> Finding:
        place = self.places.value(path) if self.places else Place(1, 1)
        return _finding(self.path, place, message, hint, severity)


def read_vis(text: str, path: str) -> VisFile:
    """Reads a vis.json. Unknown fields are warnings, since readers ignore them."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        place = Place(error.lineno, error.colno)
        return VisFile(path, None, None, (_finding(path, place, f"this is not JSON: {error.msg}"),))
    except RecursionError:
        return VisFile(path, None, None, (_finding(path, Place(1, 1), "this is nested too deeply"),))
    places = JsonPlaces(text)
    found: list[Finding] = []
    while True:
        try:
            return VisFile(path, load_vis(json.dumps(data)), places, tuple(found))
        except VisError as error:
            unknown = error.message == "unknown field" and len(found) < _MOST_UNKNOWN
            place = places.name(error.path) if unknown else places.value(error.path)
            name = re.split(r"[.\[]", error.path)[-1]
            if not unknown or not _drop(data, error.path):
                where = f"{error.path}: " if error.path else ""
                found.append(_finding(path, place, f"{where}{error.message}", error.hint))
                return VisFile(path, None, places, tuple(found))
            message = f"the field '{name}' is not known, and is ignored"
            found.append(_finding(path, place, message, error.hint, Severity.WARNING))


def _finding(path: str, place: Place, message: str, hint: str = "", severity: Severity = Severity.ERROR) -> Finding:
    return Finding(path, place.line, place.column, place.length, severity, "vis", message, hint)


def _drop(data: Any, path: str) -> bool:
    """Removes the member at `path`; False if it is not there."""
    steps = re.findall(r"[^.\[\]]+|\[\d+\]", path)
    if not steps:  # a name that is empty
        return False
    *around, last = steps
    try:
        for step in around:
            data = data[int(step[1:-1]) if step.startswith("[") else step]
        del data[last]
    except (KeyError, IndexError, TypeError):
        return False
    return True
