"""What can be wrong with a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sylph.plan.expressions import Call


class PlanError(Exception):
    """A plan that cannot run: what is wrong, where, and what to do about it.

    `call` is the function that is to blame, if one is.
    """

    def __init__(self, message: str, hint: str = "", call: Call | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.call = call

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message
