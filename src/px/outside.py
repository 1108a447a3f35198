"""What happens when PxL is run as Python: it says what to do instead."""

from __future__ import annotations


class OutsideScriptError(RuntimeError):
    """PxL was run as Python. A script is compiled and answered by Sylph; its text never runs."""


def outside(name: str) -> OutsideScriptError:
    """The error of using `name` outside a script."""
    return OutsideScriptError(
        f"'{name}' is part of PxL: a script is compiled, not run as Python; use 'px run -f SCRIPT.pxl'"
    )
