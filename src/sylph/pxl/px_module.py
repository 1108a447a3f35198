"""The module `px`: everything in it that is not a registered function."""

from __future__ import annotations

import ast
import dataclasses
import re
import uuid
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sylph.functions.declare import Argument, TableFunction
from sylph.functions.registry import AGGREGATES, SCALARS, TABLE_FUNCTIONS
from sylph.plan.expressions import LiteralValue
from sylph.plan.nodes import Source, TableFunctionSource
from sylph.pxl import times
from sylph.pxl.aggregated import compute, computes
from sylph.pxl.arguments import frame as frame_argument
from sylph.pxl.arguments import integer, optional, required, scalar, string, strings, wrong_type
from sylph.pxl.dataframe import source_frame
from sylph.pxl.errors import Kind, listing, suggestion
from sylph.pxl.mutations import UpsertTracepoint
from sylph.pxl.operations import member
from sylph.pxl.otel import Data, export, otel_module
from sylph.pxl.params import PARAM_PARAMETERS, param
from sylph.pxl.scalars import call, check_size, retyped
from sylph.pxl.values import (
    TIME64NS,
    UPID,
    Bound,
    Builtin,
    Fault,
    Frame,
    FunctionValue,
    Module,
    Parameter,
    Poisoned,
    Scalar,
    TypeValue,
    UserFunction,
    literal,
)
from sylph.tables.types import ColumnType, DataType, Relation, SemanticType

if TYPE_CHECKING:
    from sylph.pxl.interpreter import Interpreter

#: Key and value pairs that a script reference can carry.
_MAX_REFERENCE_PAIRS = 8


_PLUGIN_TIMES = ("start_time", "end_time")


def px_module(interpreter: Interpreter) -> Module:
    """The module for one compilation."""
    attributes = dict(_ATTRIBUTES)
    attributes["vis"] = Module("px.vis", {"vega": _VEGA})
    attributes["otel"] = otel_module()
    attributes["plugin"] = Module("px.plugin", {}, fallback=partial(_plugin, interpreter))
    return Module("px", attributes, fallback=_function, known=lambda: [*SCALARS, *AGGREGATES, *TABLE_FUNCTIONS])


def _function(name: str) -> Any:
    if name in SCALARS or name in AGGREGATES:
        return FunctionValue(name)
    found = TABLE_FUNCTIONS.get(name)
    return None if found is None else _table_function(found)


def _plugin(interpreter: Interpreter, name: str) -> Any:
    if name not in _PLUGIN_TIMES:
        return None
    if interpreter.plugin_window is None:
        raise Fault(f"px.plugin.{name} has no value: no plugin config", Kind.NAME, "it is set in plugin runs only")
    return literal(interpreter.plugin_window[_PLUGIN_TIMES.index(name)])


def _dataframe(bound: Bound) -> Frame:
    interpreter = bound.interpreter
    name = string(bound, "table")
    relation = _relation(interpreter, name)
    if relation is None:
        if interpreter.diagnostics and "pxtrace" in interpreter.modules:
            # A probe that failed would have made the table, perhaps.
            raise Poisoned
        known = list(interpreter.tables)
        hint = suggestion(name, known) or f"tables are {listing(known)}"
        raise Fault(f"table '{name[:80]}' not found", Kind.DATAFRAME, hint, bound.node("table"))
    selected = strings(bound, "select")
    if selected:
        for position, column in enumerate(selected):
            if column not in relation:
                hint = suggestion(column, relation) or f"columns are {listing(relation)}"
                message = f"column '{column[:80]}' not found in table '{name}'"
                raise Fault(message, Kind.DATAFRAME, hint, bound.part("select", position))
        relation = {column: relation[column] for column in selected}
        if len(relation) != len(selected):
            raise Fault("a column is selected twice", Kind.DATAFRAME, node=bound.node("select"))
    start, end = interpreter.time(bound, "start_time"), interpreter.time(bound, "end_time")
    return source_frame(interpreter, Source(name, relation, start, end))


def _relation(interpreter: Interpreter, name: str) -> Relation | None:
    """Columns of a table, also of one that the script's own tracepoint makes; None when there is none."""
    table = interpreter.tables.get(name)
    if table is not None:
        return table.relation
    for mutation in interpreter.mutations:
        if isinstance(mutation, UpsertTracepoint) and mutation.table == name:
            if mutation.relation is None:
                # The probed program tells the types: what is made from the table is compiled once it is deployed.
                raise Poisoned
            return mutation.relation
    return None


def _table_function(function: TableFunction) -> Builtin:
    parameters = tuple(
        Parameter(
            argument.name, None if argument.default is None else literal(argument.default), argument.default is None
        )
        for argument in function.arguments
    )

    def run(bound: Bound) -> Frame:
        arguments = {argument.name: _table_argument(bound, argument) for argument in function.arguments}
        return source_frame(bound.interpreter, TableFunctionSource(function.name, arguments, function.relation))

    return Builtin(function.name, run, parameters)


def _table_argument(bound: Bound, argument: Argument) -> LiteralValue:
    value = scalar(bound, argument.name)
    constant = value.literal
    if argument.data is DataType.UINT128 and isinstance(constant, str):
        return _uuid(constant, bound, argument.name)
    if constant is None or value.type.data is not argument.data:
        raise wrong_type(bound, argument.name, argument.data.name)
    return constant


def _display(bound: Bound) -> None:
    frame, name = frame_argument(bound, "out"), string(bound, "name")
    if bound.interpreter.display:
        bound.interpreter.add_result(name, frame)


def _debug(bound: Bound) -> None:
    frame, name = frame_argument(bound, "out"), "_" + string(bound, "name")
    unique, count = name, 0
    while unique in bound.interpreter.reserved:
        unique, count = f"{name}_{count}", count + 1
    bound.interpreter.add_result(unique, frame)


def _export(bound: Bound) -> None:
    frame, data = frame_argument(bound, "out"), bound.values["export_spec"]
    if not isinstance(data, Data):
        raise wrong_type(bound, "export_spec", "px.otel.Data")
    if data.endpoint is None and bound.interpreter.plugin_window is None:
        hint = "endpoint=px.otel.Endpoint(url='host:4317'); only a plugin's script, which reads px.plugin, needs none"
        raise Fault("px.otel.Data() has no endpoint", Kind.OTEL, hint)
    bound.interpreter.exports.append(export(frame, data))


def _now(bound: Bound) -> Scalar:
    return literal(bound.interpreter.now_ns)


def _span(name: str, unit: int) -> Builtin:
    def run(bound: Bound) -> Scalar:
        return _nanoseconds(bound, "unit", integer(bound, "unit") * unit)

    return Builtin(name, run, required("unit"))


def _nanoseconds(bound: Bound, name: str, value: int) -> Scalar:
    try:
        return literal(times.checked(value, "the duration"))
    except times.TimeError as error:
        raise Fault(str(error), Kind.TIME, node=bound.node(name)) from None


def _parse_duration(bound: Bound) -> Scalar:
    string(bound, "duration")
    return literal(bound.interpreter.duration(bound, "duration"))


def _format_duration(bound: Bound) -> Scalar:
    return literal(times.format_duration(integer(bound, "duration")))


def _parse_time(bound: Bound) -> Scalar:
    value = bound.interpreter.time(bound, "time")
    if value is None:
        raise wrong_type(bound, "time", "time")
    return literal(value, TIME64NS)


def _strptime(bound: Bound) -> Scalar:
    try:
        return literal(times.strptime(string(bound, "date_string"), string(bound, "format")))
    except times.TimeError as error:
        raise Fault(str(error), Kind.TIME, node=bound.node("date_string")) from None


def _uuid(text: str, bound: Bound, name: str) -> int:
    if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text):
        hint = "a UUID looks like 123e4567-e89b-12d3-a456-426655440000"
        raise Fault(f"'{text[:60]}' is not a UUID", Kind.UPID, hint, bound.node(name))
    return uuid.UUID(text).int


def _uint128(bound: Bound) -> Scalar:
    return literal(_uuid(string(bound, "uuid"), bound, "uuid"), ColumnType(DataType.UINT128))


def _make_upid(bound: Bound) -> Scalar:
    parts = [integer(bound, name) for name in ("asid", "pid", "ts_ns")]
    for name, part in zip(("asid", "pid"), parts, strict=False):
        if not 0 <= part < 1 << 32:
            raise Fault(f"'{name}' must fit 32 bits without a sign, {part} does not", Kind.UPID, "", bound.node(name))
    asid, pid, start = parts
    return literal(asid << 96 | pid << 64 | (start & ((1 << 64) - 1)), UPID)


def _equals_any(bound: Bound) -> Any:
    value, comparisons = bound.values["value"], bound.values["comparisons"]
    if not computes(value):
        scalar(bound, "value")
    if not isinstance(comparisons, (list, tuple)):
        raise wrong_type(bound, "comparisons", "list")
    return member(value, bound.node("value"), comparisons, bound.node("comparisons"))


def _script_reference(bound: Bound) -> Any:
    args = bound.values["args"]
    if not isinstance(args, dict):
        raise wrong_type(bound, "args", "dict")
    if len(args) > _MAX_REFERENCE_PAIRS:
        raise Fault(
            f"a script reference carries at most {_MAX_REFERENCE_PAIRS} arguments", Kind.CALL, node=bound.node("args")
        )
    values: list[Any] = []
    nodes: list[ast.AST] = []
    for name in ("label", "script"):
        values.append(bound.values[name] if computes(bound.values[name]) else scalar(bound, name))
        nodes.append(bound.node(name))
    for key, value in args.items():
        if not isinstance(key, str):
            raise Fault("keys of a script reference must be strings", Kind.CALL, node=bound.node("args"))
        if not isinstance(value, Scalar) and not computes(value):
            raise Fault(f"argument '{key[:60]}' must be an expression", Kind.CALL, "", bound.node("args"))
        values += [literal(key), value]
        nodes += [bound.node("args")] * 2
    return compute(_referenced, values, nodes) if computes(*values) else _referenced(values)


def _referenced(values: list[Scalar]) -> Scalar:
    """A script reference of a label, a script, and keys and values."""
    for value in values:
        if value.type.data is not DataType.STRING:
            raise Fault(f"a script reference is made of strings, this is {value.type.data.name}", Kind.TYPE)
    made = call("_script_reference", values)
    check_size(made.nodes, made.depth)
    type_ = ColumnType(DataType.STRING, SemanticType.ST_SCRIPT_REFERENCE)
    return dataclasses.replace(made, expression=retyped(made.expression, type_))


def _vega(bound: Bound) -> Builtin:
    spec = string(bound, "spec")

    def decorate(inner: Bound) -> UserFunction:
        function = inner.values["function"]
        if not isinstance(function, UserFunction):
            raise Fault("px.vis.vega() decorates a function", Kind.DEF)
        function.attached["vega"] = spec
        return function

    return Builtin("vega", decorate, required("function"))


_VEGA = Builtin("vega", _vega, required("spec"))


def _type(name: str, data: DataType, semantic: SemanticType = SemanticType.ST_NONE) -> TypeValue:
    return TypeValue(name, ColumnType(data, semantic))


def _builtin(name: str, run: Any, parameters: tuple[Parameter, ...] = ()) -> tuple[str, Builtin]:
    return name, Builtin(name, run, parameters)


_OUT = (*required("out"), *optional(name=literal("output")))

_ATTRIBUTES = MappingProxyType(
    {
        "DataFrame": Builtin(
            "DataFrame", _dataframe, (*required("table"), *optional(select=[], start_time=None, end_time=None))
        ),
        **dict(
            (
                _builtin("display", _display, (*_OUT, *optional(cols=[]))),
                _builtin("debug", _debug, (*_OUT, *optional(cols=[]))),
                _builtin("export", _export, required("out", "export_spec")),
                _builtin("now", _now),
                _builtin("param", param, PARAM_PARAMETERS),
                _builtin("parse_duration", _parse_duration, required("duration")),
                _builtin("format_duration", _format_duration, required("duration")),
                _builtin("parse_time", _parse_time, required("time")),
                _builtin("strptime", _strptime, required("date_string", "format")),
                _builtin("uint128", _uint128, required("uuid")),
                _builtin("make_upid", _make_upid, required("asid", "pid", "ts_ns")),
                _builtin("equals_any", _equals_any, required("value", "comparisons")),
                _builtin("script_reference", _script_reference, (*required("label", "script"), *optional(args={}))),
            )
        ),
        **{
            name: _span(name, unit)
            for name, unit in (
                ("microseconds", 1_000),
                ("milliseconds", 1_000_000),
                ("seconds", 1_000_000_000),
                ("minutes", 60_000_000_000),
                ("hours", 3_600_000_000_000),
                ("days", 86_400_000_000_000),
            )
        },
        # Data types, whatever the values mean.
        **{
            data.name: TypeValue(data.name, ColumnType(data))
            for data in DataType
            if data is not DataType.DATA_TYPE_UNKNOWN
        },
        "Time": TypeValue("Time", TIME64NS),
        "Service": _type("Service", DataType.STRING, SemanticType.ST_SERVICE_NAME),
        "Pod": _type("Pod", DataType.STRING, SemanticType.ST_POD_NAME),
        "Node": _type("Node", DataType.STRING, SemanticType.ST_NODE_NAME),
        "Namespace": _type("Namespace", DataType.STRING, SemanticType.ST_NAMESPACE_NAME),
        "Container": _type("Container", DataType.STRING, SemanticType.ST_CONTAINER_NAME),
        "UPID": TypeValue("UPID", UPID),
        "Bytes": _type("Bytes", DataType.INT64, SemanticType.ST_BYTES),
        "DurationNanos": _type("DurationNanos", DataType.INT64, SemanticType.ST_DURATION_NS),
        "Percent": _type("Percent", DataType.FLOAT64, SemanticType.ST_PERCENT),
    }
)
