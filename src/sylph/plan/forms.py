"""Parts of a plan as JSON, each checked as if it came from an enemy. All raise PlanError for what they cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sylph.functions.declare import Argument
from sylph.plan.errors import PlanError
from sylph.plan.expressions import LiteralValue
from sylph.plan.literals import value_sql
from sylph.tables.types import ColumnType, DataType, Relation

MAX_COLUMNS = 5_000
MAX_NAME = 4_096


def mapping(form: object, what: str) -> dict[str, Any]:
    """An object."""
    if not isinstance(form, dict):
        raise PlanError(f"{what} is not an object")
    return form


def fields(form: object, what: str, expected: set[str]) -> Mapping[str, Any]:
    """An object of these fields and no others."""
    found = mapping(form, what)
    if set(found) != expected:
        raise PlanError(f"{what} has other fields than {', '.join(sorted(expected))}")
    return found


def array(form: object, what: str, most: int) -> list[Any]:
    """A list of at most so many items."""
    if not isinstance(form, list):
        raise PlanError(f"{what} is not a list")
    if len(form) > most:
        raise PlanError(f"{what} has more than {most} items")
    return form


def exactly(form: object, what: str, count: int) -> list[Any]:
    """A list of so many items."""
    items = array(form, what, count)
    if len(items) != count:
        raise PlanError(f"{what} has {len(items)} items, not {count}")
    return items


def integer(form: object, what: str, least: int, most: int) -> int:
    """An integer in a range, both ends included."""
    if not isinstance(form, int) or isinstance(form, bool) or not least <= form <= most:
        raise PlanError(f"{what} is not an integer from {least} to {most}")
    return form


def boolean(form: object, what: str) -> bool:
    """True or false."""
    if not isinstance(form, bool):
        raise PlanError(f"{what} is not true or false")
    return form


def time(form: object) -> int | None:
    """A time in ns, or none."""
    return None if form is None else integer(form, "time", -(2**63), 2**63 - 1)


def enum(kind: Any, form: object) -> Any:
    """A member of the IntEnum `kind` by its number."""
    try:
        return kind(integer(form, kind.__name__, 0, 2**16))
    except ValueError:
        raise PlanError(f"{form!r} is no {kind.__name__}") from None


def name(form: object) -> str:
    """A name of anything."""
    if not isinstance(form, str) or len(form) > MAX_NAME:
        raise PlanError(f"not a name: {form!r:.50}")
    try:
        form.encode()
    except UnicodeEncodeError:
        raise PlanError("a name is not valid Unicode") from None
    return form


def names(form: object) -> list[str]:
    """Names of columns, each once."""
    found = [name(item) for item in array(form, "names", MAX_COLUMNS)]
    distinct(found)
    return found


def distinct(forms: list[Any]) -> None:
    """Checks that these are names, each once."""
    seen: set[str] = set()
    for form in forms:
        if name(form) in seen:
            raise PlanError(f"column {form!r:.50} is there twice")
        seen.add(form)


def column(relation: Relation, form: object) -> ColumnType:
    """The type of a column that is named."""
    kind = relation.get(name(form))
    if kind is None:
        raise PlanError(f"there is no column {form!r:.50}")
    return kind


def value(form: object) -> LiteralValue:
    """What `value_out` wrote."""
    match form:
        case bool() | str():
            return form
        case {"i": str(text), **rest} if not rest and len(text) <= 40 and text.lstrip("-").isascii():
            try:
                return int(text)
            except ValueError:
                pass
        case {"f": str(text), **rest} if not rest and len(text) <= 60:
            try:
                return float.fromhex(text)
            except (ValueError, OverflowError):
                pass
        case _:
            pass
    raise PlanError(f"not a value: {form!r:.50}")


def value_out(value: LiteralValue) -> object:
    """A value as JSON that `value` reads again."""
    # JSON has no infinities, and numbers beyond 2^53 are not safe in it everywhere.
    if isinstance(value, float) and not isinstance(value, bool):
        return {"f": value.hex()}
    if isinstance(value, int) and not isinstance(value, bool):
        return {"i": str(int(value))}
    return value


def argument(declared: Argument, given: Mapping[str, Any]) -> LiteralValue:
    """The value of a table function's argument, by name or by default."""
    if declared.name in given:
        found = value(given[declared.name])
    elif declared.default is not None:
        found = declared.default
    else:
        raise PlanError(f"argument {declared.name!r} is missing")
    if not (declared.data is DataType.UINT128 and isinstance(found, str)):
        value_sql(found, declared.data)
    return found
