"""Operators in a script's text: comparisons, conditions and f-strings included."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sylph.functions.registry import AGGREGATES
from sylph.plan.expressions import Literal
from sylph.pxl import habits, operators
from sylph.pxl.aggregated import compute, computes, is_form
from sylph.pxl.errors import Kind
from sylph.pxl.scalars import call
from sylph.pxl.times import MAX_INT64
from sylph.pxl.values import Fault, Frame, FunctionValue, Scalar, Scope, article, element, literal
from sylph.tables.types import DataType

if TYPE_CHECKING:
    from sylph.pxl.interpreter import Interpreter

#: How values of other types become text.
_AS_TEXT = MappingProxyType(
    {
        DataType.INT64: "px.itoa(x) turns an integer into text",
        DataType.BOOLEAN: "'yes' if x else 'no' turns a bool into text",
        DataType.TIME64NS: "px.itoa(px.time_to_int64(x)) turns a time into text",
        DataType.UINT128: "px.upid_to_string(x) turns a UPID into text",
    }
)


def binary(interpreter: Interpreter, node: ast.BinOp, scope: Scope) -> Any:
    """`a + b`."""
    name = operators.BINARY.get(type(node.op))
    if name is None:
        raise _unknown(node.op)
    left = interpreter.expression(node.left, scope)
    right = interpreter.expression(node.right, scope)
    return _applied(name, [left, right], [node.left, node.right])


def _applied(name: str, values: list[Any], nodes: list[ast.expr]) -> Any:
    """Operator `name` on columns and literals, or on aggregates."""
    if computes(*values):
        return compute(partial(operators.apply, name), values, nodes)
    return operators.apply(name, [_operand(value, node) for value, node in zip(values, nodes, strict=True)])


def _operand(value: Any, node: ast.AST) -> Scalar:
    if not isinstance(value, Scalar):
        hint = "there are no nulls: compare with 0, '' or False" if value is None else ""
        if isinstance(value, Frame):
            hint = "use a column of it, such as df.latency"
        elif isinstance(value, (list, tuple)):
            hint = "lists are not joined or compared: write the elements out in one list"
        elif isinstance(value, FunctionValue):
            column = "'column'" if value.name in AGGREGATES else "..."
            hint = f"call it: px.{value.name}({column})"
        raise Fault(f"an operand must be an expression, not {article(value)}", Kind.OPERATOR, hint, node)
    return value


def compare(interpreter: Interpreter, node: ast.Compare, scope: Scope) -> Any:
    """`a < b < c`, `a in [b, c]`."""
    parts = [node.left, *node.comparators]
    values = [interpreter.expression(part, scope) for part in parts]
    tests = [
        _comparison(op, values[position : position + 2], parts[position : position + 2])
        for position, op in enumerate(node.ops)
    ]
    if computes(*tests):
        return compute(partial(operators.joined, "logicalAnd"), tests, [node] * len(tests))
    return operators.joined("logicalAnd", tests)


def _comparison(op: ast.cmpop, values: list[Any], nodes: list[ast.expr]) -> Any:
    if isinstance(op, (ast.In, ast.NotIn)):
        if not isinstance(values[1], (list, tuple)) or is_form(values[1]):
            hint = "px.contains(text, part) looks for a part of a text"
            raise Fault(f"'in' needs a list, not {article(values[1])}", Kind.OPERATOR, hint, nodes[1])
        found = member(values[0], nodes[0], values[1], nodes[1])
        return _applied("logicalNot", [found], nodes[:1]) if isinstance(op, ast.NotIn) else found
    name = operators.COMPARE.get(type(op))
    if name is None:
        raise _unknown(op)
    return _applied(name, values, nodes)


def _unknown(op: ast.operator | ast.cmpop) -> Fault:
    symbol = operators.SYMBOLS[type(op)]
    return Fault(f"operator '{symbol}' is not part of PxL", Kind.OPERATOR, habits.OPERATORS.get(symbol, ""))


def member(value: Any, node: ast.AST, others: Sequence[Any], where: ast.AST) -> Any:
    """Whether `value` equals one of `others`; `node` and `where` they are written."""
    if computes(value, *others):
        nodes = [node, *(element(where, position) for position in range(len(others)))]
        return compute(lambda made: operators.equals_any(made[0], made[1:], where), [value, *others], nodes)
    return operators.equals_any(_operand(value, node), others, where)


def boolean(interpreter: Interpreter, node: ast.BoolOp, scope: Scope) -> Any:
    """`a and b and c`."""
    values = [interpreter.expression(value, scope) for value in node.values]
    name = operators.BOOLEAN[type(node.op)]
    result = values[0]
    for value, part in zip(values[1:], node.values[1:], strict=True):
        result = _applied(name, [result, value], [node.values[0], part])
    return result


def conditional(interpreter: Interpreter, node: ast.IfExp, scope: Scope) -> Any:
    """`a if test else b`: chosen now when the test is a literal."""
    test = interpreter.expression(node.test, scope)
    if isinstance(test, Scalar) and isinstance(test.expression, Literal):
        if test.type.data is not DataType.BOOLEAN:
            raise Fault(f"a condition must be BOOLEAN, this is {test.type.data.name}", Kind.TYPE, "", node.test)
        return interpreter.expression(node.body if test.expression.value else node.orelse, scope)
    parts = [node.test, node.body, node.orelse]
    values = [test, *(interpreter.expression(part, scope) for part in parts[1:])]
    if computes(*values):
        return compute(partial(call, "select"), values, parts)
    return call("select", [_operand(value, part) for value, part in zip(values, parts, strict=True)])


def joined_string(interpreter: Interpreter, node: ast.JoinedStr, scope: Scope) -> Any:
    """`f'{a} b'`."""
    nodes: list[ast.expr] = []
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            if part.format_spec is not None or part.conversion != -1:
                raise Fault("a format in an f-string is not part of PxL", Kind.OPERATOR, node=part)
            nodes.append(part.value)
        else:
            nodes.append(part)
    values = [interpreter.expression(part, scope) for part in nodes]
    if computes(*values):
        return compute(lambda made: _joined(made, nodes), values, nodes)
    return _joined([_operand(value, part) for value, part in zip(values, nodes, strict=True)], nodes)


def _joined(values: list[Scalar], nodes: list[ast.expr]) -> Scalar:
    """The text of `values`, one after the other."""
    result = literal("")
    for value, node in zip(values, nodes, strict=True):
        if isinstance(value.expression, Literal) and value.type.data is not DataType.UINT128:
            value = literal(str(value.expression.value))  # noqa: PLW2901 - its text stands for it
        elif value.type.data is not DataType.STRING:
            hint = _AS_TEXT.get(value.type.data, "")
            raise Fault(f"an f-string joins text, this is {value.type.data.name}", Kind.TYPE, hint, node)
        if result.literal == "":
            result = value
        elif value.literal != "":
            result = operators.apply("add", [result, value])
    return result


def unary(interpreter: Interpreter, node: ast.UnaryOp, scope: Scope) -> Any:
    """`not a`, `-a`, `~a`, `+a`."""
    if (
        isinstance(node.op, ast.USub)
        and isinstance(node.operand, ast.Constant)
        and type(node.operand.value) is int
        and node.operand.value == MAX_INT64 + 1
    ):
        return literal(-MAX_INT64 - 1)
    operand = interpreter.expression(node.operand, scope)
    if isinstance(node.op, ast.UAdd):
        return operand if computes(operand) else _operand(operand, node.operand)
    return _applied(operators.UNARY[type(node.op)], [operand], [node.operand])
