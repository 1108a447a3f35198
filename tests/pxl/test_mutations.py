"""Probes, settings and exports: what a script asks for is read and checked, and running it is refused for now."""

import pytest

from sylph.pxl.bpftrace import ProgramError, relation
from sylph.pxl.compile import check_script, compile_script
from sylph.pxl.errors import CompileError, Kind
from sylph.pxl.mutations import (
    DeleteTracepoint,
    Endpoint,
    Kprobe,
    LabelSelector,
    PodProcess,
    Probe,
    Probed,
    SetAgentConfig,
    SharedObject,
    TraceProgram,
    Upid,
)
from sylph.tables.types import DataType

DROPS = '''
import px
import pxtrace
program = """
BEGIN { printf("a heading\\n"); }
kprobe:tcp_drop { printf("time_:%llu pid:%d src:%s", nsecs, pid, "a"); }
"""
pxtrace.UpsertTracepoint('drops', 'drops_table', program, pxtrace.kprobe(), '10m')
df = px.DataFrame('drops_table')
df.pid = df.pid + 1
px.display(df)
'''

PROBE = """
import px
import pxtrace


@pxtrace.probe('main.computeE')
def probe():
    return [{'iterations': pxtrace.ArgExpr('iterations')},
            {'result': pxtrace.RetExpr('$0.x'), 'latency': pxtrace.FunctionLatency()}]


pxtrace.UpsertTracepoint('compute', 'compute_table', probe, TARGET, '5m')
"""


def errors(source):
    with pytest.raises(CompileError) as caught:
        check_script(source)
    return [(error.kind, error.line, error.message) for error in caught.value.errors]


def test_bpftrace_program():
    compiled = check_script(DROPS)
    (found,) = compiled.mutations
    assert (found.name, found.table, found.target, found.ttl_ns) == ("drops", "drops_table", Kprobe(), 600 * 10**9)
    assert {name: kind.data for name, kind in found.relation.items()} == {
        "time_": DataType.TIME64NS,
        "pid": DataType.INT64,
        "src": DataType.STRING,
    }
    assert list(compiled.plan.sinks[0].input.relation) == ["time_", "pid", "src"]


def test_running_is_refused():
    with pytest.raises(CompileError) as caught:
        compile_script(DROPS)
    assert "not supported yet" in str(caught.value)
    assert caught.value.errors[0].kind is Kind.TRACING


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("px.make_upid(1, 2, 3)", Upid(1 << 96 | 2 << 64 | 3)),
        ("pxtrace.SharedObject('libc', px.make_upid(0, 0, 3))", SharedObject("libc", 3)),
        ("pxtrace.PodProcess('ns/pod', process_name='java')", PodProcess("ns/pod", "", "java")),
        ("pxtrace.LabelSelector({'app': 'web'}, 'ns')", LabelSelector({"app": "web"}, "ns")),
    ],
)
def test_probe_function(target, expected):
    (found,) = check_script(PROBE.replace("TARGET", target)).mutations
    assert found.target == expected
    assert found.programs == Probe(
        "main.computeE",
        {
            "iterations": Probed("arg", "iterations"),
            "result": Probed("ret", "$0.x"),
            "latency": Probed("latency"),
        },
    )
    assert found.relation is None


def test_columns_of_a_probe_are_not_known_before_it_is_deployed():
    source = PROBE.replace("TARGET", "px.make_upid(1, 2, 3)") + (
        "df = px.DataFrame('compute_table')\n"
        "df.slow = df.latency > 1000\n"
        "px.display(df.groupby('slow').agg(n=('latency', px.count)))\n"
        "px.display(px.DataFrame('http_events'), 'requests')\n"
        "pxtrace.DeleteTracepoint('old')\n"
    )
    compiled = check_script(source)
    assert [type(change).__name__ for change in compiled.mutations] == ["UpsertTracepoint", "DeleteTracepoint"]
    assert [sink.name for sink in compiled.plan.sinks] == ["requests"]
    with pytest.raises(CompileError, match="not supported yet"):
        compile_script(source)
    ((_, line, message),) = errors(source + "px.display(px.DataFrame('compute_tables'))\n")
    assert (line, message) == (source.count("\n") + 1, "table 'compute_tables' not found")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return []", "p() gives no columns"),
        ("return [{}]", "p() gives no columns"),
        ("return [{'a': pxtrace.ArgExpr('x')}, {'a': pxtrace.ArgExpr('y')}]", "p() gives column 'a' twice"),
        ("return [{'a': pxtrace.ArgExpr}]", "not a function"),
        ("return [{5: pxtrace.ArgExpr('x')}]", "not a probed value"),
    ],
)
def test_what_a_probe_records(body, message):
    source = f"import px\nimport pxtrace\n@pxtrace.probe('main.f')\ndef p():\n    {body}\n"
    source += "pxtrace.UpsertTracepoint('t', 'tt', p, px.make_upid(1, 2, 3), '1m')\n"
    ((kind, line, found),) = errors(source)
    assert kind is Kind.TRACING
    assert line == 6
    assert message in found


def test_a_probe_is_not_called():
    source = "import pxtrace\n@pxtrace.probe('main.f')\ndef p():\n    return []\np()\n"
    ((_, line, message),) = errors(source)
    assert (line, message) == (5, "a probe function is not callable")


def test_programs_for_several_kernels():
    source = """
import pxtrace
a = pxtrace.TraceProgram('kprobe:x { printf("a:%d", 1); }', min_kernel='5.18.0')
b = pxtrace.TraceProgram('kprobe:y { printf("a:%d", 1); }', max_kernel='5.17')
pxtrace.UpsertTracepoint('t', 'tt', [a, b], pxtrace.kprobe(), '1m')
pxtrace.DeleteTracepoint('old')
"""
    found, deleted = check_script(source).mutations
    assert found.programs[0] == TraceProgram('kprobe:x { printf("a:%d", 1); }', {"min_kernel": "5.18.0"})
    assert deleted == DeleteTracepoint("old")


def test_agent_config():
    source = "import pxconfig\npxconfig.set_agent_config('pl/pem', 'log.level', '1')\n"
    assert check_script(source).mutations == (SetAgentConfig("pl/pem", "log.level", "1"),)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("pxtrace.UpsertTracepoint('t', 'tt', 'kprobe:x { }', pxtrace.kprobe(), '1m')", "prints nothing"),
        ("pxtrace.UpsertTracepoint('t', 'tt', 'kprobe:x { }', pxtrace.kprobe())", "missing 1 required"),
        ("pxtrace.UpsertTracepoint('t', 'tt', P, pxtrace.kprobe(), 'soon')", "not a duration"),
        ("pxtrace.UpsertTracepoint('t', 'tt', P, pxtrace.kprobe(), '-1m')", "longer than zero"),
        ("pxtrace.UpsertTracepoint('t', 'tt', P, 'x', '1m')", "type 'UPID', received STRING"),
        ("pxtrace.UpsertTracepoint('t', 'tt', 5, pxtrace.kprobe(), '1m')", "is not a probe"),
        ("pxtrace.UpsertTracepoint('t', 'http_events', P, pxtrace.kprobe(), '1m')", "already a table"),
        ("pxtrace.UpsertTracepoint('a b', 'tt', P, pxtrace.kprobe(), '1m')", "cannot be the name"),
        ("pxtrace.TraceProgram(P, kernel='5.1')", "'kernel' is not a selector"),
        ("pxtrace.TraceProgram(P, min_kernel='')", "needs a text"),
        ("pxtrace.TraceProgram(P, min_kernel='new')", "needs a kernel version"),
        ("pxtrace.RetExpr('x')", "'$0'"),
        ("pxtrace.LabelSelector({}, 'ns')", "dict of strings"),
        ("pxtrace.SharedObject('a', 5)", "type 'UPID'"),
    ],
)
def test_tracing_errors(line, message):
    source = f"import px\nimport pxtrace\nP = 'kprobe:x {{ printf(\"a:%d\", 1); }}'\n{line}\n"
    (found,) = errors(source)
    assert found[1] == 4
    assert message in found[2]


def test_a_tracepoint_is_defined_once():
    line = "pxtrace.UpsertTracepoint('t', 'tt', 'kprobe:x { printf(\"a:%d\", 1); }', pxtrace.kprobe(), '1m')\n"
    assert len(check_script("import pxtrace\n" + line * 2).mutations) == 2
    other = line.replace("a:%d", "a:%s")
    ((_, line_number, message),) = errors("import pxtrace\n" + line + other)
    assert line_number == 3
    assert "defined twice" in message


@pytest.mark.parametrize(
    ("program", "columns"),
    [
        ('k { printf("%d %s", 1, 2); }', ["Column_0", "Column_1"]),
        ('k { printf("a:%-5d b : %0.2llu 100%%\\n", 1, 2); }', ["a", "b"]),
        ('k { if (1) { printf("a:%d", 1) } } k2 { printf("a:%x", 1) }', ["a"]),
    ],
)
def test_bpftrace_columns(program, columns):
    assert list(relation(program)) == columns


@pytest.mark.parametrize(
    "program",
    [
        "",
        'BEGIN { printf("a:%d", 1) }',
        'k { printf("text") }',
        'k { printf("a:%d", 1); printf("b:%d", 1) }',
        'k { printf("a:%d a:%d", 1, 1) }',
        'k { printf("time_:%s", 1) }',
        'k { printf("a:%f", 1) }',
        'k { printf("' + "a%d " * 65 + '") }',
        "BEGIN {" + "{" * 10_000,
    ],
)
def test_bpftrace_programs_that_are_no_table(program):
    with pytest.raises(ProgramError):
        relation(program)


OTEL = """
import px
df = px.DataFrame('http_events')
df.service = df.ctx['service']
df.bytes = df.resp_body_size
df.mean = df.latency * 1.0
data = DATA
px.export(df, px.otel.Data(
    resource={'service.name': df.service, 'k8s': 'yes'},
    data=[data],
    endpoint=px.otel.Endpoint(url='collector:4317', headers={'key': 'x'}, insecure=True),
))
"""


def export(data):
    (found,) = check_script(OTEL.replace("DATA", data)).exports
    return found


def test_gauge():
    found = export("px.otel.metric.Gauge('http.bytes', df.bytes, attributes={'path': df.req_path, 'a': 'b'})")
    assert found.endpoint == Endpoint("collector:4317", {"key": "x"}, insecure=True, timeout=5)
    assert found.resource["k8s"] == "yes"
    (gauge,) = found.data
    assert (gauge.name, gauge.value.name, gauge.unit) == ("http.bytes", "bytes", "By")
    assert gauge.attributes["path"].name == "req_path"


def test_summary_and_span():
    summary = export("px.otel.metric.Summary('s', df.bytes, df.mean, {0.5: df.mean, 0.99: df.mean})").data[0]
    assert list(summary.quantile_values) == [0.5, 0.99]
    span = export("px.otel.trace.Span('GET', df.time_, df.time_, kind=px.otel.trace.SPAN_KIND_CLIENT)").data[0]
    assert (span.kind, span.name, span.trace_id) == (3, "GET", None)


def test_exporting_is_refused():
    with pytest.raises(CompileError, match="not supported yet"):
        compile_script(OTEL.replace("DATA", "px.otel.metric.Gauge('a', df.bytes)"))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("px.otel.metric.Gauge('1a', df.bytes)", "cannot be the name of a metric"),
        ("px.otel.metric.Gauge('a', df.req_path)", "must be a column of type INT64 or FLOAT64"),
        ("px.otel.metric.Gauge('a', 5)", "must be a column"),
        ("px.otel.metric.Gauge('a', df.bytes, attributes={'a': 5})", "takes strings and columns"),
        ("px.otel.metric.Summary('a', df.bytes, df.mean, {})", "not empty"),
        ("px.otel.metric.Summary('a', df.bytes, df.mean, {'p50': df.mean})", "a quantile is a float"),
        ("px.otel.metric.Summary('a', df.mean, df.mean, {0.5: df.mean})", "must be a column of type INT64"),
        ("px.otel.trace.Span(df.bytes, df.time_, df.time_)", "a span's name must be STRING"),
        ("px.otel.trace.Span('a', df.bytes, df.time_)", "must be a column of type TIME64NS"),
        ("px.otel.trace.Span('a', df.time_, df.time_, kind=9)", "is not a kind of span"),
        ("5", "data are Gauge, Summary and Span"),
    ],
)
def test_otel_errors(data, message):
    found = errors(OTEL.replace("DATA", data))
    assert message in found[0][2]


def test_otel_needs_a_service_name_and_an_endpoint():
    gauge = "px.otel.metric.Gauge('a', df.bytes)"
    assert "service.name" in errors(OTEL.replace("DATA", gauge).replace("'service.name'", "'name'"))[0][2]
    lines = [line for line in OTEL.replace("DATA", gauge).splitlines() if "endpoint" not in line]
    assert "no endpoint" in errors("\n".join(lines))[0][2]


def test_what_a_comment_of_a_program_prints_is_no_row():
    program = """
    // printf("%s", comm)
    /* printf("a:%d b:%d", 1, 2);
       kprobe:gone { } */
    kprobe:here { printf("path:%s // no comment /* either", str(arg0)); }
    // printf("%d", pid
    """
    assert list(relation(program)) == ["path"]


def test_a_probe_that_fails_does_not_fail_again_where_its_table_is_read():
    source = DROPS.replace("pxtrace.kprobe()", "px.uint128('a')")
    with pytest.raises(CompileError) as caught:
        check_script(source)
    assert [error.message for error in caught.value.errors] == ["'a' is not a UUID"]
