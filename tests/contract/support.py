"""Rules of the language as data: what a script gives, or the words in which it is refused."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pytest

from sylph.pxl.compile import Compiled, ExecFunc, check_script, compile_script
from sylph.pxl.errors import CompileError
from sylph.query.answer import Rows, TableMeta
from sylph.query.engine import Engine
from sylph.tables import TABLES
from sylph.tables.declare import Column, Table
from sylph.tables.entities import ENTITIES
from sylph.tables.rows import record_batch
from sylph.tables.types import ColumnType, DataType, PatternType, SemanticType
from sylph.testing.dataset import MemoryDataset

NOW_NS = 1_700_000_000_000_000_000
SECOND = 1_000_000_000
UPID = 1 << 96 | 7 << 64 | 9
UUID = "00000001-0000-0007-0000-000000000009"


def parse_type(text: str) -> ColumnType:
    """`INT64[BYTES]`."""
    data, _, semantic = text.rstrip("]").partition("[")
    return ColumnType(DataType[data], SemanticType[f"ST_{semantic or 'NONE'}"])


def show_type(kind: ColumnType) -> str:
    semantic = kind.semantic.name.removeprefix("ST_")
    return kind.data.name + ("" if semantic == "NONE" else f"[{semantic}]")


def table(name: str, columns: str) -> Table:
    made = []
    for item in columns.split():
        column, _, kind = item.partition(":")
        type_ = parse_type(kind)
        made.append(Column(column, type_.data, type_.semantic, PatternType.GENERAL, "A column."))
    return Table(name, "For tests.", "test", tuple(made))


#: Columns of `t`, which rules are mostly about.
T = (
    "time_:TIME64NS upid:UINT128[UPID] i:INT64 j:INT64 f:FLOAT64 g:FLOAT64 s:STRING r:STRING b:BOOLEAN c:BOOLEAN "
    "d:INT64[DURATION_NS] n:INT64[BYTES] p:FLOAT64[PERCENT] pod:STRING[POD_NAME]"
)
OWN = {
    "t": table("t", T),
    "other": table("other", "time_:TIME64NS i:INT64 k:INT64 s:STRING"),
    "bare": table("bare", "i:INT64 s:STRING"),
    "empty": table("empty", "time_:TIME64NS i:INT64 f:FLOAT64 s:STRING b:BOOLEAN"),
    "named": table("named", "time_:TIME64NS head:INT64 filter:STRING ctx:STRING agg:INT64"),
    "pods": table("pods", "time_:TIME64NS pod_id:STRING pod_name:STRING service_name:STRING"),
    "addressed": table("addressed", "time_:TIME64NS upid:UINT128[UPID] local_addr:STRING"),
}
T_ROWS = [
    {"time_": NOW_NS - 3 * SECOND, "upid": UPID, "i": 7, "j": 3, "f": 1.5, "g": 2.0, "s": "ab", "r": "b", "b": True,
     "c": False, "d": 1000, "n": 4096, "p": 0.5, "pod": "ns/a"},
    {"time_": NOW_NS - 2 * SECOND, "upid": UPID, "i": -2, "j": 5, "f": -0.5, "g": 0.0, "s": "", "r": "x", "b": False,
     "c": False, "d": 2000, "n": 0, "p": 0.25, "pod": "ns/b"},
    {"time_": NOW_NS - SECOND, "upid": UPID, "i": 0, "j": 3, "f": 0.0, "g": 1.0, "s": "é", "r": "é", "b": True,
     "c": True, "d": 3000, "n": 1, "p": 1.0, "pod": "ns/a"},
]  # fmt: skip
ROWS: Mapping[str, list[dict[str, object]]] = {
    "t": T_ROWS,
    "other": [
        {"time_": NOW_NS - 5 * SECOND, "i": 7, "k": 70, "s": "seven"},
        {"time_": NOW_NS - SECOND - 1, "i": 9, "k": 90, "s": "nine"},
    ],
    "bare": [{"i": 1, "s": "x"}, {"i": 2, "s": "y"}],
    "named": [{"time_": 1, "head": 2, "filter": "f", "ctx": "c", "agg": 3}],
    "pods": [{"time_": 1, "pod_id": "pod-1", "pod_name": "ns/web", "service_name": "ns/svc"}],
    "addressed": [{"time_": NOW_NS, "upid": UPID, "local_addr": "10.0.0.1"}],
}


def metadata() -> dict[str, pa.Table]:
    process = {"upid": UPID, "pod_id": "pod-1", "pod_name": "ns/web", "service_name": "ns/svc", "namespace": "ns"}
    process |= {"cmdline": "nginx", "container_name": "main", "container_id": "c1", "hostname": "web"}
    pod = {"pod_id": "pod-1", "pod_name": "ns/web", "service_name": "ns/svc", "namespace": "ns", "node_name": "node-1"}
    return {
        "process": pa.Table.from_batches([record_batch(ENTITIES["process"], [process])]),
        "pod": pa.Table.from_batches([record_batch(ENTITIES["pod"], [pod])]),
    }


def engine() -> Engine:
    """An engine over the tables above."""
    data = MemoryDataset(tables={**TABLES, **OWN}, metadata=metadata())
    for name, rows in ROWS.items():
        data.add(name, record_batch(OWN[name].relation, rows))
    # One thread: rules are about which rows there are; DuckDB's order is that of its threads where none is asked for.
    return Engine(data, threads=1)


@dataclass(frozen=True)
class Case:
    """One script. Without `error` it compiles; `tables`, `rows` and `order` are what it must then give."""

    source: str
    error: str = ""
    line: int | None = None
    tables: Mapping[str, str] = field(default_factory=dict)
    rows: Mapping[str, Sequence[tuple[object, ...]]] = field(default_factory=dict)
    calls: tuple[ExecFunc, ...] = ()
    mutations: tuple[str, ...] = ()
    hint: str = ""

    def check(self, on: Engine) -> None:
        tables = {**TABLES, **OWN}
        if self.error:
            self._check_refused(tables)
            return
        compiled = check_script(self.source, tables=tables, now_ns=NOW_NS, exec_funcs=self.calls)
        assert isinstance(compiled, Compiled)
        found = {
            sink.name: " ".join(f"{name}:{show_type(kind)}" for name, kind in sink.input.relation.items())
            for sink in compiled.plan.sinks
        }
        if self.tables:
            assert found == dict(self.tables)
            assert list(found) == list(self.tables)
        if self.mutations:
            assert tuple(type(each).__name__ for each in (*compiled.mutations, *compiled.exports)) == self.mutations
        if self.rows:
            given = self._run(on)
            for name, rows in self.rows.items():
                assert len(given[name]) == len(rows), given[name]
                for one, wanted in zip(given[name], rows, strict=True):
                    assert len(one) == len(wanted), one
                    assert all(same(*pair) for pair in zip(one, wanted, strict=True)), (one, wanted)

    def _check_refused(self, tables: Mapping[str, Table]) -> None:
        with pytest.raises(CompileError) as caught:
            check_script(self.source, tables=tables, now_ns=NOW_NS, exec_funcs=self.calls)
        found = caught.value
        fitting = [each for each in found.errors if self.error.lower() in each.message.lower()]
        assert fitting, f"no error says {self.error!r}:\n{found}"
        if self.line is not None:
            assert self.line in {each.line for each in fitting}, str(found)
        assert self.calls or all(each.line > 0 and each.column > 0 for each in found.errors), str(found)
        assert any(self.hint in each.hint for each in fitting), str(found)

    def _run(self, on: Engine) -> dict[str, list[tuple[object, ...]]]:
        plan = compile_script(self.source, tables={**TABLES, **OWN}, now_ns=NOW_NS, exec_funcs=self.calls)
        given: dict[str, list[tuple[object, ...]]] = {}
        for result in on.run(plan):
            if isinstance(result, TableMeta):
                given[result.name] = []
            elif isinstance(result, Rows):
                given[result.name] += [tuple(row.values()) for row in result.batch.to_pylist()]
        return given


def same(one: object, wanted: object) -> bool:
    if isinstance(wanted, float) and isinstance(one, float):
        return math.isclose(one, wanted, rel_tol=1e-12) or (math.isnan(one) and math.isnan(wanted))
    return type(one) is type(wanted) and one == wanted


PRELUDE = "import px\ndf = px.DataFrame('t')\n"


def accepted(source: str, columns: str = "", *rows: tuple[object, ...], **tables: str) -> Case:
    """A whole script, with the columns (and rows) of its table `output`, or those of `tables`."""
    given = {"output": columns} if columns else tables
    return Case(source, tables=given, rows={"output": rows} if rows else {})


def on_t(lines: str, columns: str = "", *rows: tuple[object, ...]) -> Case:
    """Lines after `df = px.DataFrame('t')`, and before `px.display(df)`; line 3 is the first."""
    return accepted(f"{PRELUDE}{lines}\npx.display(df)", columns, *rows)


def value(expression: str, kind: str, *wanted: object) -> Case:
    """An expression over `df`, with its type and its values in the three rows of `t` (or in all)."""
    wanted = wanted * 3 if len(wanted) == 1 else wanted
    return on_t(f"df.v = {expression}\ndf = df[['v']]", f"v:{kind}", *((one,) for one in wanted))


def refused(source: str, error: str, line: int | None = None, hint: str = "") -> Case:
    return Case(source, error=error, line=line, hint=hint)


def refused_on_t(lines: str, error: str, line: int | None = 3, hint: str = "") -> Case:
    return Case(f"{PRELUDE}{lines}\npx.display(df)", error=error, line=line, hint=hint)


def called(
    source: str, name: str, args: Mapping[str, str], *rows: tuple[object, ...], error: str = "", prefix: str = "out",
    **tables: str,
) -> Case:  # fmt: skip
    """A call of a function of the script, as a client asks for it."""
    return Case(
        source,
        error=error,
        calls=(ExecFunc(name, prefix, args),),
        tables=tables,
        rows={prefix: rows} if rows else {},
    )


@dataclass(frozen=True)
class Rule:
    """A rule with a stable id, and the scripts that show it."""

    id: str
    text: str
    cases: tuple[Case, ...]


class Rules(dict[str, Rule]):
    """Rules by id."""

    def add(self, rule_id: str, text: str, *cases: Case) -> None:
        assert rule_id not in self, rule_id
        assert cases, rule_id
        self[rule_id] = Rule(rule_id, text, cases)
