"""Operators: which function each one is, and what it gives for two constants."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Any

from sylph.plan.expressions import Literal, LiteralValue
from sylph.pxl import limits
from sylph.pxl.errors import Kind
from sylph.pxl.scalars import call, resolve
from sylph.pxl.times import MAX_INT64, MIN_INT64
from sylph.pxl.values import Fault, Scalar, article, element, literal
from sylph.tables.types import DataType

BINARY = MappingProxyType(
    {
        ast.Add: "add",
        ast.Sub: "subtract",
        ast.Mult: "multiply",
        ast.Div: "divide",
        ast.Mod: "modulo",
    }
)
COMPARE = MappingProxyType(
    {
        ast.Eq: "equal",
        ast.NotEq: "notEqual",
        ast.Lt: "lessThan",
        ast.LtE: "lessThanEqual",
        ast.Gt: "greaterThan",
        ast.GtE: "greaterThanEqual",
    }
)
BOOLEAN = MappingProxyType({ast.And: "logicalAnd", ast.Or: "logicalOr"})
UNARY = MappingProxyType({ast.Not: "logicalNot", ast.USub: "negate", ast.Invert: "invert"})

#: How operators without a function are written, for messages.
SYMBOLS = MappingProxyType(
    {
        ast.FloorDiv: "//",
        ast.Pow: "**",
        ast.LShift: "<<",
        ast.RShift: ">>",
        ast.BitOr: "|",
        ast.BitAnd: "&",
        ast.BitXor: "^",
        ast.MatMult: "@",
        ast.In: "in",
        ast.NotIn: "not in",
        ast.Is: "is",
        ast.IsNot: "is not",
    }
)

_EPSILON = 2.220446049250313e-16


def apply(name: str, args: list[Scalar]) -> Scalar:
    """Operator `name` on `args`: computed now when all are literals, otherwise a call."""
    if not all(isinstance(arg.expression, Literal) for arg in args):
        return call(name, args)
    _, type_ = resolve(name, [arg.expression for arg in args])
    values = [arg.expression.value for arg in args if isinstance(arg.expression, Literal)]
    result = _FOLD[name](*values)
    if type_.data in {DataType.INT64, DataType.TIME64NS}:
        result = int(result)
        if not MIN_INT64 <= result <= MAX_INT64:
            raise Fault("the result of this operation does not fit 64 bits", Kind.TYPE)
    elif type_.data is DataType.FLOAT64:
        result = float(result)
    elif type_.data is DataType.BOOLEAN:
        result = bool(result)
    return literal(result, type_)


def joined(name: str, tests: list[Scalar]) -> Scalar:
    """All of `tests` joined by a boolean operator, in pairs, so that a long list does not make a deep expression."""
    while len(tests) > 1:
        pairs = [apply(name, tests[i : i + 2]) for i in range(0, len(tests) - 1, 2)]
        tests = pairs + tests[len(tests) // 2 * 2 :]
    return tests[0]


def equals_any(value: Scalar, others: Sequence[Any], where: ast.AST) -> Scalar:
    """Whether `value` equals one of `others`; `where` their list is written."""
    if not others:
        raise Fault("there must be at least one value to compare with", Kind.CALL, node=where)
    tests = []
    for position, other in enumerate(others):
        if not isinstance(other, Scalar):
            message = f"a value to compare with must be an expression, not {article(other)}"
            raise Fault(message, Kind.CALL, node=element(where, position))
        tests.append(apply("equal", [value, other]))
    return joined("logicalOr", tests)


def _add(a: Any, b: Any) -> LiteralValue:
    if isinstance(a, str) and len(a) + len(b) > limits.MAX_STRING:
        raise Fault(f"the text is longer than {limits.MAX_STRING:,} characters", Kind.LIMIT)
    result: LiteralValue = a + b
    return result


def _divide(a: float, b: float) -> float:
    if b == 0:
        if a == 0 or math.isnan(a):
            return math.nan
        return math.copysign(math.inf, a) * math.copysign(1.0, b)
    return float(a) / float(b)


def _modulo(a: int, b: int) -> int:
    if b == 0:
        raise Fault("modulo by zero", Kind.TYPE)
    return int(math.copysign(1, a)) * (abs(a) % abs(b))


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float) and math.isfinite(a) and math.isfinite(b):
        return abs(a - b) < _EPSILON
    return bool(a == b)


_FOLD: dict[str, Callable[..., Any]] = {
    "add": _add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": _divide,
    "modulo": _modulo,
    "equal": _equal,
    "notEqual": lambda a, b: not _equal(a, b),
    "lessThan": operator.lt,
    "lessThanEqual": operator.le,
    "greaterThan": operator.gt,
    "greaterThanEqual": operator.ge,
    "logicalAnd": lambda a, b: bool(a) and bool(b),
    "logicalOr": lambda a, b: bool(a) or bool(b),
    "logicalNot": operator.not_,
    "negate": operator.neg,
    "invert": operator.invert,
}
