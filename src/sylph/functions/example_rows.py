"""The rows that examples of aggregates are over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

ROWS: Mapping[str, Sequence[bool | int | float | str]] = {
    "time_": [10, 20, 30],
    "n": [1, 2, 4],
    "ratio": [0.5, 1.5, 2.5],
    "ok": [True, False, True],
    "path": ["/users/1", "/users/2", "/users/1"],
    "method": ["GET", "GET", "GET"],
    "stack": ["main;work", "main", "main;work"],
    "period": [10, 10, 10],
    "two": [2, 2, 2],
}

#: What the rows are, for readers of the docs.
LEGEND = (
    "Examples are over three rows: "
    + "; ".join(
        f"`{name}` is {', '.join(map(repr, values))}" if len(set(values)) > 1 else f"`{name}` is always {values[0]!r}"
        for name, values in ROWS.items()
    )
    + "."
)
