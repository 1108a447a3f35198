"""Values for arguments that nobody gave, so that a script can be compiled as if it were run."""

from __future__ import annotations

from sylph.pxl.entry import ArgumentSignature, FunctionSignature
from sylph.pxl.params import declared
from sylph.pxl.vis import PXType, Variable

_TEXTS = {
    PXType.PX_BOOLEAN: "true",
    PXType.PX_INT64: "1",
    PXType.PX_FLOAT64: "1.0",
    PXType.PX_SERVICE: "namespace/service",
    PXType.PX_POD: "namespace/pod",
    PXType.PX_CONTAINER: "container",
    PXType.PX_NAMESPACE: "namespace",
    PXType.PX_NODE: "node",
    PXType.PX_LIST: "['a']",
    PXType.PX_STRING_LIST: "['a']",
}
_ANNOTATIONS = {
    "bool": "true",
    "int": "1",
    "float": "1.0",
    "px.Pod": "namespace/pod",
    "px.Service": "namespace/service",
    "px.Namespace": "namespace",
    "px.Node": "node",
    "px.Container": "container",
    "px.Time": "0",
    "px.Duration": "1",
}
_TIME = "-5m"


def variable_sample(variable: Variable) -> str:
    """The value that a variable has if the user gives none, else one that fits its type."""
    # "" may be left out; for a number there is no such value.
    if variable.default is not None and (variable.default or variable.type not in _TEXTS):
        return variable.default
    if variable.valid_values:
        return variable.valid_values[0]
    return _TEXTS.get(variable.type) or (_TIME if "time" in variable.name else "text")


def parameter_samples(source: str) -> dict[str, str]:
    """Values for what the script declares with px.param() without a default."""
    return {
        one.name: _ANNOTATIONS.get(one.type) or (_TIME if "time" in one.name else "text")
        for one in declared(source)
        if one.default is None
    }


def samples(function: FunctionSignature) -> dict[str, str] | None:
    """Arguments that a function can be called with; None if that cannot be told.

    A text may be the name of a table or of a column: what such a function does with a made-up one proves nothing.
    """
    values = {}
    for argument in function.arguments:
        if argument.required:
            value = _sample(argument)
            if value is None:
                return None
            values[argument.name] = value
        elif not argument.annotation:
            return None
    return values


def _sample(argument: ArgumentSignature) -> str | None:
    if argument.annotation == "str" and "time" in argument.name:
        return _TIME
    return _ANNOTATIONS.get(argument.annotation)
