"""Functions as entry points, tracing, exports, views, what is added behind, flags: sections 7 to 14 of the language."""

from tests.contract.support import (
    PRELUDE,
    SECOND,
    Rules,
    accepted,
    called,
    on_t,
    refused,
    refused_on_t,
    value,
)  # fmt: skip

RULES = Rules()
add = RULES.add


def function(arguments: str, body: str = "return px.DataFrame('bare')") -> str:
    return f"import px\ndef f({arguments}):\n    {body}\n"


SHOW = "df = px.DataFrame('bare').head(1)\n    df.v = a\n    return df[['v']]"

add(
    "exec.bool",
    "bool arguments: true, t, yes, y, 1 and their opposites",
    *(
        called(function("a: bool", SHOW), "f", {"a": text}, (wanted,))
        for text, wanted in (
            ("true", True),
            ("T", True),
            ("yes", True),
            ("y", True),
            ("1", True),
            ("false", False),
            ("F", False),
            ("no", False),
            ("n", False),
            ("0", False),
        )
    ),
    called(function("a: bool", SHOW), "f", {"a": "maybe"}, error="cannot read 'maybe' as bool"),
)
add(
    "exec.str",
    "str arguments as they are",
    called(function("a: str", SHOW), "f", {"a": "x 'y'"}, ("x 'y'",)),
    called(function("a: str", SHOW), "f", {"a": ""}, ("",)),
)
add(
    "exec.int",
    "int arguments are 64 bits",
    called(function("a: int", SHOW), "f", {"a": "-42"}, (-42,)),
    called(function("a: int", SHOW), "f", {"a": "1.5"}, error="cannot read '1.5' as int"),
    called(function("a: int", SHOW), "f", {"a": "9223372036854775808"}, error="64 bits"),
    called(function("a: int", SHOW), "f", {"a": ""}, error="cannot read"),
)
add(
    "exec.float",
    "float arguments",
    called(function("a: float", SHOW), "f", {"a": "1.5e3"}, (1500.0,)),
    called(function("a: float", SHOW), "f", {"a": "7"}, (7.0,)),
    called(function("a: float", SHOW), "f", {"a": "x"}, error="cannot read 'x' as float"),
)
add(
    "exec.time",
    "px.Time arguments are integer ns",
    called(function("a: px.Time", SHOW), "f", {"a": "5"}, (5,), out="v:TIME64NS"),
    called(function("a: px.Time", SHOW), "f", {"a": "-5m"}, error="cannot read '-5m' as Time"),
)
add(
    "exec.upid",
    "UINT128 arguments are refused",
    called(function("a: px.UPID"), "f", {"a": "1:2:3"}, error="cannot be given as text"),
)
add(
    "exec.list",
    "list arguments are read as PxL, with px known",
    called(
        function("a: list", "df = px.DataFrame('bare').head(1)\n    df.v = a[1]\n    return df[['v']]"),
        "f",
        {"a": "['x', 'y']"},
        ("y",),
    ),
    called(
        function("a: list", "df = px.DataFrame('bare').head(1)\n    df.v = a[0]\n    return df[['v']]"),
        "f",
        {"a": "[px.seconds(1)]"},
        (SECOND,),
    ),
    called(function("a: list"), "f", {"a": "5"}, error="must be a list"),
    called(function("a: list"), "f", {"a": "["}, error="argument 'a'"),
)
add(
    "exec.semantic",
    "px.Service and the like take plain text",
    called(function("a: px.Service", SHOW), "f", {"a": "ns/x"}, ("ns/x",)),
    called(function("a: px.Pod", SHOW), "f", {"a": ""}, ("",)),
)
add(
    "exec.annotation",
    "every argument is annotated",
    called(function("a"), "f", {"a": "1"}, error="annotation required"),
)
add(
    "exec.unknown",
    "unknown and missing arguments are refused",
    called(function("a: str"), "f", {"a": "", "b": ""}, error="no argument 'b'"),
    called(function("a: str"), "f", {}, error="missing 1 required positional argument 'a'"),
)
add(
    "exec.result",
    "a DataFrame is table `prefix`; a list or tuple gives `prefix[0]`, `prefix[1]`",
    called(function(""), "f", {}, out="i:INT64 s:STRING"),
    called(
        function("", "d = px.DataFrame('bare')\n    return d[['i']], d[['s']]"),
        "f",
        {},
        **{"out[0]": "i:INT64", "out[1]": "s:STRING"},
    ),
    called(function("", "d = px.DataFrame('bare')\n    return [d[['i']]]"), "f", {}, **{"out[0]": "i:INT64"}),
    called(function("", "return 5"), "f", {}, error="must return a DataFrame"),
    called(function("", "a = 1"), "f", {}, error="must return a DataFrame"),
    called(function("", "return [5]"), "f", {}, error="must return DataFrames"),
)
add(
    "exec.display",
    "px.display does nothing when functions are executed; px.debug does",
    called(
        function("", "d = px.DataFrame('bare')\n    px.display(d)\n    px.debug(d[['i']], 'x')\n    return d")
        + "px.display(px.DataFrame('bare'), 'top')\n",
        "f",
        {},
        _x="i:INT64",
        out="i:INT64 s:STRING",
    ),
)
add(
    "exec.reserved",
    "px.debug keeps clear of the tables of functions",
    called(
        function("", "d = px.DataFrame('bare')\n    px.debug(d[['i']], 'out')\n    return d"),
        "f",
        {},
        prefix="_out",
        _out_0="i:INT64",
        _out="i:INT64 s:STRING",
    ),
)
add(
    "exec.name",
    "the function's name and the prefix are needed; it must be a function of the script",
    called(function(""), "", {}, error="no name"),
    called(function(""), "f", {}, error="no output table prefix", prefix=""),
    called(function(""), "g", {}, error="'g' not found"),
    called(function("") + "g = 5\n", "g", {}, error="not a function"),
)
add(
    "exec.start_time",
    "a start_time is passed on as text",
    called(
        function("start_time: str", "return px.DataFrame('t', start_time=start_time, select=['i'])"),
        "f",
        {"start_time": "-2s"},
        (-2,),
        (0,),
    ),
    called(
        function("start_time: str", "return px.DataFrame('t', start_time=start_time)"),
        "f",
        {"start_time": "x"},
        error="wrong format",
    ),
)
add(
    "exec.line",
    "errors in a called function point into it",
    called(function("", "return px.DataFrame('nothing')"), "f", {}, error="'nothing' not found"),
)

VIEWS = {
    "inbound_http_summary": "time_ pod_id pod service namespace node requestor_ip requestor_pod requestor_service latency_quantiles latency_sum num_requests num_errors req_bytes resp_bytes",
    "http_graph": "time_ responder_pod requestor_pod responder_namespace requestor_namespace responder_node requestor_node responder_ip requestor_ip responder_service requestor_service latency_p50 latency_p90 latency_p99 latency_quantiles latency_sum num_requests num_errors req_bytes resp_bytes",
    "container_process_timeseries": "time_ container pod_id pod service namespace node cpu_usage actual_disk_read_throughput actual_disk_write_throughput total_disk_read_throughput total_disk_write_throughput rss vsize",
    "container_process_summary": "time_ container pod_id pod service namespace node cpu_usage actual_disk_read_throughput actual_disk_write_throughput total_disk_read_throughput total_disk_write_throughput rss vsize",
    "pod_resource_stats": "time_ pod_id pod service node namespace container_count pod_start_time pod_status cpu_usage rss vsize actual_disk_read_throughput actual_disk_write_throughput total_disk_read_throughput total_disk_write_throughput",
    "pod_network_timeseries": "time_ pod_id pod service namespace node rx_bytes_per_ns tx_bytes_per_ns rx_drops_per_ns tx_drops_per_ns rx_errors_per_ns tx_errors_per_ns",
    "pod_network_summary": "time_ pod_id pod service namespace node rx_bytes_per_ns tx_bytes_per_ns rx_drops_per_ns tx_drops_per_ns rx_errors_per_ns tx_errors_per_ns",
    "inbound_http_throughput_timeseries": "time_ pod_id pod service namespace node container num_requests num_errors",
    "inbound_http_latency_timeseries": "time_ pod_id pod service namespace node latency_quantiles num_requests num_errors latency_sum req_bytes resp_bytes",
    "connection_throughput_stats": "time_ remote_addr node pod_id pod namespace service inbound_conn_throughput outbound_conn_throughput",
    "processes": "time_ service namespace node upid pod_id pod container_name container_id cmdline pid container_status",
    "stacktraces": "namespace node service pod container cmdline stack_trace time_ stack_trace_id count node_num_cpus",
}  # fmt: skip
for view, columns in VIEWS.items():
    window = ", px.DurationNanos(px.seconds(10))" if view.endswith("timeseries") else ""
    source = f"import px\nimport pxviews\ndf = pxviews.{view}('-5m', px.now(){window})\npx.display(df[[{', '.join(map(repr, columns.split()))}]])"
    add(f"pxviews.{view}", f"`pxviews.{view}` has its columns", accepted(source))
add(
    "pxviews._http_events",
    "`pxviews._http_events(start_time, end_time, include_health_checks, include_ready_checks, include_unresolved_inbound)`",
    accepted(
        "import px\nimport pxviews\ndf = pxviews._http_events('-5m', px.now(), False, False, True)\npx.display(df[['req_path', 'failure']])",
        "req_path:STRING failure:BOOLEAN",
    ),
)

add(
    "limit",
    "each result is cut at max_output_rows_per_table",
    accepted(f"#px:set max_output_rows_per_table=2\n{PRELUDE}px.display(df[['i']])", "i:INT64", (7,), (-2,)),
)
add(
    "pruning",
    "columns that no result needs change nothing",
    accepted(f"{PRELUDE}df.v = px.normalize_mysql(df.s, 3)\npx.display(df[['i']])", "i:INT64", (7,), (-2,), (0,)),
)
add(
    "semantic.filter",
    "columns keep their meaning through filter, group, merge and append",
    on_t(
        "df = df[df.b].groupby(['pod', 'n']).agg(d=('d', px.max))",
        "pod:STRING[POD_NAME] n:INT64[BYTES] d:INT64[DURATION_NS]",
    ),
    on_t(
        "a = df[['i', 'pod']]\ndf = a.merge(a, how='inner', left_on='i', right_on='i')",
        "i_x:INT64 pod_x:STRING[POD_NAME] i_y:INT64 pod_y:STRING[POD_NAME]",
    ),
    on_t("df = df[['d']].append(df[['d']])", "d:INT64[DURATION_NS]"),
)
add(
    "semantic.rules",
    "the meaning of results",
    value("df.n / df.d", "FLOAT64[THROUGHPUT_BYTES_PER_NS]"),
    value("df.i / df.d", "FLOAT64[THROUGHPUT_PER_NS]"),
    value("df.n + df.n", "INT64[BYTES]"),
    value("df.n + df.i", "INT64"),
    value("df.n * df.n", "INT64"),
    value("px.abs(df.d)", "INT64[DURATION_NS]"),
    value("px.select(df.b, df.d, df.d)", "INT64[DURATION_NS]"),
    value("px.select(df.b, df.d, df.n)", "INT64"),
    on_t(
        "df = df.agg(a=('d', px.sum), b=('n', px.sum), c=('d', px.mean), d=('p', px.max), e=('d', px.quantiles), f=('i', px.quantiles), g=('pod', px.any))",
        "a:INT64 b:INT64[BYTES] c:FLOAT64[DURATION_NS] d:FLOAT64[PERCENT] e:STRING[DURATION_NS_QUANTILES] f:STRING[QUANTILES] g:STRING[POD_NAME]",
    ),
)
add(
    "overloads",
    "overloads by exact types, nothing is converted",
    refused_on_t("df.v = px.ceil(df.i)", "'ceil' with arguments [INT64]"),
    refused_on_t("df.v = px.round(df.i, 2)", "'round'"),
    refused_on_t("df.v = px.contains(df.s, df.i)", "[STRING, INT64]"),
    refused_on_t("df.v = px.length()", "'length'"),
)
add(
    "functions",
    "functions by position; aggregates on groups only",
    refused_on_t("df.v = px.length(s=df.s)", "no keyword arguments"),
    refused_on_t("df.v = px.mean(df.i)", "aggregate"),
    refused_on_t("df.v = px.length([df.s])", "must be an expression"),
)
add(
    "functions.init",
    "arguments that decide how a function runs are literals",
    value("px.regex_match('a.', df.s)", "BOOLEAN", True, False, False),
    refused_on_t("df.v = px.regex_match(df.s, df.r)", "literal"),
)
add(
    "udtf",
    "table functions take literals, by name or place",
    accepted("import px\npx.display(px.GetTables())", "table_name:STRING table_desc:STRING"),
    accepted("import px\npx.display(px.GetAgentStatus(False)[['asid']])", "asid:INT64"),
    accepted("import px\npx.display(px.GetAgentStatus(include_kelvin=False)[['hostname']])", "hostname:STRING"),
    refused("import px\npx.display(px.GetTables(1))", "takes 0 arguments"),
    refused("import px\npx.display(px._DebugMDGetWithPrefix('a'))", "missing 1 required"),
)
add(
    "placement",
    "agent-only functions come before what must see all rows",
    on_t("df.v = df.ctx['pod']\ndf = df.groupby('v').agg(n=('i', px.count))", "v:STRING[POD_NAME] n:INT64"),
    on_t(
        "df = df.groupby('upid').agg(n=('i', px.count))\ndf.v = px.upid_to_pid(df.upid)",
        "upid:UINT128[UPID] n:INT64 v:INT64",
    ),
    # What nobody reads is not computed, and has no place.
    on_t("df.p = px.ip_to_pod_id(df.s)\ndf = df[df.i > 0]\ndf.v = df.ctx['pod']\ndf = df[['v']]", "v:STRING[POD_NAME]"),
    on_t("df = df.head(1, _pem_only=1)\ndf.v = px.upid_to_pod_name(df.upid)\ndf = df[['v']]", "v:STRING[POD_NAME]"),
    *(
        refused_on_t(f"{before}\ndf.v = {late}", "must execute before blocking nodes", 4)
        for before in (
            "df = df.groupby('upid').agg(n=('i', px.count))",
            "df = df.head(1)",
            "df = df.append(df)",
            "df = df.merge(df, how='inner', left_on='upid', right_on='upid', suffixes=['', '_r'])",
            "df.p = px.ip_to_pod_id('10.0.0.1')",
        )
        for late in ("df.ctx['pod']", "px.upid_to_cmdline(df.upid)")
    ),
    refused_on_t("df = df.agg(v=px.upid_to_pod_name(px.any('upid')))", "must execute before blocking nodes", 3),
    refused_on_t("late = df.ctx['pod']\ndf = df.head(1)\ndf.v = late", "must execute before blocking nodes", 3),
    refused_on_t("df.v = px.upid_to_pod_name(px.upid(1, px.atoi(px.ip_to_pod_id(df.s), 0), 0))", "broker", 3),
)

add(
    "flag",
    "`#px:set name=value` lines",
    *(
        accepted(f"#px:set {flag}\n{PRELUDE}px.display(df[['i']])", "i:INT64")
        for flag in ("explain=true", "explain=false", "analyze=true", "max_output_rows_per_table=5")
    ),
    refused(f"#px:set nothing=1\n{PRELUDE}px.display(df)", "unknown query flag", 1),
    refused(f"#px:set explain\n{PRELUDE}px.display(df)", "malformed", 1),
    refused(f"#px:set  explain=true\n{PRELUDE}px.display(df)", "malformed", 1),
    refused(f"#px:set explain=maybe\n{PRELUDE}px.display(df)", "true or false", 1),
    refused(f"#px:set max_output_rows_per_table=many\n{PRELUDE}px.display(df)", "whole number", 1),
)
add(
    "errors.several",
    "several errors are reported together, each with its place",
    refused_on_t("df.a = df.nothing\nx = other", "'other' is not defined", 4),
    refused_on_t("df.a = df.nothing\nx = other", "'nothing' not found", 3),
)
