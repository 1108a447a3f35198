import math

import pytest

from sylph.functions.registry import SCALARS
from sylph.tables.types import DUCKDB_TYPES
from tests.functions.support import expression_sql

EXAMPLES = [(name, example) for name, function in SCALARS.items() for example in function.examples]


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=[example.expression for _, example in EXAMPLES])
def test_example(duck, name, example):
    sql, result = expression_sql(example.expression)
    value, kind = duck.execute(f"SELECT v, typeof(v) FROM (SELECT {sql} AS v)").fetchall()[0]
    assert kind == DUCKDB_TYPES[result.data]
    assert type(value) is type(example.value)
    assert value == example.value or (isinstance(value, float) and math.isclose(value, example.value, rel_tol=1e-15))


def test_every_function_that_computes_has_an_example():
    missing = [
        name
        for name, function in SCALARS.items()
        if not function.examples and any(overload.args and overload.lookup is None for overload in function.overloads)
    ]
    assert missing == []
