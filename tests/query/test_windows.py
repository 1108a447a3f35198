"""What open windows rely on: merged states of any aggregate become states that can be merged again."""

from __future__ import annotations

import duckdb
import pytest

from sylph.functions import digest
from sylph.functions.registry import AGGREGATES
from sylph.tables.types import DataType

COLUMNS = {
    DataType.BOOLEAN: "b",
    DataType.INT64: "i",
    DataType.UINT128: "u",
    DataType.FLOAT64: "f",
    DataType.STRING: "s",
    DataType.TIME64NS: "t",
}
PARTIAL = [
    pytest.param(overload, id=f"{name}-{'-'.join(arg.name for arg in overload.args)}")
    for name, function in AGGREGATES.items()
    for overload in function.overloads
    if overload.partial
]


@pytest.mark.parametrize("overload", PARTIAL)
def test_merged_states_are_states_again(overload):
    digest.register()
    with duckdb.connect() as connection:
        connection.execute("SET arrow_lossless_conversion = true")
        connection.execute(
            "CREATE TABLE rows AS SELECT n % 2 AS g, n AS i, n AS t, n / 4 AS f, n > 3 AS b, 'x' || n AS s, "
            "uuid() AS u FROM range(9) AS r(n)"
        )
        args = [COLUMNS[arg] for arg in overload.args]
        partial = ", ".join(f"{template.format(*args)} AS s{i}" for i, template in enumerate(overload.partial))
        states = connection.sql(f"SELECT g, {partial} FROM rows GROUP BY g").to_arrow_table()
        connection.register("states", states)
        merge = ", ".join(f"{template.format(f's{i}')} AS s{i}" for i, template in enumerate(overload.merge))
        merged = connection.sql(f"SELECT g, {merge} FROM states GROUP BY g").to_arrow_table()
        merged = merged.cast(states.schema)
        connection.register("merged", merged)
        again = connection.sql(f"SELECT g, {merge} FROM merged GROUP BY g").to_arrow_table()
        assert again.cast(states.schema).schema.types == states.schema.types
        assert again.num_rows == 2
