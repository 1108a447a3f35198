"""What is found wrong with the files of a script, where, and how it is written down."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sylph.pxl.errors import Diagnostic, Kind, split_lines


class Severity(StrEnum):
    """Whether a script cannot be run as it is, or only could be better."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem of one file. `line` and `column` count from 1; both are 0 when it is no place in the text."""

    path: str
    line: int
    column: int
    length: int
    severity: Severity
    area: str
    message: str
    hint: str = ""
    calls: tuple[tuple[str, int], ...] = ()

    @property
    def order(self) -> tuple[str, int, int, str]:
        """Sorts findings as one reads files."""
        return self.path, self.line, self.column, self.message


def of_diagnostic(path: str, error: Diagnostic) -> Finding:
    """A compiler's error as a finding."""
    place = (error.line, error.column, error.length)
    return Finding(path, *place, Severity.ERROR, error.kind.value, error.message, error.hint, error.calls)


def as_text(finding: Finding, source: str) -> str:
    """The finding with its source line and a caret."""
    place = (finding.line, finding.column)
    shown = Diagnostic(*place, finding.message, Kind.PLAN, finding.hint, finding.length, finding.calls)
    first, _, rest = shown.render(split_lines(source), finding.path).partition("\n")
    first = f"{finding.severity.value}: {finding.message}"
    if finding.line == 0:
        first = f"{finding.severity.value}: {finding.path}: {finding.message}"
    return f"{first}\n{rest}" if rest else first


def as_json(findings: Sequence[Finding], scripts: int) -> str:
    """All findings as one JSON object."""
    items = [
        {
            "file": finding.path,
            "line": finding.line,
            "column": finding.column,
            "end_column": finding.column + finding.length if finding.line else 0,
            "severity": finding.severity.value,
            "area": finding.area,
            "message": finding.message,
            "hint": finding.hint,
            "calls": [{"function": function, "line": line} for function, line in finding.calls],
        }
        for finding in findings
    ]
    return json.dumps({"scripts": scripts, **counts(findings), "findings": items}, indent=2, ensure_ascii=True)


def as_github(finding: Finding) -> str:
    """The finding as a workflow command, which GitHub shows at the line of a change."""
    properties = {"file": finding.path, "title": f"PxL: {finding.area}"}
    if finding.line:
        properties |= {
            "line": str(finding.line),
            "col": str(finding.column),
            "endColumn": str(finding.column + finding.length),
        }
    listed = ",".join(f"{name}={_escaped(value, property_=True)}" for name, value in properties.items())
    message = f"{finding.message} ({finding.hint})" if finding.hint else finding.message
    return f"::{finding.severity.value} {listed}::{_escaped(message)}"


def _escaped(text: str, *, property_: bool = False) -> str:
    for character in "%\r\n:," if property_ else "%\r\n":
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def counts(findings: Sequence[Finding]) -> Mapping[str, int]:
    """Numbers of errors and of warnings."""
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    return {"errors": errors, "warnings": len(findings) - errors}
