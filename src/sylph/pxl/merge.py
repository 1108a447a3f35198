"""`merge`: rows of two DataFrames with equal keys."""

from __future__ import annotations

from sylph.plan.nodes import Join
from sylph.pxl.arguments import optional, required, string, strings
from sylph.pxl.errors import Kind, suggestion
from sylph.pxl.scalars import column_not_found
from sylph.pxl.values import Bound, Fault, Frame, Poisoned, literal

_KINDS = ("inner", "left", "right", "outer")

MERGE_PARAMETERS = (
    *required("right", "how", "left_on", "right_on"),
    *optional(suffixes=[literal("_x"), literal("_y")]),
)


def merge(left: Frame, right: Frame, bound: Bound) -> Join:
    """The node of `left.merge(right, ...)`: columns of the left, then of the right, whatever the kind."""
    how = string(bound, "how")
    if how not in _KINDS:
        hint = suggestion(how, _KINDS) or f"kinds are {', '.join(_KINDS)}"
        raise Fault(f"invalid join type '{how[:60]}'", Kind.DATAFRAME, hint, bound.node("how"))
    left_on, right_on = _keys(left, right, bound)
    outputs = tuple(_outputs(left, right, bound))
    if how == "right":
        swapped = tuple([(1 - side, column, name) for side, column, name in outputs])
        return Join(right.node, left.node, "left", right_on, left_on, swapped)
    return Join(left.node, right.node, how, left_on, right_on, outputs)


def _keys(left: Frame, right: Frame, bound: Bound) -> tuple[tuple[str, ...], tuple[str, ...]]:
    left_on, right_on = tuple(strings(bound, "left_on")), tuple(strings(bound, "right_on"))
    for frame, names, argument in ((left, left_on, "left_on"), (right, right_on, "right_on")):
        for position, name in enumerate(names):
            if name not in frame.columns:
                if frame.tainted:
                    raise Poisoned
                raise column_not_found(name, frame.columns, bound.part(argument, position))
    if len(left_on) != len(right_on):
        raise Fault(
            f"left_on names {len(left_on)} columns and right_on {len(right_on)}",
            Kind.DATAFRAME,
            node=bound.node("right_on"),
        )
    if not left_on:
        raise Fault("merge() needs at least one key column", Kind.DATAFRAME, node=bound.node("left_on"))
    for position, (one, other) in enumerate(zip(left_on, right_on, strict=True)):
        types = left.columns[one].type.data, right.columns[other].type.data
        if types[0] is not types[1]:
            raise Fault(
                f"key '{one}' is {types[0].name} on the left, '{other}' is {types[1].name} on the right",
                Kind.DATAFRAME,
                node=bound.part("right_on", position),
            )
    return left_on, right_on


def _outputs(left: Frame, right: Frame, bound: Bound) -> list[tuple[int, str, str]]:
    suffixes = strings(bound, "suffixes") if isinstance(bound.values["suffixes"], (list, tuple)) else []
    if len(suffixes) != 2:
        raise Fault("suffixes must be two strings", Kind.DATAFRAME, node=bound.node("suffixes"))
    outputs = []
    seen: set[str] = set()
    for side, (frame, other) in enumerate(((left, right), (right, left))):
        for column in frame.columns:
            name = column + suffixes[side] if column in other.columns else column
            if name in seen:
                raise Fault(
                    f"merge() gives two columns named '{name}'",
                    Kind.DATAFRAME,
                    "use other suffixes, or drop a column first",
                    bound.node("suffixes"),
                )
            seen.add(name)
            outputs.append((side, column, name))
    return outputs
