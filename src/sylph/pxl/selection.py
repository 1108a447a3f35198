"""`select`: columns by what they hold."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from sylph.plan.expressions import ColumnRef
from sylph.pxl.arguments import required
from sylph.pxl.errors import Kind, suggestion
from sylph.pxl.values import POISON, Bound, Fault, Frame, Poisoned, Scalar, TypeValue, article
from sylph.tables.types import ColumnType, DataType, SemanticType

SELECT_PARAMETERS = required("types")

_NUMERIC = (DataType.INT64, DataType.FLOAT64)
_DATA = {data.name.lower(): data for data in DataType if data is not DataType.DATA_TYPE_UNKNOWN} | {
    "bool": DataType.BOOLEAN,
    "int": DataType.INT64,
    "float": DataType.FLOAT64,
    "str": DataType.STRING,
    "time": DataType.TIME64NS,
}
_SEMANTIC = {
    kind.name.removeprefix("ST_").lower(): kind
    for kind in SemanticType
    if kind not in {SemanticType.ST_UNSPECIFIED, SemanticType.ST_NONE}
}
_HINT = "name types: 'string', 'numeric', 'bytes', px.STRING, px.Bytes, px.Pod ..."

_Test = Callable[[ColumnType], bool]


def selected(frame: Frame, bound: Bound) -> dict[str, ColumnRef]:
    """The columns of `frame.select(types)`: those of any of the types, in the frame's order."""
    value = bound.values["types"]
    kinds = list(value) if isinstance(value, (list, tuple)) else [value]
    tests = [_test(frame, kind, bound.part("types", position)) for position, kind in enumerate(kinds)]
    columns = {name: ref for name, ref in frame.columns.items() if any(test(ref.type) for test in tests)}
    if not columns:
        if frame.tainted:
            raise Poisoned
        held = sorted({ref.type.data.name for ref in frame.columns.values()})
        raise Fault(
            "no column is of the selected types", Kind.DATAFRAME, f"columns are {', '.join(held)}", bound.node("types")
        )
    return columns


def _test(frame: Frame, kind: Any, where: ast.AST) -> _Test:
    if kind is POISON:
        raise Poisoned
    if isinstance(kind, TypeValue) and kind.type is not None:
        wanted = kind.type
        if wanted.semantic is SemanticType.ST_NONE:
            return lambda found: found.data is wanted.data
        return lambda found: found.semantic is wanted.semantic
    name = kind.literal if isinstance(kind, Scalar) else None
    if not isinstance(name, str):
        raise Fault(f"select() takes types, not {article(kind)}", Kind.TYPE, _HINT, where)
    key = name.lower().removeprefix("st_")
    if key == "numeric":
        return lambda found: found.data in _NUMERIC
    if key in _DATA:
        return lambda found: found.data is _DATA[key]
    if key in _SEMANTIC:
        return lambda found: found.semantic is _SEMANTIC[key]
    hint = suggestion(key, ("numeric", *_DATA, *_SEMANTIC)) or _HINT
    if name in frame.columns:
        hint = f"select() takes types; df[['{name}']] keeps columns by name"
    raise Fault(f"there is no type '{name[:60]}'", Kind.TYPE, hint, where)
