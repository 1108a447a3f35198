"""Cases of function overloads, and how they are run: a table whose columns are the arguments, through a whole query."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field

import pyarrow as pa

from sylph.functions.signature import LETTERS
from sylph.pxl.compile import compile_script
from sylph.query.answer import Rows
from sylph.query.engine import Engine
from sylph.tables.declare import Column, Table
from sylph.tables.rows import record_batch
from sylph.tables.types import ColumnType, DataType, PatternType, SemanticType
from sylph.testing import cluster
from sylph.testing.dataset import MemoryDataset

NOW_NS = 1_700_000_000_000_000_000


def key(name: str, args: tuple[DataType, ...], init: tuple[DataType, ...] = ()) -> str:
    """The stable id of an overload: `add(INT64,INT64)`; literal-only arguments come first, before a semicolon."""
    first = f"{','.join(data.name for data in init)};" if init else ""
    return f"{name}({first}{','.join(data.name for data in args)})"


@dataclass
class Call:
    """One script over rows of arguments. A case is (arguments, wanted) or (arguments, wanted, how to compare)."""

    name: str
    args: tuple[DataType, ...]
    result: DataType
    cases: tuple[tuple[object, ...], ...]
    init: str | None = None

    def check(self, metadata: dict[str, pa.Table] | None = None) -> None:
        columns = {f"a{place}": data for place, data in enumerate(self.args)}
        arguments = [f"df.{name}" for name in columns]
        if self.init is not None:
            arguments.insert(0, repr(self.init))
        source = f"import px\ndf = px.DataFrame('given')\ndf.v = px.{self.name}({', '.join(arguments)})\npx.display(df[['row', 'v']])"
        rows = [{f"a{place}": value for place, value in enumerate(case[0])} for case in self.cases]
        found, kind = run(source, columns, rows, metadata)
        assert kind.data is self.result
        assert len(found) == len(self.cases)
        for case in zip(found, self.cases, strict=True):
            value, (args, wanted, *how) = case
            assert fits(value, wanted, how[0] if how else ""), (self.name, args, value, wanted)


def run(
    source: str,
    columns: dict[str, DataType],
    rows: list[dict[str, object]],
    metadata: dict[str, pa.Table] | None = None,
) -> tuple[list[object], ColumnType]:
    """Column `v` of the result by row number, and its type; the rows are table `given`."""
    made = [Column("row", DataType.INT64, SemanticType.ST_NONE, PatternType.GENERAL, "Number.")]
    made += [Column(name, data, SemanticType.ST_NONE, PatternType.GENERAL, "Given.") for name, data in columns.items()]
    table = Table("given", "For tests.", "test", tuple(made))
    plan = compile_script(source, tables={"given": table}, now_ns=NOW_NS)
    data = MemoryDataset(
        tables={"given": table}, metadata=metadata or cluster.entities(NOW_NS), constants=cluster.CONSTANTS
    )
    data.add("given", record_batch(table.relation, [{"row": number, **row} for number, row in enumerate(rows)]))
    engine = Engine(data, threads=1)
    try:
        batches = [result.batch for result in engine.run(plan) if isinstance(result, Rows)]
    finally:
        engine.close()
    found = sorted(
        ((row.get("row", 0), plain(row["v"])) for batch in batches for row in batch.to_pylist()), key=lambda one: one[0]
    )
    return [value for _, value in found], plan.sinks[0].input.relation["v"]


def plain(value: object) -> object:
    """UINT128 as an integer."""
    return value.int if hasattr(value, "int") else int.from_bytes(value, "big") if isinstance(value, bytes) else value


def fits(value: object, wanted: object, how: str) -> bool:
    match how:
        case "any":
            return value is not None
        case "json":
            return json.loads(str(value)) == wanted
        case "json-length":
            return len(json.loads(str(value))) == wanted
        case "json-error":
            return "error" in json.loads(str(value))
        case "json-query":
            one, other = json.loads(str(value)), json.loads(str(wanted))
            return "".join(one["query"].split()) == "".join(other["query"].split()) and one["params"] == other["params"]
    if isinstance(wanted, float) and isinstance(value, float):
        return (math.isnan(wanted) and math.isnan(value)) or math.isclose(value, wanted, rel_tol=1e-14)
    return type(value) is type(wanted) and value == wanted


@dataclass
class Overloads:
    """Calls by the id of their overload."""

    calls: dict[str, list[Call]] = field(default_factory=dict)

    def give(self, name: str, args: str, result: str, *cases: tuple[object, ...], init: str | None = None) -> None:
        """`name` of arguments by their letters (I F S B T U)."""
        types = tuple(LETTERS[letter] for letter in args)
        inits = () if init is None else (DataType.STRING,)
        self.calls.setdefault(key(name, types, inits), []).append(Call(name, types, LETTERS[result], cases, init))
