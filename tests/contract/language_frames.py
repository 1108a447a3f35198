"""DataFrame methods, ctx, times: sections 4 to 6 of the language."""

from tests.contract.support import (
    NOW_NS,
    PRELUDE,
    SECOND,
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

add(
    "column.read",
    "`df.c`, `df['c']`; it must exist",
    on_t("df.v = df['i']", f"{T} v:INT64"),
    refused_on_t("df.v = df.nothing", "column 'nothing' not found"),
    refused_on_t("df[''] = df.i", "the name of a column is empty"),
)
add(
    "column.other",
    "a column assignment sees the columns of its own DataFrame only",
    refused_on_t("a = px.DataFrame('bare')\ndf.v = a.i", "not available in this context", 4),
    # A DataFrame's columns go by their names in one that was made from it.
    on_t("a = df[df.i == 7]\na.v = df.i + 1\ndf = a[['v']]", "v:INT64", (8,)),
    on_t("a = df.groupby('i').agg(s=('s', px.any))\na.v = df.i\ndf = a[a.v == 7][['v']]", "v:INT64", (7,)),
    refused_on_t("a = df.groupby('i').agg(n=('s', px.count))\na.v = df.s", "not available in this context", 4),
)
add(
    "filter",
    "`df[e]`, `df.filter(e)`; e is BOOLEAN",
    on_t("df = df[df.i > 0]\ndf = df[['i']]", "i:INT64", (7,)),
    on_t("df = df.filter(df.b)\ndf = df[['i']]", "i:INT64", (7,), (0,)),
    refused_on_t("df = df[df.i]", "must be BOOLEAN"),
    refused_on_t("df = df.filter(df.s)", "must be BOOLEAN"),
)
add(
    "keep",
    "`df[['a', 'b']]`, `df['a', 'b']`: these, in this order",
    on_t("df = df[['s', 'i']]", "s:STRING i:INT64"),
    on_t("df = df['s', 'i']", "s:STRING i:INT64"),
    refused_on_t("df = df[['s', 's']]", "twice"),
    refused_on_t("df = df[['nothing']]", "'nothing' not found"),
)
add(
    "drop",
    "`drop(columns)`: a name or a list",
    on_t("df = df[['i', 's', 'f']].drop('s')", "i:INT64 f:FLOAT64"),
    on_t("df = df[['i', 's', 'f']].drop(columns=['f', 'i'])", "s:STRING"),
    refused_on_t("df = df.drop(['nothing'])", "'nothing' not found"),
)
add(
    "head",
    "`head(n=5)`: the first rows; n is a literal",
    on_t("df = df[['i']].head(2)", "i:INT64", (7,), (-2,)),
    on_t("df = df[['i']].head(n=1)", "i:INT64", (7,)),
    on_t("df = df[['i']].head()", "i:INT64", (7,), (-2,), (0,)),
    refused_on_t("df = df.head(df.i)", "expected argument 'n'"),
    refused_on_t("df = df.head('5')", "expected argument 'n'"),
)
add("head.pem_only", "`head(n, _pem_only=1)`: per agent", on_t("df = df[['i']].head(2, _pem_only=1)", "i:INT64"))
add(
    "groupby",
    "`groupby(by)`: a name or a list; agg() must follow",
    on_t("df = df.groupby('r').agg(n=('i', px.count))", "r:STRING n:INT64"),
    on_t("df = df.groupby(['b', 'c']).agg(n=('i', px.count))", "b:BOOLEAN c:BOOLEAN n:INT64"),
    refused(f"{PRELUDE}px.display(df.groupby('i'))", "followed by agg"),
    refused_on_t("df = df.groupby('i').head(3)", "followed by agg"),
    refused_on_t("df = df.groupby('nothing').agg(n=('i', px.count))", "'nothing' not found"),
)
add(
    "agg",
    "`agg(out=('col', px.fn))`: groups first, then outputs in their order",
    on_t(
        "df = df.groupby('j').agg(z=('i', px.sum), a=('f', px.mean))\ndf = df[df.j == 5]",
        "j:INT64 z:INT64 a:FLOAT64",
        (5, -2, -0.5),
    ),
    on_t("df = df.agg(n=('i', px.count), m=('i', px.max))", "n:INT64 m:INT64", (3, 7)),
)
add(
    "agg.distinct",
    "groups without outputs give the distinct groups",
    on_t("df = df.groupby('c').agg()\ndf = df[df.c]", "c:BOOLEAN", (True,)),
)
add(
    "agg.arguments",
    "several columns before a function that takes several",
    on_t("df = df.agg(p=('s', 'i', 'j', px.pprof))", "p:STRING"),
)
add(
    "agg.shape",
    "a tuple of column names and a function that is not called",
    refused_on_t("df = df.agg(a=px.mean)", "must be a tuple"),
    refused_on_t("df = df.agg(a=(df.i, px.mean))", "column names"),
    refused_on_t("df = df.agg(a=('i', 'mean'))", "must be a function"),
    refused_on_t("df = df.agg(a=('i', px.mean('i')))", "already has its columns"),
    refused_on_t("df = df.agg(a=('nothing', px.mean))", "'nothing' not found"),
    refused_on_t("df = df.agg(('i', px.mean))", "takes 0 arguments but 1"),
    refused_on_t("df = df.agg(a=('s', px.mean))", "could not find aggregate"),
    refused_on_t("df = df.agg(a=('i', px.contains))", "not an aggregate"),
)
add(
    "agg.empty",
    "without groups and rows one row comes out",
    accepted(
        "import px\ndf = px.DataFrame('empty')\ndf = df.agg(n=('i', px.count), s=('i', px.sum))\npx.display(df)",
        "n:INT64 s:INT64",
        (0, 0),
    ),
)
MERGED = "time__x:TIME64NS i_x:INT64 s_x:STRING time__y:TIME64NS i_y:INT64 k:INT64 s_y:STRING"
M = "a = df[['time_', 'i', 's']]\nb = px.DataFrame('other')\ndf = a.merge(b, how='{}', left_on='i', right_on='i')\ndf = df.drop(['time__x', 'time__y'])"
MC = "i_x:INT64 s_x:STRING i_y:INT64 k:INT64 s_y:STRING"
add(
    "merge",
    "`merge(right, how, left_on, right_on, suffixes=['_x', '_y'])`: left columns, then right; both keys stay",
    on_t(
        "a = df[['time_', 'i', 's']]\nb = px.DataFrame('other')\ndf = a.merge(b, how='inner', left_on='i', right_on='i')",
        MERGED,
    ),
    on_t(M.format("inner"), MC, (7, "ab", 7, 70, "seven")),
)
add(
    "merge.left",
    "how='left': what is missing is 0, '', False",
    on_t(M.format("left") + "\ndf = df[df.i_x == 0]", MC, (0, "é", 0, 0, "")),
)
add(
    "merge.right",
    "how='right': rows of the right, columns in the same order",
    on_t(M.format("right") + "\ndf = df[df.k == 90]", MC, (0, "", 9, 90, "nine")),
)
add(
    "merge.outer",
    "how='outer': all rows",
    on_t(M.format("outer") + "\ndf = df.agg(n=('k', px.count))", "n:INT64", (4,)),
)
add(
    "merge.keys",
    "key lists of one length and equal types",
    on_t("b = px.DataFrame('other')\ndf = df.merge(b, how='inner', left_on=['i', 's'], right_on=['i', 's'])"),
    refused_on_t(
        "b = px.DataFrame('other')\ndf = df.merge(b, how='inner', left_on=['i'], right_on=['i', 's'])",
        "left_on names 1",
        4,
    ),
    refused_on_t("b = px.DataFrame('other')\ndf = df.merge(b, how='inner', left_on='i', right_on='s')", "INT64", 4),
    refused_on_t(
        "b = px.DataFrame('other')\ndf = df.merge(b, how='inner', left_on='nothing', right_on='s')",
        "'nothing' not found",
        4,
    ),
)
EACH = "a = df[['i']]\nb = px.DataFrame('other')[['k']]\nnone = b[b.k < 0]\n"
add(
    "merge.no_keys",
    "empty key lists: each row of the left with each of the right",
    on_t(
        EACH + "n = b.agg(k=('k', px.count))\ndf = a.merge(n, how='outer', left_on=[], right_on=[], suffixes=['', ''])"
        "\ndf = df[df.i == 7]",
        "i:INT64 k:INT64",
        (7, 2),
    ),
    on_t(
        EACH + "df = a.merge(b, how='inner', left_on=[], right_on=[])\ndf = df.agg(n=('i', px.count))",
        "n:INT64",
        (6,),
    ),
    on_t(
        EACH + "df = a.merge(none, how='left', left_on=[], right_on=[])\ndf = df[df.i == 7]",
        "i:INT64 k:INT64",
        (7, 0),
    ),
    refused_on_t(EACH + "df = a.merge(b, how='inner')", "missing 2 required", 6),
)
add(
    "merge.how",
    "`how` must be given, one of four",
    refused_on_t("df = df.merge(df, left_on='i', right_on='i')", "'how'"),
    refused_on_t("df = df.merge(df, how='cross', left_on='i', right_on='i')", "invalid join type"),
)
add(
    "merge.suffixes",
    "names on both sides get the suffixes; still doubled names are refused",
    on_t(
        "b = px.DataFrame('bare')\ndf = df[['i', 'f']].merge(b, how='inner', left_on='i', right_on='i', suffixes=['', '_b'])",
        "i:INT64 f:FLOAT64 i_b:INT64 s:STRING",
    ),
    refused_on_t("df = df.merge(df, how='inner', left_on='i', right_on='i', suffixes=['', ''])", "two columns"),
    refused_on_t("df = df.merge(df, how='inner', left_on='i', right_on='i', suffixes=['a'])", "two strings"),
)
add(
    "append",
    "`append(objs)`: one DataFrame or a list; matched by name, in time order where `time_` is",
    on_t(
        "a = px.DataFrame('t', select=['time_', 'i'])\nb = px.DataFrame('other', select=['i', 'time_'])\ndf = a.append(b)",
        "time_:TIME64NS i:INT64",
        (NOW_NS - 5 * SECOND, 7),
        (NOW_NS - 3 * SECOND, 7),
        (NOW_NS - 2 * SECOND, -2),
        (NOW_NS - SECOND - 1, 9),
        (NOW_NS - SECOND, 0),
    ),
    on_t("df = df[['i']].append([df[['i']], df[['i']]])\ndf = df.agg(n=('i', px.count))", "n:INT64", (9,)),
)
add(
    "append.schema",
    "equal columns in number, name and type",
    refused_on_t("df = df.append(px.DataFrame('bare'))", "missing"),
    refused_on_t("df = df[['i']].append(px.DataFrame('bare'))", "2 columns"),
    refused_on_t("b = df[['s']]\nb.i = b.s\ndf = df[['i']].append(b[['i']])", "INT64 here and STRING", 5),
)
add(
    "stream",
    "`stream()` ends the chain; agg, merge and append cannot come before",
    accepted("import px\ndf = px.DataFrame('t', select=['i'])\ndf = df[df.i > 0].stream()\npx.display(df)", "i:INT64"),
    refused_on_t("df = df.stream().head(3)", "last operation"),
    on_t("df = df[['i']].head(3).stream()", "i:INT64"),
    refused_on_t("df = df.agg(n=('i', px.count)).stream()", "agg()"),
    refused_on_t("df = df.append(df).stream()", "append()"),
    on_t("df = df[['i']].head(3, _pem_only=1).stream()", "i:INT64"),
)
add("map", "`df.map(...)` says to assign columns", refused_on_t("df = df.map(1)", "no map()", hint="assign a column"))
add(
    "rolling",
    "`rolling(window, on='time_')`: a window longer than zero, over `time_`",
    refused_on_t("df = df.rolling('5s', on='i')", "'time_' only"),
    refused_on_t("df = df.rolling('0s')", "longer than zero"),
    on_t("df = df.rolling('1d').agg(n=('i', px.count))[['n']]", "n:INT64", (3,)),
    on_t(
        "df = df.groupby('j').rolling(px.days(1)).agg(n=('i', px.sum))[['j', 'n']].sort('j')",
        "j:INT64 n:INT64",
        (3, 7),
        (5, -2),
    ),
)

SOURCES = {
    "pods": {"service_id": "service_name_to_service_id", "pod_id": "pod_name_to_pod_id"},
}  # fmt: skip
CTX = {
    "container_id": ("STRING", "c1"), "service_id": ("STRING", ""), "pod_id": ("STRING", "pod-1"), "deployment_id": ("STRING", ""), "replicaset_id": ("STRING", ""),
    "replica_set_id": ("STRING", ""), "service_name": ("STRING[SERVICE_NAME]", "ns/svc"), "service": ("STRING[SERVICE_NAME]", "ns/svc"),
    "pod_name": ("STRING[POD_NAME]", "ns/web"), "pod": ("STRING[POD_NAME]", "ns/web"), "deployment_name": ("STRING", ""), "deployment": ("STRING", ""),
    "namespace": ("STRING[NAMESPACE_NAME]", "ns"), "replicaset_name": ("STRING", ""), "replica_set": ("STRING", ""), "replicaset": ("STRING", ""),
    "node_name": ("STRING[NODE_NAME]", ""), "node": ("STRING[NODE_NAME]", ""), "hostname": ("STRING", "web"), "host": ("STRING", "web"),
    "container_name": ("STRING[CONTAINER_NAME]", "main"), "container": ("STRING[CONTAINER_NAME]", "main"), "cmdline": ("STRING", "nginx"), "cmd": ("STRING", "nginx"),
    "asid": ("INT64[ASID]", 1), "pid": ("INT64", 7),
}  # fmt: skip
for key, (kind, wanted) in CTX.items():
    add(
        f"ctx.{key}",
        f"`df.ctx['{key}']` is {kind}",
        value(f"df.ctx['{key}']", kind, wanted) if wanted != "" else value(f"df.ctx['{key}']", kind),
    )
FROM_PODS = {"service_id": "STRING", "deployment_id": "STRING", "replicaset_id": "STRING", "service_name": "STRING[SERVICE_NAME]", "pod_name": "STRING[POD_NAME]", "deployment_name": "STRING",
             "namespace": "STRING[NAMESPACE_NAME]", "replicaset_name": "STRING", "node_name": "STRING[NODE_NAME]", "pod_id": "STRING"}  # fmt: skip
add(
    "ctx.sources",
    "without `upid`, other columns by their exact names: pod_id, pod_name, service_name ...",
    *(
        accepted(f"import px\ndf = px.DataFrame('pods')\ndf.v = df.ctx['{key}']\npx.display(df[['v']])", f"v:{kind}")
        for key, kind in FROM_PODS.items()
    ),
    accepted(
        "import px\ndf = px.DataFrame('pods')\ndf.v = df.ctx['pod']\ndf.w = df.ctx['namespace']\npx.display(df[['v', 'w']])",
        "v:STRING[POD_NAME] w:STRING[NAMESPACE_NAME]",
        ("ns/web", "ns"),
    ),
    refused("import px\ndf = px.DataFrame('pods')\ndf.v = df.ctx['cmdline']", "cannot find 'cmdline'", 3),
    refused_on_t("df = df[['pod']]\ndf.v = df.ctx['namespace']", "cannot find 'namespace'", 4),
)
add(
    "ctx.fallback",
    "pod of `upid`, `local_addr`, `time_` falls back to the address",
    accepted(
        "import px\ndf = px.DataFrame('addressed')\ndf.v = df.ctx['pod']\npx.display(df[['v']])",
        "v:STRING[POD_NAME]",
        ("ns/web",),
    ),
)
add(
    "ctx.unknown",
    "other keys are refused",
    refused_on_t("df.v = df.ctx['nothing']", "'nothing' not found"),
    refused_on_t("df.v = df.ctx.pod", "no attributes"),
    refused_on_t("df.v = df.ctx[1]", "string"),
)
add(
    "ctx.filter",
    "ctx in filters",
    on_t("df = df[df.ctx['pod'] == 'ns/web']\ndf = df[['i']]", "i:INT64", (7,), (-2,), (0,)),
)


def since(text: str) -> str:
    return f"import px\ndf = px.DataFrame('t', start_time={text}, select=['i'])\npx.display(df)"


add("time.int", "an integer is ns since the epoch", accepted(since(str(NOW_NS - SECOND)), "i:INT64", (0,)))
add(
    "time.relative",
    "text with a number and ms, s, m, h or d anywhere counts from now",
    accepted(since("'-2s'"), "i:INT64", (-2,), (0,)),
    accepted(since("'since -1000ms ago'"), "i:INT64", (0,)),
    accepted(since("'-1h'"), "i:INT64", (7,), (-2,), (0,)),
)
add(
    "time.absolute",
    "other text is `2020-07-13 18:02:5.00 +0000`",
    accepted(since("'2023-11-14 22:13:19.00 +0000'"), "i:INT64", (0,)),
    accepted(since("'2023-11-14 23:13:18 +0100'"), "i:INT64", (-2,), (0,)),
)
add(
    "time.none",
    "None: from the first row, to those that are there",
    accepted(since("None"), "i:INT64", (7,), (-2,), (0,)),
)
add(
    "time.folded",
    "`px.now() - px.minutes(5)` and px.Time values",
    accepted(since("px.now() - px.seconds(1)"), "i:INT64", (0,)),
    accepted(since("px.parse_time('-1s')"), "i:INT64", (0,)),
)
add(
    "time.inclusive",
    "both bounds are included",
    accepted(
        "import px\ndf = px.DataFrame('t', start_time='-2s', end_time='-2s', select=['i'])\npx.display(df)",
        "i:INT64",
        (-2,),
    ),
)
add(
    "time.wrong",
    "what fits neither form is refused, naming both",
    refused(since("'yesterday'"), "wrong format", 2),
    refused(since("1.5"), "as a time", 2),
    refused(since("'5us'"), "wrong format", 2),
    refused(since("'99999999999d'"), "64 bits", 2),
)
