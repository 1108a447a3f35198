"""What the operating system knows of a process."""

from __future__ import annotations

from sylph.functions.declare import Example, Placement, Scalar
from sylph.functions.signature import kernel

FUNCTIONS = (
    Scalar(
        "shared_libraries",
        "JSON array of the paths of shared libraries that the process has mapped; `[]` when it is gone or cannot be"
        " read.",
        kernel("(U)->S", "shared_libraries"),
        placement=Placement.AGENT,
        examples=(Example("px.shared_libraries(px.upid(0, 0, 0))", "[]"),),
        parameters=("upid",),
    ),
)
