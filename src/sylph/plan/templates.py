"""SQL templates of functions, filled in as text.

A template is a format string: `{0}` is the first argument, `{name}` a constant of the node that runs it
(see `CONSTANTS`), `{{` and `}}` are braces.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sylph.plan.errors import PlanError
from sylph.plan.literals import ZERO_SQL, value_sql
from sylph.tables.types import DataType

#: What a node knows of itself, and templates may use.
CONSTANTS: Mapping[str, DataType] = {
    "asid": DataType.INT64,
    "hostname": DataType.STRING,
    "num_cpus": DataType.INT64,
    "vizier_id": DataType.STRING,
    "vizier_name": DataType.STRING,
    "vizier_namespace": DataType.STRING,
    "cidrs": DataType.STRING,
}


def constants_sql(values: Mapping[str, str | int]) -> dict[str, str]:
    """SQL of every constant; one that is not given is its type's zero value."""
    return {
        name: value_sql(values[name], data) if name in values else ZERO_SQL[data] for name, data in CONSTANTS.items()
    }


def fill(template: str, args: Sequence[str], constants: Mapping[str, str]) -> str:
    """The template with arguments and constants (both SQL text) in place."""
    try:
        return template.format(*args, **constants)
    except (IndexError, KeyError) as error:
        raise PlanError(f"template {template!r} wants {error} of {len(args)} arguments") from None
