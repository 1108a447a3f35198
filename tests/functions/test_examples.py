import math

import pyarrow as pa
import pytest

from sylph.functions.example_cluster import CONSTANTS, ENTITY_ROWS
from sylph.functions.example_rows import ROWS
from sylph.functions.registry import AGGREGATES, SCALARS
from sylph.pxl.compile import compile_script
from sylph.query.answer import Rows
from sylph.query.engine import Engine
from sylph.query.sharded import ShardedEngine
from sylph.tables import TABLES
from sylph.tables.declare import Column, Table
from sylph.tables.entities import ENTITIES
from sylph.tables.rows import record_batch
from sylph.tables.types import DUCKDB_TYPES, DataType, PatternType
from sylph.tables.types import SemanticType as St
from sylph.testing.dataset import MemoryDataset
from tests.functions.support import expression_sql

NOW_NS = 1_700_000_100_000_000_000


def asks_the_cluster(name):
    return any(overload.lookup is not None or not overload.args for overload in SCALARS[name].overloads)


EXAMPLES = [(name, example) for name, function in SCALARS.items() for example in function.examples]
COMPUTED = [(name, example) for name, example in EXAMPLES if not asks_the_cluster(name)]
OF_THE_CLUSTER = [example for name, example in EXAMPLES if asks_the_cluster(name)]


@pytest.mark.parametrize(("name", "example"), COMPUTED, ids=[example.expression for _, example in COMPUTED])
def test_example(duck, name, example):
    sql, result = expression_sql(example.expression)
    value, kind = duck.execute(f"SELECT v, typeof(v) FROM (SELECT {sql} AS v)").fetchall()[0]
    assert kind == DUCKDB_TYPES[result.data]
    assert type(value) is type(example.value)
    assert value == example.value or (isinstance(value, float) and math.isclose(value, example.value, rel_tol=1e-15))


@pytest.fixture(scope="module")
def cluster():
    entities = {name: pa.Table.from_batches([record_batch(ENTITIES[name], [row])]) for name, row in ENTITY_ROWS.items()}
    data = MemoryDataset(metadata=entities, constants=CONSTANTS)
    data.add("http_events", record_batch(TABLES["http_events"].relation, [{"time_": NOW_NS}]))
    engine = Engine(data)
    yield engine
    engine.close()


@pytest.mark.parametrize("example", OF_THE_CLUSTER, ids=[example.expression for example in OF_THE_CLUSTER])
def test_example_of_the_cluster(cluster, example):
    source = f"import px\ndf = px.DataFrame('http_events')\ndf.v = {example.expression}\npx.display(df[['v']])"
    (rows,) = (each for each in cluster.run(compile_script(source, now_ns=NOW_NS)) if isinstance(each, Rows))
    (found,) = rows.batch.to_pylist()
    assert found["v"] == example.value
    assert type(found["v"]) is type(example.value)


OF_ROWS = [example for function in AGGREGATES.values() for example in function.examples]
_TYPES = {bool: DataType.BOOLEAN, int: DataType.INT64, float: DataType.FLOAT64, str: DataType.STRING}


@pytest.fixture(scope="module")
def rows():
    kinds = {name: DataType.TIME64NS if name == "time_" else _TYPES[type(values[0])] for name, values in ROWS.items()}
    table = Table(
        "rows",
        "For examples.",
        "test",
        tuple(Column(name, kind, St.ST_NONE, PatternType.GENERAL, "A column.") for name, kind in kinds.items()),
    )
    nodes = [MemoryDataset(tables={"rows": table}) for _ in range(3)]
    for row, data in zip(zip(*ROWS.values(), strict=True), nodes, strict=True):
        data.add("rows", record_batch(table.relation, [dict(zip(ROWS, row, strict=True))]))
    whole = MemoryDataset(tables={"rows": table})
    for data in nodes:
        whole.add("rows", data.rows["rows"].batches[0])
    broker = Engine(MemoryDataset(tables={"rows": table}))
    engines = {
        "one": Engine(whole),
        "many": ShardedEngine([(f"{i}", Engine(data)) for i, data in enumerate(nodes)], broker),
    }
    return table, engines


@pytest.mark.parametrize("where", ["one", "many"])
@pytest.mark.parametrize("example", OF_ROWS, ids=[example.expression for example in OF_ROWS])
def test_example_of_an_aggregate(rows, example, where):
    table, engines = rows
    source = f"import px\ndf = px.DataFrame('rows').agg(v={example.expression})\npx.display(df)"
    plan = compile_script(source, now_ns=NOW_NS, tables={"rows": table})
    (given,) = (each for each in engines[where].run(plan) if isinstance(each, Rows))
    (found,) = given.batch.to_pylist()
    assert found["v"] == example.value
    assert type(found["v"]) is type(example.value)


def test_every_function_has_an_example():
    assert [name for name, function in {**SCALARS, **AGGREGATES}.items() if not function.examples] == []
