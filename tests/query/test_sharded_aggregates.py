"""Every aggregate over every type it takes: three nodes, one of them empty, answer as one does."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from sylph.functions.registry import AGGREGATES, resolve_aggregate
from sylph.plan.codec import decode, encode
from sylph.plan.expressions import AggregateCall
from sylph.plan.nodes import Aggregate, Source
from sylph.query.sharded import ShardedEngine
from sylph.tables.rows import Row
from sylph.tables.types import DataType
from sylph.testing.plans import col, plan
from sylph.testing.strategies import EXACT, rows
from tests.query.test_properties import LIMITS, RELATION, TABLES, Engines, answer, dataset

COLUMNS = {
    DataType.BOOLEAN: "ok",
    DataType.INT64: "n",
    DataType.UINT128: "upid",
    DataType.FLOAT64: "f",
    DataType.STRING: "Name",
    DataType.TIME64NS: "time_",
}


@pytest.mark.parametrize("groups", [(), ("ok",)])
@pytest.mark.parametrize("name", EXACT)
@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn=rows(RELATION))
def test_shards_answer_as_one(name: str, groups: tuple[str, ...], drawn: list[Row]) -> None:
    source = Source("t", RELATION)
    outputs = []
    for overload in AGGREGATES[name].overloads:
        args = tuple(col(source, COLUMNS[data]) for data in overload.args)
        if name == "sum" and overload.args[0] is DataType.FLOAT64:
            continue  # depends on the order of rows
        chosen, kind = resolve_aggregate(name, tuple(arg.type for arg in args))
        outputs.append((f"out{len(outputs)}", AggregateCall(name, args, chosen, kind, ())))
    query = plan(Aggregate(source, groups, tuple(outputs)), max_output_rows=100_000)
    Engines.one.dataset = dataset(drawn)
    for engine, part in zip(Engines.shards, (drawn[::2], drawn[1::2], []), strict=True):
        engine.dataset = dataset(part)
    sharded = ShardedEngine([(str(i), engine) for i, engine in enumerate(Engines.shards)], Engines.broker)
    expected = answer(Engines.one.run(query, limits=LIMITS))
    assert answer(sharded.run(query, limits=LIMITS)) == expected
    assert answer(Engines.one.run(decode(encode(query), TABLES), limits=LIMITS)) == expected
