"""`merge`: rows of two DataFrames with equal keys, or each row of one with the nearest earlier row of the other."""

from __future__ import annotations

from sylph.plan.nodes import Join
from sylph.pxl.arguments import optional, required, string, strings
from sylph.pxl.errors import Kind, suggestion
from sylph.pxl.scalars import column_not_found
from sylph.pxl.values import Bound, Fault, Frame, Poisoned, literal
from sylph.tables.types import DataType

_KINDS = ("inner", "left", "right", "outer", "as_of")
_TIME = "time_"

MERGE_PARAMETERS = (
    *required("right", "how"),
    *optional(left_on=None, right_on=None, suffixes=[literal("_x"), literal("_y")], on=None, tolerance=None),
)


def merge(left: Frame, right: Frame, bound: Bound) -> Join:
    """The node of `left.merge(right, ...)`: columns of the left, then of the right, whatever the kind."""
    how = string(bound, "how")
    if how not in _KINDS:
        hint = suggestion(how, _KINDS) or f"kinds are {', '.join(_KINDS)}"
        raise Fault(f"invalid join type '{how[:60]}'", Kind.DATAFRAME, hint, bound.node("how"))
    left_on, right_on = _keys(left, right, bound, as_of=how == "as_of")
    tolerance = _tolerance(bound, how)
    outputs = tuple(_outputs(left, right, bound))
    if how == "right":
        swapped = tuple([(1 - side, column, name) for side, column, name in outputs])
        return Join(right.node, left.node, "left", right_on, left_on, swapped)
    return Join(left.node, right.node, how, left_on, right_on, outputs, tolerance)


def _tolerance(bound: Bound, how: str) -> int | None:
    """How much earlier a row of the right may be, ns; None for any."""
    if bound.values["tolerance"] is None:
        return None
    if how != "as_of":
        message = f"merge() takes a tolerance for how='as_of' only, this is '{how}'"
        raise Fault(message, Kind.DATAFRAME, "leave it out", bound.node("tolerance"))
    tolerance = bound.interpreter.duration(bound, "tolerance")
    if tolerance < 0:
        hint = "it says how much earlier a row may be, such as '5s'"
        raise Fault("the tolerance of merge() must not be negative", Kind.DATAFRAME, hint, bound.node("tolerance"))
    return tolerance


def _keys(left: Frame, right: Frame, bound: Bound, *, as_of: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    arguments = _arguments(bound, as_of=as_of)
    left_on, right_on = ([] if name is None else strings(bound, name) for name in arguments)
    for frame, names, argument in ((left, left_on, arguments[0]), (right, right_on, arguments[1])):
        for position, name in enumerate(names):
            if name not in frame.columns:
                if frame.tainted:
                    raise Poisoned
                raise column_not_found(name, frame.columns, bound.part(argument or "", position))
            if as_of and name == _TIME:
                hint = "leave it out of the keys"
                message = "as_of compares 'time_' already"
                raise Fault(message, Kind.DATAFRAME, hint, bound.part(argument or "", position))
    if len(left_on) != len(right_on):
        raise Fault(
            f"left_on names {len(left_on)} columns and right_on {len(right_on)}",
            Kind.DATAFRAME,
            node=bound.node("right_on"),
        )
    if as_of:
        _check_time(left, "left", bound)
        _check_time(right, "right", bound)
        left_on, right_on = [*left_on, _TIME], [*right_on, _TIME]
    for position, (one, other) in enumerate(zip(left_on, right_on, strict=True)):
        types = left.columns[one].type.data, right.columns[other].type.data
        if types[0] is not types[1]:
            raise Fault(
                f"key '{one}' is {types[0].name} on the left, '{other}' is {types[1].name} on the right",
                Kind.DATAFRAME,
                node=bound.part(arguments[1] or "", position),
            )
    return tuple(left_on), tuple(right_on)


def _arguments(bound: Bound, *, as_of: bool) -> tuple[str | None, str | None]:
    """The arguments that name the keys of each side; as_of needs none."""
    missing = [name for name in ("left_on", "right_on") if bound.values[name] is None]
    if bound.values["on"] is not None:
        if len(missing) < 2:
            message = "merge() takes 'on', or 'left_on' and 'right_on', not both"
            raise Fault(message, Kind.CALL, "", bound.node("on"))
        return "on", "on"
    if as_of and len(missing) == 2:
        return None, None
    if missing:
        plural = "argument" if len(missing) == 1 else "arguments"
        names = ", ".join(f"'{name}'" for name in missing)
        raise Fault(f"merge() missing {len(missing)} required positional {plural} {names}", Kind.CALL)
    return "left_on", "right_on"


def _check_time(frame: Frame, side: str, bound: Bound) -> None:
    found = frame.columns.get(_TIME)
    if found is not None and found.type.data is DataType.TIME64NS:
        return
    if found is None and frame.tainted:
        raise Poisoned
    problem = "has none" if found is None else f"has one that is {found.type.data.name}"
    hint = "merge before agg() or drop() remove it"
    raise Fault(f"as_of compares 'time_', and the {side} {problem}", Kind.DATAFRAME, hint, bound.node("how"))


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
