"""Tracing, settings, exports: sections 8 to 10 of the language."""

from tests.contract.support import (
    PRELUDE,
    Case,
    Rules,
    refused,
    value,
)  # fmt: skip

RULES = Rules()
add = RULES.add

PROBE = "import px\nimport pxtrace\n@pxtrace.probe('main.f')\ndef p():\n    return [{'a': pxtrace.ArgExpr('x'), 'r': pxtrace.RetExpr('$0.f'), 'l': pxtrace.FunctionLatency()}]\n"
BPF = "import px\nimport pxtrace\nprogram = 'kprobe:tcp_drop { printf(\"time_:%llu pid:%u comm:%s\", nsecs, pid, comm); }'\n"
UPSERT = "pxtrace.UpsertTracepoint('p', 'p_table', {}, {}, '5m')"


def mutates(source: str, *kinds: str) -> Case:
    return Case(source, mutations=kinds)


TARGETS = ("px.make_upid(1, 2, 3)", "pxtrace.SharedObject('libc', px.make_upid(1, 2, 3))", "pxtrace.PodProcess('ns/pod')", "pxtrace.PodProcess('ns/pod', 'main', 'nginx.*')",
           "pxtrace.LabelSelector({'app': 'x'}, 'ns')", "pxtrace.LabelSelector({'app': 'x'}, 'ns', container_name='c', process_name='p')")  # fmt: skip
add(
    "pxtrace.probe",
    "`@pxtrace.probe(fn)` with ArgExpr, RetExpr, FunctionLatency",
    mutates(PROBE + UPSERT.format("p", TARGETS[0]), "UpsertTracepoint"),
    refused(PROBE.replace("$0.f", "0") + UPSERT.format("p", TARGETS[0]), "'$0'"),
    refused(
        "import pxtrace\n@pxtrace.probe('f')\ndef p():\n    a = 1\n" + UPSERT.format("p", "pxtrace.PodProcess('a')"),
        "no columns",
    ),
)
add(
    "pxtrace.targets",
    "targets: a UPID, SharedObject, PodProcess, LabelSelector",
    *(mutates(PROBE + UPSERT.format("p", target), "UpsertTracepoint") for target in TARGETS),
    refused(PROBE + UPSERT.format("p", "5"), "UPID"),
    refused(PROBE + UPSERT.format("p", "'pod'"), "UPID"),
)
add(
    "pxtrace.bpftrace",
    "a bpftrace program, TraceProgram or a list of them on kprobe()",
    mutates(BPF + UPSERT.format("program", "pxtrace.kprobe()"), "UpsertTracepoint"),
    mutates(
        BPF
        + UPSERT.format(
            "[pxtrace.TraceProgram(program=program, min_kernel='5.18.0'), pxtrace.TraceProgram(program, max_kernel='5.17', host_name='h')]",
            "pxtrace.kprobe()",
        ),
        "UpsertTracepoint",
    ),
    refused(BPF.replace("printf", "print") + UPSERT.format("program", "pxtrace.kprobe()"), "prints nothing"),
)
add(
    "pxtrace.selectors",
    "selectors min_kernel, max_kernel, host_name, not empty",
    refused(BPF + "a = pxtrace.TraceProgram(program, arch='x')", "not a selector"),
    refused(BPF + "a = pxtrace.TraceProgram(program, min_kernel='')", "needs a text"),
)
add(
    "pxtrace.delete",
    "`pxtrace.DeleteTracepoint(name)`",
    mutates("import pxtrace\npxtrace.DeleteTracepoint('p')", "DeleteTracepoint"),
)
add(
    "pxtrace.again",
    "the same name and program again is one; another program is refused",
    mutates(BPF + (UPSERT.format("program", "pxtrace.kprobe()") + "\n"), "UpsertTracepoint"),
    refused(
        BPF
        + UPSERT.format("program", "pxtrace.kprobe()")
        + "\n"
        + UPSERT.format("pxtrace.TraceProgram(program, host_name='h')", "pxtrace.kprobe()"),
        "defined twice",
    ),
)
add(
    "pxtrace.arguments",
    "all five arguments of UpsertTracepoint",
    refused(
        BPF + "pxtrace.UpsertTracepoint('p', 'q', program, pxtrace.kprobe())",
        "missing 1 required positional argument 'ttl'",
    ),
    refused(BPF + "pxtrace.UpsertTracepoint('p', 'q', program, pxtrace.kprobe(), 'soon')", "duration"),
)
add(
    "pxtrace.table",
    "the table of a program's printf can be read in the same script",
    Case(
        BPF + UPSERT.format("program", "pxtrace.kprobe()") + "\npx.display(px.DataFrame('p_table'))",
        mutations=("UpsertTracepoint",),
        tables={"output": "time_:TIME64NS pid:INT64 comm:STRING"},
    ),
)
add(
    "pxconfig",
    "`pxconfig.set_agent_config(agent_pod_name, key, value)`: all text",
    mutates("import pxconfig\npxconfig.set_agent_config('pl/pem', 'a.b', 'c')", "SetAgentConfig"),
    refused("import pxconfig\npxconfig.set_agent_config('pl/pem', 'a.b', 5)", "string"),
)

ENDPOINT = "px.otel.Endpoint(url='h:4317')"
GAUGE = "px.otel.metric.Gauge(name='g', value=df.i)"


def exported(data: str, resource: str = "{'service.name': df.s}", endpoint: str = ENDPOINT) -> str:
    return f"{PRELUDE}px.export(df, px.otel.Data(resource={resource}, data=[{data}], endpoint={endpoint}))"


add(
    "otel.Data",
    "`px.otel.Data(resource, data, endpoint)`: with 'service.name', data not empty",
    mutates(exported(GAUGE), "Export"),
    mutates(exported(GAUGE, "{'service.name': 'x', 'k8s.pod': df.pod}"), "Export"),
    refused(exported(GAUGE, "{'a': 'b'}"), "service.name", 3),
    refused(exported(""), "not empty", 3),
    refused(exported("5"), "Gauge, Summary and Span", 3),
    refused(exported(GAUGE, endpoint="None"), "endpoint", 3),
)
add(
    "otel.Endpoint",
    "`px.otel.Endpoint(url, headers={}, insecure=False, timeout=5)`",
    mutates(
        exported(GAUGE, endpoint="px.otel.Endpoint('h:1', headers={'a': 'b'}, insecure=True, timeout=10)"), "Export"
    ),
    refused(exported(GAUGE, endpoint="px.otel.Endpoint('h:1', headers={'a': 5})"), "headers are strings", 3),
    refused(exported(GAUGE, endpoint="px.otel.Endpoint('h:1', timeout=0)"), "longer than zero", 3),
)
add(
    "otel.Gauge",
    "`Gauge(name, value, description, attributes, unit)`: an INT64 or FLOAT64 column",
    mutates(
        exported(
            "px.otel.metric.Gauge(name='a.b-c_d', value=df.f, description='d', attributes={'x': df.s, 'y': 'z'}, unit='1')"
        ),
        "Export",
    ),
    refused(exported("px.otel.metric.Gauge(name='9a', value=df.i)"), "name of a metric", 3),
    refused(exported("px.otel.metric.Gauge(name='a', value=df.s)"), "INT64 or FLOAT64", 3),
    refused(exported("px.otel.metric.Gauge(name='a', value=5)"), "must be a column", 3),
)
add(
    "otel.Summary",
    "`Summary(name, count, sum, quantile_values, ...)`",
    mutates(
        exported("px.otel.metric.Summary(name='s', count=df.i, sum=df.f, quantile_values={0.5: df.f, 0.99: df.g})"),
        "Export",
    ),
    refused(
        exported("px.otel.metric.Summary(name='s', count=df.f, sum=df.f, quantile_values={0.5: df.f})"), "'count'", 3
    ),
    refused(exported("px.otel.metric.Summary(name='s', count=df.i, sum=df.f, quantile_values={})"), "not empty", 3),
)
add(
    "otel.Span",
    "`Span(name, start_time, end_time, ...)`: TIME64NS and STRING columns",
    mutates(
        exported(
            "px.otel.trace.Span(name=df.s, start_time=df.time_, end_time=df.time_, trace_id=df.s, span_id=df.r, parent_span_id=df.s, attributes={'a': df.s}, kind=px.otel.trace.SPAN_KIND_CLIENT)"
        ),
        "Export",
    ),
    mutates(exported("px.otel.trace.Span(name='x', start_time=df.time_, end_time=df.time_)"), "Export"),
    refused(exported("px.otel.trace.Span(name='x', start_time=df.i, end_time=df.time_)"), "'start_time'", 3),
    refused(exported("px.otel.trace.Span(name=df.i, start_time=df.time_, end_time=df.time_)"), "STRING", 3),
)
add(
    "otel.kinds",
    "SPAN_KIND_* are 0 to 5",
    *(
        value(f"px.otel.trace.SPAN_KIND_{name}", "INT64", number)
        for number, name in enumerate(("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"))
    ),
)
add(
    "otel.time",
    "metrics need `time_`",
    refused(
        f"{PRELUDE}df = df[['i', 's']]\npx.export(df, px.otel.Data(resource={{'service.name': df.s}}, data=[{GAUGE}], endpoint={ENDPOINT}))",
        "time_",
        4,
    ),
)
