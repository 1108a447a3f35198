"""Operators in a script's text: comparisons, conditions and f-strings included."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from sylph.plan.expressions import Literal
from sylph.pxl import operators
from sylph.pxl.aggregated import HINT, compute, computes
from sylph.pxl.errors import Kind
from sylph.pxl.scalars import call
from sylph.pxl.times import MAX_INT64
from sylph.pxl.values import Fault, Scalar, Scope, article, literal
from sylph.tables.types import DataType

if TYPE_CHECKING:
    from sylph.pxl.interpreter import Interpreter


def binary(interpreter: Interpreter, node: ast.BinOp, scope: Scope) -> Any:
    """`a + b`."""
    name = operators.BINARY.get(type(node.op))
    if name is None:
        raise Fault(f"operator '{operators.SYMBOLS[type(node.op)]}' is not part of PxL", Kind.OPERATOR)
    left = interpreter.expression(node.left, scope)
    right = interpreter.expression(node.right, scope)
    if computes(left, right):
        return compute(name, [left, right], [node.left, node.right])
    return operators.apply(name, [_operand(left, node.left), _operand(right, node.right)])


def _operand(value: Any, node: ast.expr) -> Scalar:
    if not isinstance(value, Scalar):
        raise Fault(f"an operand must be an expression, not {article(value)}", Kind.OPERATOR, "", node)
    return value


def compare(interpreter: Interpreter, node: ast.Compare, scope: Scope) -> Any:
    """`a < b < c`, `a in [b, c]`."""
    parts = [node.left, *node.comparators]
    values = [interpreter.expression(part, scope) for part in parts]
    if computes(*values):
        return _compared_aggregates(node, values, parts)
    tests = [
        _comparison(op, values[position : position + 2], parts[position : position + 2])
        for position, op in enumerate(node.ops)
    ]
    return operators.joined("logicalAnd", tests)


def _compared_aggregates(node: ast.Compare, values: list[Any], parts: list[ast.expr]) -> Any:
    result: Any = None
    for position, op in enumerate(node.ops):
        name = operators.COMPARE.get(type(op))
        if name is None:
            raise Fault(f"'{operators.SYMBOLS[type(op)]}' cannot be used with aggregates", Kind.OPERATOR, HINT)
        test = compute(name, values[position : position + 2], parts[position : position + 2])
        result = test if result is None else compute("logicalAnd", [result, test], [node, node])
    return result


def _comparison(op: ast.cmpop, values: list[Any], nodes: list[ast.expr]) -> Scalar:
    left = _operand(values[0], nodes[0])
    if isinstance(op, (ast.In, ast.NotIn)):
        if not isinstance(values[1], (list, tuple)):
            hint = "px.contains(text, part) looks for a part of a text"
            raise Fault(f"'in' needs a list, not {article(values[1])}", Kind.OPERATOR, hint, nodes[1])
        found = operators.equals_any(left, values[1], nodes[1])
        return operators.apply("logicalNot", [found]) if isinstance(op, ast.NotIn) else found
    name = operators.COMPARE.get(type(op))
    if name is None:
        raise Fault(f"operator '{operators.SYMBOLS[type(op)]}' is not part of PxL", Kind.OPERATOR)
    return operators.apply(name, [left, _operand(values[1], nodes[1])])


def boolean(interpreter: Interpreter, node: ast.BoolOp, scope: Scope) -> Any:
    """`a and b and c`."""
    values = [interpreter.expression(value, scope) for value in node.values]
    name = operators.BOOLEAN[type(node.op)]
    result = values[0]
    if computes(*values):
        for value, part in zip(values[1:], node.values[1:], strict=True):
            result = compute(name, [result, value], [node.values[0], part])
        return result
    result = _operand(result, node.values[0])
    for value, part in zip(values[1:], node.values[1:], strict=True):
        result = operators.apply(name, [result, _operand(value, part)])
    return result


def conditional(interpreter: Interpreter, node: ast.IfExp, scope: Scope) -> Any:
    """`a if test else b`: chosen now when the test is a literal."""
    condition = interpreter.expression(node.test, scope)
    if computes(condition):
        parts = [node.test, node.body, node.orelse]
        return compute("select", [condition, *(interpreter.expression(part, scope) for part in parts[1:])], parts)
    test = _operand(condition, node.test)
    if isinstance(test.expression, Literal):
        if test.type.data is not DataType.BOOLEAN:
            raise Fault(f"a condition must be BOOLEAN, this is {test.type.data.name}", Kind.TYPE, "", node.test)
        return interpreter.expression(node.body if test.expression.value else node.orelse, scope)
    branches = [_operand(interpreter.expression(branch, scope), branch) for branch in (node.body, node.orelse)]
    return call("select", [test, *branches])


def joined_string(interpreter: Interpreter, node: ast.JoinedStr, scope: Scope) -> Any:
    """`f'{a} b'`."""
    result = literal("")
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            if part.format_spec is not None or part.conversion != -1:
                raise Fault("a format in an f-string is not part of PxL", Kind.OPERATOR, node=part)
            value = _operand(interpreter.expression(part.value, scope), part.value)
            if isinstance(value.expression, Literal) and value.type.data is not DataType.UINT128:
                value = literal(str(value.expression.value))
            elif value.type.data is not DataType.STRING:
                hint = "px.itoa(x) turns an integer into text"
                raise Fault(f"an f-string joins text, this is {value.type.data.name}", Kind.TYPE, hint, part.value)
        else:
            value = _operand(interpreter.expression(part, scope), part)
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
    if computes(operand):
        plus = isinstance(node.op, ast.UAdd)
        return operand if plus else compute(operators.UNARY[type(node.op)], [operand], [node.operand])
    value = _operand(operand, node.operand)
    if isinstance(node.op, ast.UAdd):
        return value
    return operators.apply(operators.UNARY[type(node.op)], [value])
