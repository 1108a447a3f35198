"""What can be wrong with a plan."""

from __future__ import annotations


class PlanError(Exception):
    """A plan that cannot run: what is wrong, where, and what to do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message
