"""The module px, its types, times, DataFrame methods, ctx: sections 3 to 6 of the language."""

from tests.contract.support import (
    NOW_NS,
    PRELUDE,
    SECOND,
    UUID,
    Rules,
    T,
    accepted,
    on_t,
    refused,
    refused_on_t,
    value,
)  # fmt: skip

RULES = Rules()
add = RULES.add
MINUTE = 60 * SECOND

add(
    "px.DataFrame",
    "`px.DataFrame(table, select=[], start_time=None, end_time=None)`; select in its own order, or one name",
    on_t("", T),
    accepted(
        "import px\npx.display(px.DataFrame('t', select=['s', 'i']))", "s:STRING i:INT64", ("ab", 7), ("", -2), ("é", 0)
    ),
    accepted("import px\npx.display(px.DataFrame('t', 's'))", "s:STRING"),
    accepted(
        "import px\npx.display(px.DataFrame(table='t', select=['i'], start_time='-2s', end_time='-1s'))",
        "i:INT64",
        (-2,),
        (0,),
    ),
    refused("import px\ndf = px.DataFrame('nothing')", "table 'nothing' not found", 2),
    refused("import px\ndf = px.DataFrame('t', select=['nothing'])", "column 'nothing' not found", 2),
    refused("import px\ndf = px.DataFrame(5)", "expected argument 'table' as type 'string'", 2),
)
add(
    "px.display",
    "`px.display(out, name='output', cols=[])`; a name used again gets `_1`, `_2`",
    accepted(
        f"{PRELUDE}df = df[['i']]\npx.display(df)\npx.display(df)\npx.display(df, 'a')\npx.display(df, name='a', cols=['x'])\npx.display(df)",
        output="i:INT64",
        output_1="i:INT64",
        a="i:INT64",
        a_1="i:INT64",
        output_2="i:INT64",
    ),
    refused(f"{PRELUDE}px.display(5)", "expected argument 'out' as type 'DataFrame'", 3),
    refused(f"{PRELUDE}x = px.display(df)\ndf.v = x", "None", 4),
)
add("px.display.none", "a script must show something", refused(PRELUDE, "does not output a result", 2, "px.display"))
add(
    "px.debug",
    "`px.debug(out, name='output', cols=[])`: as display, named `_name`",
    accepted(f"{PRELUDE}px.debug(df[['i']], 'a')\npx.debug(df[['j']])", _a="i:INT64", _output="j:INT64"),
)
add("px.now", "`px.now()` is integer ns, fixed when compiled", value("px.now()", "INT64", NOW_NS))
for unit, factor in {"microseconds": 10**3, "milliseconds": 10**6, "seconds": 10**9, "minutes": 60 * 10**9,
                     "hours": 3600 * 10**9, "days": 86400 * 10**9}.items():  # fmt: skip
    add(
        f"px.{unit}",
        f"`px.{unit}(unit)` is integer ns",
        value(f"px.{unit}(2)", "INT64", 2 * factor),
        value(f"px.{unit}(unit=-1)", "INT64", -factor),
        refused_on_t(f"df.v = px.{unit}(1.5)", "int"),
        refused_on_t(f"df.v = px.{unit}(df.i)", "int"),
    )
add("px.nanoseconds", "there is no px.nanoseconds", refused_on_t("df.v = px.nanoseconds(1)", "no attribute"))
add(
    "px.parse_duration",
    "`px.parse_duration(duration)`: '-5m' to ns",
    value("px.parse_duration('-5m')", "INT64", -5 * MINUTE),
    value("px.parse_duration('10ms')", "INT64", 10**7),
    value("px.parse_duration('1d')", "INT64", 86400 * SECOND),
    refused_on_t("df.v = px.parse_duration('5 fortnights')", "duration"),
)
add(
    "px.format_duration",
    "`px.format_duration(duration)`: the largest unit that fits, cut, with its sign",
    value("px.format_duration(px.seconds(90))", "STRING", "1m"),
    value("px.format_duration(-px.hours(25))", "STRING", "-1d"),
    value("px.format_duration(1500000)", "STRING", "1ms"),
    value("px.format_duration(px.minutes(59))", "STRING", "59m"),
)
add(
    "px.parse_time",
    "`px.parse_time(time)`: text, ns or Time to a Time",
    value("px.parse_time('-5m')", "TIME64NS", NOW_NS - 5 * MINUTE),
    value("px.parse_time('2020-07-13 18:02:5.00 +0000')", "TIME64NS", 1594663325 * SECOND),
    value("px.parse_time(7)", "TIME64NS", 7),
    value("px.parse_time(px.parse_time('-1s'))", "TIME64NS", NOW_NS - SECOND),
)
add(
    "px.strptime",
    "`px.strptime(date_string, format)`: integer ns",
    value("px.strptime('2020-07-13 18:02:05', '%Y-%m-%d %H:%M:%S')", "INT64", 1594663325 * SECOND),
    value("px.strptime('13/07/2020', '%d/%m/%Y')", "INT64", 1594598400 * SECOND),
    refused_on_t("df.v = px.strptime('x', '%Y')", "does not match"),
)
add(
    "px.uint128",
    "`px.uint128(uuid)`",
    value(f"px.equal(px.uint128('{UUID}'), df.upid)", "BOOLEAN", True),
    refused_on_t("df.v = px.uint128('12')", "not a UUID"),
)
add(
    "px.make_upid",
    "`px.make_upid(asid, pid, ts_ns)`: UINT128 with ST_UPID; 32 bits for asid and pid",
    value("px.make_upid(1, 7, 9)", "UINT128[UPID]"),
    value("px.make_upid(1, 7, 9) == df.upid", "BOOLEAN", True),
    refused_on_t("df.v = px.make_upid(1, 4294967296, 9)", "32 bits"),
    refused_on_t("df.v = px.make_upid(-1, 1, 9)", "32 bits"),
)
add(
    "px.equals_any",
    "`px.equals_any(value, comparisons)`: any of a list that is not empty",
    value("px.equals_any(df.i, [7, 0])", "BOOLEAN", True, False, True),
    value("px.equals_any(df.s, ['ab'])", "BOOLEAN", True, False, False),
    refused_on_t("df.v = px.equals_any(df.i, [])", "at least one"),
    refused_on_t("df.v = px.equals_any(df.i, ['a'])", "INT64, STRING"),
)
add(
    "px.script_reference",
    "`px.script_reference(label, script, args={})`: ST_SCRIPT_REFERENCE",
    value("px.script_reference(df.s, 'px/pod', {'pod': df.pod})", "STRING[SCRIPT_REFERENCE]"),
    value("px.script_reference('a', 'px/pod')", "STRING[SCRIPT_REFERENCE]"),
    refused_on_t("df.v = px.script_reference(df.i, 'a')", "INT64"),
    refused_on_t("df.v = px.script_reference('a', 'b', {1: 'c'})", "keys"),
)
add(
    "px.vis.vega",
    "`@px.vis.vega('...')` keeps the function callable",
    on_t("@px.vis.vega('{}')\ndef f():\n    return 4\ndf.v = f()", f"{T} v:INT64"),
)
add(
    "px.plugin",
    "`px.plugin.start_time` only means something in a plugin's run",
    refused_on_t("df.v = px.plugin.start_time", "plugin"),
)
TYPES = {
    "Time": ("df.time_", "TIME64NS"), "Service": ("df.s", "STRING[SERVICE_NAME]"), "Pod": ("df.s", "STRING[POD_NAME]"), "Node": ("df.s", "STRING[NODE_NAME]"),
    "Namespace": ("df.s", "STRING[NAMESPACE_NAME]"), "Container": ("df.s", "STRING[CONTAINER_NAME]"), "UPID": ("df.upid", "UINT128[UPID]"),
    "Bytes": ("df.i", "INT64[BYTES]"), "DurationNanos": ("df.i", "INT64[DURATION_NS]"), "Percent": ("df.f", "FLOAT64[PERCENT]"),
}  # fmt: skip
for name, (expression, kind) in TYPES.items():
    add(
        f"type.{name}",
        f"`px.{name}` is {kind}: a cast and an annotation",
        value(f"px.{name}({expression})", kind),
        refused_on_t(f"df.v = px.{name}(df.b)", "only semantic type casts"),
        on_t(f"def f(a: px.{name}):\n    return a\ndf.v = f({expression})"),
        refused_on_t(f"def f(a: px.{name}):\n    return a\ndf.v = f(df.b)", f"expected {name}", 5),
    )
add(
    "type.literal",
    "an annotation such as px.Pod takes plain text; another meaning by a cast is refused",
    on_t("def f(a: px.Pod):\n    return a\ndf.v = f('x')", f"{T} v:STRING"),
    refused_on_t("def f(a: px.Pod):\n    return a\ndf.v = f(px.Service('x'))", "expected Pod", 5),
)
