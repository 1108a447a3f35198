"""px over the whole of compiler, plan, DuckDB and API, on rows that are known."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from sylph.tables import TABLES
from sylph.tables.entities import ENTITIES
from sylph.tables.rows import record_batch
from sylph.testing.dataset import MemoryDataset
from tests.api.support import answering

ARTICLE = """import px
df = px.DataFrame(table='conn_stats', start_time='-30s')
df.pod = df.ctx['pod']
df.service = df.ctx['service']
df = df.groupby(['pod', 'service']).agg(bytes_sent=('bytes_sent', px.sum), bytes_recv=('bytes_recv', px.sum))
df = df[['service', 'pod', 'bytes_sent', 'bytes_recv']]
df = df[df.service != '']
px.display(df)
"""


@pytest.fixture
def agent(tmp_path) -> Iterator[Path]:
    data = MemoryDataset()
    # The last rows are of the next seconds, so that a slow `px` finds the same ones as a quick one.
    now = time.time_ns() + 15 * 10**9
    rows = [
        {"time_": now - i * 10**9, "upid": i % 3, "remote_addr": "10.0.0.1", "bytes_sent": 1024 * i, "bytes_recv": i}
        for i in range(12)
    ]
    data.add("conn_stats", record_batch(TABLES["conn_stats"].relation, rows[::-1]))
    processes = [{"upid": i, "pod_name": f"ns/pod{i}", "service_name": f"ns/svc{i}"} for i in range(2)]
    data.metadata["process"] = pa.Table.from_batches([record_batch(ENTITIES["process"], processes)])
    with answering(data, tmp_path) as path:
        yield path


def test_the_articles_first_script(px, agent):
    script = "import px; df = px.DataFrame(table='conn_stats', start_time='-30s'); px.display(df)"
    ran = px("run", "-f", "-", "-o", "json", stdin=script)
    assert ran.returncode == 0, ran.stderr
    rows = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [row["bytes_recv"] for row in rows] == list(range(11, -1, -1))
    assert list(rows[0])[1:] == list(TABLES["conn_stats"].relation)


def test_the_articles_second_script(px, agent):
    ran = px("run", "-f", "-", "-o", "csv", stdin=ARTICLE)
    assert ran.returncode == 0, ran.stderr
    head, *rows = ran.stdout.splitlines()
    assert head == "table_id,service,pod,bytes_sent,bytes_recv"
    # Processes 0 and 1 have a service, process 2 has none: 0+3+6+9 and 1+4+7+10 KiB.
    assert sorted(rows) == ["output,ns/svc0,ns/pod0,18.0 KiB,18.0 B", "output,ns/svc1,ns/pod1,22.0 KiB,22.0 B"]


def test_a_wrong_column_is_shown_with_its_line_and_what_is_close(px, agent):
    ran = px(
        "run",
        "-f",
        "-",
        stdin=ARTICLE.replace("df[['service', 'pod', 'bytes_sent'", "df[['service', 'pod', 'byte_sent'"),
    )
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "<stdin> L6 : C" in ran.stderr
    assert "6 | df = df[['service', 'pod', 'byte_sent', 'bytes_recv']]" in ran.stderr
    assert "bytes_sent" in ran.stderr


def test_functions_of_a_script_are_called(px, agent, tmp_path):
    (tmp_path / "by.pxl").write_text(
        "import px\n\n\ndef totals(start_time: str, least: int):\n"
        "    df = px.DataFrame(table='conn_stats', start_time=start_time)\n"
        "    df = df[df.bytes_recv >= least]\n"
        "    return df.groupby('remote_addr').agg(n=('bytes_recv', px.count))\n"
    )
    vis = {
        "variables": [
            {"name": "start_time", "type": "PX_STRING", "defaultValue": "-1m"},
            {"name": "least", "type": "PX_INT64", "defaultValue": "0"},
        ],
        "globalFuncs": [
            {
                "outputName": "totals",
                "func": {
                    "name": "totals",
                    "args": [{"name": "start_time", "variable": "start_time"}, {"name": "least", "variable": "least"}],
                },
            }
        ],
    }
    (tmp_path / "vis.json").write_text(json.dumps(vis))
    ran = px("run", "-f", str(tmp_path), "-o", "json", "--", "-least", "4")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == {"_tableName_": "totals", "remote_addr": "10.0.0.1", "n": 8}


def test_a_plan_is_explained(px, agent):
    ran = px("explain", "-f", "-", stdin=ARTICLE)
    assert ran.returncode == 0, ran.stderr
    parts = [line for line in ran.stdout.splitlines() if line.startswith("== ")]
    titles = ["plan", "after rules", "agent part", "broker part", "what travels", "SQL of output"]
    assert parts == [f"== {title} ==" for title in titles]
    assert "conn_stats" in ran.stdout
    assert "Table ID" not in ran.stdout
    analyzed = px("explain", "--analyze", "-f", "-", stdin=ARTICLE)
    assert analyzed.returncode == 0, analyzed.stderr
    assert "output: 2 rows in" in analyzed.stdout.split("== measured ==")[1]
    assert "they sent " in analyzed.stdout.split("== travelled ==")[1]
    wrong = px("explain", "-f", "-", stdin="import px\npx.display(px.DataFrame('nothing'))\n")
    assert wrong.returncode == 1
    assert "L2 : C" in wrong.stderr


TRACEPOINT = """import px
import pxtrace

@pxtrace.probe('main.handle')
def probe():
    return [{'id': pxtrace.ArgExpr('id')}, {'latency': pxtrace.FunctionLatency()}]

pxtrace.UpsertTracepoint('handled', 'handled_table', probe, pxtrace.PodProcess('shop/cart', 'main'), '5m')
px.display(px.DataFrame('conn_stats').head(5))
"""


def test_a_change_is_explained_and_not_made(px, agent):
    ran = px("explain", "-f", "-", stdin=TRACEPOINT)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith(
        "== changes ==\n"
        "deploy tracepoint handled on pod shop/cart, container main, for 5m\n"
        "  table handled_table: types are those of the probed program; what reads it is checked once it is there\n"
        "  probe main.handle\n"
        "    id = arg id\n"
        "    latency = latency of the call\n"
        "\n== plan ==\n"
    )
    refused = px("run", "-f", "-", stdin=TRACEPOINT)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "not supported yet" in refused.stderr
    assert "px explain" in refused.stderr


def test_a_bpftrace_script_of_the_library_is_explained(px, agent):
    ran = px("explain", "bpftrace/tcp_drops")
    assert ran.returncode == 0, ran.stderr
    assert (
        "deploy tracepoint tcp_drop_tracer on the kernel, for 10m\n  table tcp_drop_table: time_ TIME64NS" in ran.stdout
    )
    assert "bpftrace program" in ran.stdout
    assert "== SQL of " in ran.stdout


def test_an_export_is_explained_without_its_secrets(px, agent):
    script = (
        "import px\n"
        "df = px.DataFrame('conn_stats')\n"
        "df.service = df.ctx['service']\n"
        "px.export(df, px.otel.Data(endpoint=px.otel.Endpoint(url='otel:4317', headers={'api-key': 'hidden'}),\n"
        "    resource={'service.name': df.service},\n"
        "    data=[px.otel.metric.Gauge(name='sent', value=df.bytes_sent, attributes={'peer': df.remote_addr})]))\n"
    )
    ran = px("explain", "-f", "-", stdin=script)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == (
        "== changes ==\n"
        "export OpenTelemetry data to otel:4317, headers api-key\n"
        "  resource service.name = column service\n"
        "  gauge sent = column bytes_sent (By)\n"
        "    attribute peer = column remote_addr\n"
    )
