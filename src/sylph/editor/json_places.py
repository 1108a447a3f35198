"""Where in a JSON text each value stands, so that an error about `widgets[2].func.name` can name its line."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

#: String, bracket, comma, colon, or a number or word.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+', re.DOTALL)
_STEP = re.compile(r"\.?[^.\[]+|\[\d+\]")


@dataclass(frozen=True, slots=True)
class Place:
    """Line and column, from 1, and how many characters of that line are meant."""

    line: int
    column: int
    length: int = 1


class JsonPlaces:
    """Places of the values, and of the names of members, of a valid JSON text, by paths such as `a.b[2].c`."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._values: dict[str, tuple[int, int]] = {}
        self._names: dict[str, tuple[int, int]] = {}
        self._read(text)

    def value(self, path: str) -> Place:
        """Where the value of a path begins. If there is none, the nearest one around it."""
        return self._place(self._around(path, self._values))

    def name(self, path: str) -> Place:
        """Where the name of a member stands; its value, or what is around it, if there is no such name."""
        found = self._names.get(path)
        return self._place(found) if found else self.value(path)

    def at(self, offset: int, length: int = 1) -> Place:
        """The place of a character."""
        return self._place((offset, offset + length))

    def _around(self, path: str, places: dict[str, tuple[int, int]]) -> tuple[int, int]:
        steps = _STEP.findall(path)
        while steps:
            found = places.get("".join(steps).removeprefix("."))
            if found:
                return found
            steps.pop()
        return places.get("", (0, 1))

    def _place(self, span: tuple[int, int]) -> Place:
        start, end = span
        line = bisect_right(self._starts, start)
        return Place(line, start - self._starts[line - 1] + 1, max(1, end - start))

    def _read(self, text: str) -> None:
        path = ""
        around: list[tuple[str, int]] = []  # (path, index in the list; -1 in an object)
        name: str | None = None  # of the member whose value comes next
        wants_name = False
        for match in _TOKEN.finditer(text):
            token = match.group()
            if token == ":":
                continue
            if token == ",":
                wants_name = bool(around) and around[-1][1] < 0
                if around and around[-1][1] >= 0:
                    around[-1] = (around[-1][0], around[-1][1] + 1)
                continue
            if token in "]}":
                if around:
                    around.pop()
                wants_name = False
                continue
            if wants_name and token.startswith('"'):
                name, wants_name = token[1:-1], False
                path = f"{around[-1][0]}.{name}".removeprefix(".")
                self._names[path] = match.span()
                continue
            if around:
                outer, index = around[-1]
                path = f"{outer}[{index}]" if index >= 0 else f"{outer}.{name}".removeprefix(".")
            else:
                path = ""
            # Of an object or a list, its first character.
            self._values[path] = match.span()
            if token in "[{":
                around.append((path, 0 if token == "[" else -1))
                wants_name = token == "{"
