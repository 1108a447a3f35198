"""Short notation for signatures: `(I,F)->F` for a function of an INT64 and a FLOAT64 that gives a FLOAT64.

Letters: B BOOLEAN, I INT64, U UINT128, F FLOAT64, S STRING, T TIME64NS. `[S];(S,S)->S` has one init argument.
"""

from __future__ import annotations

from sylph.functions.declare import AggregateOverload, Lookup, Overload
from sylph.tables.types import DataType

LETTERS = {
    "B": DataType.BOOLEAN,
    "I": DataType.INT64,
    "U": DataType.UINT128,
    "F": DataType.FLOAT64,
    "S": DataType.STRING,
    "T": DataType.TIME64NS,
}


def parse(signature: str) -> tuple[tuple[DataType, ...], tuple[DataType, ...], DataType]:
    """Init arguments, arguments and result of one signature."""
    left, result = signature.split("->")
    init, separator, args = left.partition(";")
    if not separator:
        init, args = "", left
    return _types(init), _types(args), LETTERS[result]


def _types(text: str) -> tuple[DataType, ...]:
    inner = text.strip("()[]")
    return tuple(LETTERS[letter] for letter in inner.split(",")) if inner else ()


def sql(signatures: str, template: str, fast: str | None = None) -> tuple[Overload, ...]:
    """One overload for each of the blank-separated `signatures`, all with the same template."""
    return tuple(
        Overload(args=args, result=result, sql=template, init=init, fast=fast)
        for init, args, result in map(parse, signatures.split())
    )


def kernel(signature: str, name: str) -> tuple[Overload, ...]:
    """One overload that runs as the kernel `name` of `sylph.functions.kernels`."""
    init, args, result = parse(signature)
    return (Overload(args=args, result=result, kernel=f"px_{name}", init=init),)


def lookup(signature: str, entity: str, key: str, value: str) -> tuple[Overload, ...]:
    """One overload that looks `value` up in a metadata entity."""
    _, args, result = parse(signature)
    return (Overload(args=args, result=result, lookup=Lookup(entity, key, value)),)


def aggregate(
    signatures: str, template: str, partial: tuple[str, ...], merge: tuple[str, ...], final: str
) -> tuple[AggregateOverload, ...]:
    """One aggregate overload for each of the blank-separated `signatures`."""
    return tuple(
        AggregateOverload(args=args, result=result, sql=template, partial=partial, merge=merge, final=final)
        for _, args, result in map(parse, signatures.split())
    )


def wrap_int64(hugeint: str) -> str:
    """SQL that reduces a HUGEINT expression to a BIGINT modulo 2^64, as C's int64 arithmetic does; never raises."""
    return (
        f"CAST(xor(({hugeint}) & 18446744073709551615::HUGEINT, 9223372036854775808::HUGEINT)"
        " - 9223372036854775808::HUGEINT AS BIGINT)"
    )


def quote(text: str) -> str:
    """A SQL string literal, with braces doubled for use inside a template."""
    return "'" + text.replace("'", "''").replace("{", "{{").replace("}", "}}") + "'"
