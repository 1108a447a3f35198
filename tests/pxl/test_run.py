"""What compiles also runs: fixtures and pxviews over real rows in the query engine, with the columns that were promised."""

import re
from pathlib import Path

import pyarrow as pa
import pytest

from sylph.pxl.compile import ExecFunc, compile_script
from sylph.query.answer import Rows, TableMeta
from sylph.query.engine import Engine
from sylph.tables import TABLES
from sylph.tables.entities import ENTITIES
from sylph.tables.rows import record_batch
from sylph.tables.types import arrow_schema
from sylph.testing.dataset import MemoryDataset

FIXTURES = Path(__file__).parent / "fixtures"
VIEWS = Path(__file__).parent.parent.parent / "src/sylph/pxl/pxviews.pxl"
SECOND = 1_000_000_000
NOW_NS = 1_700_000_000 * SECOND
UPID = 1 << 96 | 7 << 64 | 9

#: Fixtures that ask for what the engine does not have here.
NOT_RUN = {"streaming": "is without end", "table_functions": "asks the broker", "flags": "asks for an explanation"}


@pytest.fixture(scope="module")
def engine():
    data = MemoryDataset()
    for name in ("http_events", "conn_stats", "process_stats", "network_stats", "stack_traces.beta"):
        relation = TABLES[name].relation
        rows = []
        for i in range(20):
            row = {"time_": NOW_NS - (20 - i) * SECOND, "upid": UPID, "pod_id": "pod-1", "stack_trace": "main;work"}
            row |= dict.fromkeys(("bytes_sent", "bytes_recv", "rchar_bytes", "cpu_utime_ns", "rx_bytes"), i * 100)
            row |= {"trace_role": 2, "latency": 1000 * i, "resp_status": 200 + 300 * (i % 2), "req_path": f"/p{i % 2}"}
            row |= {"remote_addr": "10.0.0.1", "count": i, "req_method": "GET", "rss_bytes": 4096}
            rows.append({column: row[column] for column in relation if column in row})
        data.add(name, record_batch(relation, rows))
    process = {"upid": UPID, "pod_id": "pod-1", "pod_name": "ns/web", "service_name": "ns/web", "namespace": "ns"}
    pod = {"pod_id": "pod-1", "pod_name": "ns/web", "service_name": "ns/web", "namespace": "ns", "node_name": "host"}
    data.metadata["process"] = pa.Table.from_batches([record_batch(ENTITIES["process"], [process])])
    data.metadata["pod"] = pa.Table.from_batches([record_batch(ENTITIES["pod"], [pod])])
    engine = Engine(data)
    yield engine
    engine.close()


def run(engine, source, exec_funcs=()):
    """Rows by table, after checking that each table has the columns and types of its plan."""
    plan = compile_script(source, now_ns=NOW_NS, exec_funcs=exec_funcs)
    promised = {sink.name: arrow_schema(sink.input.relation) for sink in plan.sinks}
    tables = {}
    for result in engine.run(plan):
        if isinstance(result, TableMeta):
            tables[result.name] = []
        elif isinstance(result, Rows):
            assert result.batch.schema.equals(promised[result.name], check_metadata=True)
            tables[result.name] += result.batch.to_pylist()
    assert list(tables) == list(promised)
    return tables


def exec_funcs(source):
    return [
        ExecFunc(name, f"{name}_table", dict(item.split("=", 1) for item in arguments.split("; ") if item))
        for name, arguments in re.findall(r"^# exec: (\w*)\((.*)\)$", source, re.MULTILINE)
    ]


@pytest.mark.parametrize(
    "case",
    [
        path.stem
        for path in sorted(FIXTURES.glob("*.pxl"))
        if not path.stem.startswith("error") and path.stem not in NOT_RUN
    ],
)
def test_fixtures_run(engine, case):
    source = (FIXTURES / f"{case}.pxl").read_text()
    assert run(engine, source, exec_funcs(source))


@pytest.mark.parametrize("function", re.findall(r"^def ([a-z]\w*)\(", VIEWS.read_text(), re.MULTILINE))
def test_views_run(engine, function):
    window = ", px.DurationNanos(px.seconds(10))" if function.endswith("timeseries") else ""
    source = f"import px\nimport pxviews\npx.display(pxviews.{function}('-5m', px.now(){window}))\n"
    rows = run(engine, source)["output"]
    assert rows
    assert {row.get("pod", row.get("responder_pod")) for row in rows} == {"ns/web"}


def test_bytes_by_service(engine):
    source = (FIXTURES / "article_bytes_by_service.pxl").read_text()
    total = sum(i * 100 for i in range(20))
    expected = {"service": "ns/web", "pod": "ns/web", "bytes_sent": total, "bytes_recv": total}
    assert run(engine, source)["output"] == [expected]


def test_folded_values(engine):
    (row, *_) = run(engine, (FIXTURES / "folding.pxl").read_text())["output"]
    assert (row["a"], row["b"], row["c"], row["d"], row["g"]) == (7, 3.5, -1, True, -6)
    assert row["l"] == -(2**63)


def test_operators_mean_the_same_when_folded_and_when_run(engine):
    cases = ["7 % 3", "-7 % 3", "7 / 2", "1 / 0", "2.5 * 2", "'a' + 'b'", "'a' < 'b'", "2 == 2.0", "not (1 < 2)", "~7"]
    cases += ["-(3)", "(1 < 2) and (2 < 1)", "(1 < 2) or (2 < 1)", "0.1 + 0.2 == 0.3", "1 != 2", "3 >= 3", "-1.5 - 2"]
    lines = ["import px", "df = px.DataFrame('http_events', select=['time_'], start_time='-1s')"]
    lines += ["df.one = 1", "df.text = ''"]
    for number, case in enumerate(cases):
        # A column in each literal's place stops the compiler from folding.
        not_folded = re.sub(r"'(\w)'", r"(df.text + '\1')", case)
        not_folded = re.sub(r"(?<![\w.'])(\d+(?:\.\d+)?)", r"(df.one * \1)", not_folded)
        lines += [f"df.folded_{number} = {case}", f"df.run_{number} = {not_folded}"]
    (row, *_) = run(engine, "\n".join([*lines, "px.display(df)"]))["output"]
    for number, case in enumerate(cases):
        assert row[f"folded_{number}"] == row[f"run_{number}"], case
