"""Statements, expressions, operators: sections 1 and 2 of the language."""

from tests.contract.support import PRELUDE, Rules, T, accepted, on_t, refused, refused_on_t, value

RULES = Rules()
add = RULES.add
DF = "df = px.DataFrame('bare')\npx.display(df)"
BARE = "i:INT64 s:STRING"

add(
    "import",
    "`import px`; nothing of it is known before",
    accepted(f"import px\n{DF}", BARE),
    refused(DF, "name 'px' is not defined", 1, hint="import px"),
)
add("import.as", "`import px as name`", accepted("import px as p\np.display(p.DataFrame('bare'))", BARE))
add(
    "import.modules",
    "px, pxtrace, pxconfig, pxviews can be imported; others, also the old `pl`, cannot",
    accepted(f"import px\nimport pxtrace\nimport pxconfig\nimport pxviews\n{DF}", BARE),
    refused(f"import px\nimport os\n{DF}", "ModuleNotFoundError", 2),
    refused("import pl\nx = 1", "ModuleNotFoundError", 1),
)
add("import.one", "one module in a statement", refused("import px, pxviews\nx = 1", "one module", 1))
add(
    "import.from",
    "`from px import a, b as c`",
    accepted("from px import DataFrame, display as show\nshow(DataFrame('bare'))", BARE),
    refused("from px import nothing\nx = 1", "cannot import name 'nothing'", 1),
)
add("import.level", "relative imports are refused", refused("from . import px", "relative", 1))

add("assign.name", "`name = expression`", accepted("import px\na = px.DataFrame('bare')\npx.display(a)", BARE))
add(
    "assign.column",
    "`df.c = e` and `df['c'] = e`; a new column comes last, a known one keeps its place",
    on_t(
        "df = df[['i', 's', 'f']]\ndf.x = df.i + 1\ndf['y'] = df['s']\ndf.i = df.f * 2.0",
        "i:FLOAT64 s:STRING f:FLOAT64 x:INT64 y:STRING",
        (3.0, "ab", 1.5, 8, "ab"),
        (-1.0, "", -0.5, -1, ""),
        (0.0, "é", 0.0, 1, "é"),
    ),
)
add(
    "assign.rebinds",
    "a column assignment makes a new DataFrame: an older name keeps what it had",
    accepted(
        f"{PRELUDE}old = df[['i']]\nnew = old\nnew.x = 1\npx.display(old, 'a')\npx.display(new, 'b')",
        a="i:INT64",
        b="i:INT64 x:INT64",
    ),
)
add(
    "assign.attribute",
    "`px.Pod = str` changes what an annotation means",
    accepted(
        "import px\npx.Pod = str\ndf = px.DataFrame('bare')\ndf.p = px.Pod(df.s)\npx.display(df)", f"{BARE} p:STRING"
    ),
)
add(
    "assign.targets",
    "one target: no `a = b = c`, tuples, stars, annotations",
    refused_on_t("a = b = df", "one target"),
    refused_on_t("a, b = df, df", "cannot assign to a tuple"),
    refused_on_t("x: int = 1", "annotated assignment"),
    refused_on_t("*a, = df", "cannot assign"),
)
add(
    "assign.base",
    "the base of a column assignment is a plain name",
    refused_on_t("def f():\n    return df\nf().x = 1", "assigned to a DataFrame's name", 5),
    refused_on_t("df.x.y = 1", "not found", 3),
)
add(
    "assign.subscript",
    "only DataFrames are assigned by subscript",
    refused_on_t("l = [1]\nl[0] = 2", "cannot assign to an element of a list", 4),
)

add(
    "def",
    "`def` with positional arguments; evaluated at each call, closures see what encloses them",
    accepted(
        "import px\nn = 2\ndef f(a, b):\n    c = a + b\n    return c * n\n"
        "df = px.DataFrame('bare')\ndf.x = f(1, b=2)\ndf.y = f(df.i, 1)\npx.display(df)",
        f"{BARE} x:INT64 y:INT64",
        (1, "x", 6, 4),
        (2, "y", 6, 6),
    ),
)
add(
    "def.nested",
    "functions inside functions",
    accepted(
        f"import px\ndef f(a):\n    def g(b):\n        return a + b\n    return g(1)\n{DF.splitlines()[0]}\n"
        "df.x = f(2)\npx.display(df)",
        f"{BARE} x:INT64",
        (1, "x", 3),
        (2, "y", 3),
    ),
)
add(
    "def.star",
    "no *args, **kwargs",
    refused_on_t("def f(*a):\n    return 1", "positional"),
    refused_on_t("def f(**a):\n    return 1", "positional"),
    refused_on_t("def f(a, b, a):\n    return 1", "duplicate argument 'a'"),
)
add(
    "def.annotation",
    "annotations are expressions, checked at each call",
    on_t("def f(a: str, t: px.Time):\n    return a\ndf.x = f('a', px.parse_time('-5m'))"),
    refused_on_t("def f(a: str):\n    return a\ndf.x = f(1)", "expected str", 5),
    refused_on_t("def f(a: nothing):\n    return a", "'nothing' is not defined", 3),
)
add(
    "def.decorator",
    "one decorator at most",
    refused_on_t("@px.vis.vega('{}')\n@px.vis.vega('{}')\ndef f():\n    return 1", "one decorator", None),
)
add(
    "return",
    "inside functions only; without one the result is None",
    refused("import px\nreturn 1", "outside", 2),
    refused_on_t("def f():\n    a = 1\ndf.x = f()", "None", 5),
    accepted(
        f"import px\ndef f():\n    return 1, [2]\n{DF.splitlines()[0]}\ndf.x = f()[1][0]\npx.display(df)",
        f"{BARE} x:INT64",
        (1, "x", 2),
        (2, "y", 2),
    ),
)
add(
    "docstring",
    "first in a module or function; later strings are errors",
    accepted(f"'''About.'''\nimport px\ndef f():\n    '''What.'''\n    return 1\n{DF}", BARE),
    refused_on_t("'text'", "docstring"),
    refused_on_t("def f():\n    a = 1\n    'text'\nf()", "docstring", 5),
)
for name, lines in {
    "if": "if True:\n    x = 1", "for": "for x in [1]:\n    y = x", "while": "while True:\n    x = 1",
    "with": "with df as x:\n    y = 1", "try": "try:\n    x = 1\nexcept E:\n    x = 2", "class": "class A:\n    x = 1",
    "lambda": "f = lambda x: x", "pass": "pass", "del": "del df", "global": "global df", "assert": "assert True",
    "raise": "raise df", "yield": "def f():\n    yield 1\nf()", "comprehension": "x = [y for y in [1]]",
    "print": "print('a')", "exec": "exec('a')",
}.items():  # fmt: skip
    expected = {
        "comprehension": "comprehension", "print": "'print' is not defined", "exec": "'exec' is not defined",
        "yield": "yield",
    }.get(name, f"'{name}'" if name != "lambda" else "lambda")  # fmt: skip
    add(
        f"not.{name}",
        f"`{name}` is no part of the language",
        refused_on_t(lines, expected, 4 if name == "yield" else 3),
    )
add("comment", "`#` begins a comment", on_t("# a comment\ndf.x = 1  # another\n#px: not a flag", f"{T} x:INT64"))
add("empty", "an empty script is refused", refused("", "empty", 1), refused("# nothing\n", "empty", 1))

add(
    "literal.int",
    "integers are 64 bits",
    value("9223372036854775807", "INT64", (1 << 63) - 1),
    value("-9223372036854775808", "INT64", -(1 << 63)),
    value("0x10", "INT64", 16),
    refused_on_t("df.v = 9223372036854775808", "64 bits"),
)
add("literal.float", "floats", value("1.5e3", "FLOAT64", 1500.0), value(".5", "FLOAT64", 0.5))
add(
    "literal.str",
    "strings: raw, triple quotes, joined",
    value(r"r'a\d'", "STRING", r"a\d"),
    value("'''a\nb'''", "STRING", "a\nb"),
    value("'a' 'b'", "STRING", "ab"),
    value(r"'\n\x41\u00e9'", "STRING", "\nAé"),
)
add(
    "literal.names",
    "True, False, None without an import",
    value("True", "BOOLEAN", True),
    value("False", "BOOLEAN", False),
    refused_on_t("df.v = None", "None"),
)
add(
    "literal.other",
    "no complex numbers, bytes, sets",
    refused_on_t("df.v = 1j", "complex"),
    refused_on_t("df.v = b'a'", "bytes"),
    refused_on_t("x = {1, 2}", "Set"),
)
add(
    "collection",
    "lists and tuples, by literal index",
    value("[1, 2][1]", "INT64", 2),
    value("(1, 'a')[1]", "STRING", "a"),
    refused_on_t("x = [1][2]", "out of range"),
    refused_on_t("x = [1]['a']", "must be integers"),
    refused_on_t("x = [1, 2][0:1]", "slice"),
)
add("subscript.slice", "no slices", refused_on_t("x = df[0:5]", "slice"))
add(
    "subscript.other",
    "only DataFrames, ctx, lists and tuples have subscripts",
    refused_on_t("x = 5[0]", "not subscriptable"),
    refused_on_t("x = df.i[0]", "not subscriptable"),
)
add(
    "call.column",
    "a column is not callable",
    refused_on_t("df.i()", "no method 'i'"),
    refused_on_t("x = (df.i + 1)()", "not callable"),
)
add(
    "call.rules",
    "calls follow Python: counts, names, doubles",
    refused_on_t("def f(a, b):\n    return a\nf(1)", "missing 1 required positional argument 'b'", 5),
    refused_on_t("def f(a):\n    return a\nf(1, 2)", "takes 1 argument but 2 were given", 5),
    refused_on_t("def f(a):\n    return a\nf(1, a=2)", "multiple values for argument 'a'", 5),
    refused_on_t("def f(a):\n    return a\nf(b=2)", "unexpected keyword argument 'b'", 5),
    refused_on_t("x = px.DataFrame()", "missing 1 required positional argument 'table'"),
)
add("name", "names must be defined", refused_on_t("x = nothing", "name 'nothing' is not defined"))
add(
    "attribute",
    "attributes must exist",
    refused_on_t("x = px.nothing", "no attribute 'nothing'"),
    refused_on_t("x = 'a'.upper", "no attribute 'upper'"),
)
add(
    "commas",
    "a comma left out between keyword arguments at a line break is understood",
    on_t("df = df.groupby('s').agg(\n    a=('i', px.sum)\n    b=('j', px.max)\n)", "s:STRING a:INT64 b:INT64"),
    refused_on_t("x = px.seconds(1\n2)", "syntax", 3),
)
add(
    "syntax",
    "what cannot be read is refused with the class of the error",
    refused("import px\nx = (", "SyntaxError", 2),
    refused("import px\n  x = 1", "IndentationError", 2),
)

add(
    "op.add",
    "`+`: numbers, text, times",
    value("df.i + df.j", "INT64", 10, 3, 3),
    value("df.f + df.g", "FLOAT64", 3.5, -0.5, 1.0),
    value("df.i + df.f", "FLOAT64", 8.5, -2.5, 0.0),
    value("df.s + df.r", "STRING", "abb", "x", "éé"),
    value("df.time_ + 5", "TIME64NS", 1_699_999_997_000_000_005, 1_699_999_998_000_000_005, 1_699_999_999_000_000_005),
    value("5 + df.time_", "TIME64NS", 1_699_999_997_000_000_005, 1_699_999_998_000_000_005, 1_699_999_999_000_000_005),
    refused_on_t("df.v = df.s + df.i", "STRING, INT64"),
    refused_on_t("df.v = df.time_ + df.time_", "TIME64NS, TIME64NS"),
)
add(
    "op.subtract",
    "`-`: numbers; time less time is integer ns",
    value("df.i - df.j", "INT64", 4, -7, -3),
    value("df.time_ - df.time_", "INT64", 0),
    value("df.time_ - px.parse_time('-3s')", "INT64", 0, 10**9, 2 * 10**9),
    value("df.f - 1", "FLOAT64", 0.5, -1.5, -1.0),
    refused_on_t("df.v = df.s - df.r", "STRING, STRING"),
)
add(
    "op.multiply",
    "`*`",
    value("df.i * df.j", "INT64", 21, -10, 0),
    value("df.i * df.f", "FLOAT64", 10.5, 1.0, 0.0),
    refused_on_t("df.v = df.s * 2", "STRING, INT64"),
)
add(
    "op.divide",
    "`/` is always a float; by zero gives inf or nan",
    value("df.i / df.j", "FLOAT64", 7 / 3, -0.4, 0.0),
    value("df.i / 0", "FLOAT64", float("inf"), float("-inf"), float("nan")),
    value("6 / 3", "FLOAT64", 2.0),
)
add(
    "op.modulo",
    "`%`: integers and times, the sign of the left side",
    value("df.i % df.j", "INT64", 1, -2, 0),
    value("-7 % 3", "INT64", -1),
    value("7 % -3", "INT64", 1),
    value("df.time_ % 1000000000", "INT64", 0),
    refused_on_t("df.v = df.f % 2.0", "FLOAT64, FLOAT64"),
)
add(
    "op.compare",
    "`== != < <= > >=` on equal types",
    value("df.i == df.j", "BOOLEAN", False),
    value("df.i != df.j", "BOOLEAN", True),
    value("df.i < df.j", "BOOLEAN", False, True, True),
    value("df.s <= df.r", "BOOLEAN", True),
    value("df.f > df.g", "BOOLEAN", False),
    value("df.time_ >= px.parse_time('-2s')", "BOOLEAN", False, True, True),
    value("df.upid == px.make_upid(1, 7, 9)", "BOOLEAN", True),
    value("df.b == df.c", "BOOLEAN", False, True, True),
)
add(
    "op.compare.mixed",
    "only `==` and `!=` mix integer with float or boolean",
    value("df.i == 7.0", "BOOLEAN", True, False, False),
    value("df.b == 1", "BOOLEAN", True, False, True),
    refused_on_t("df.v = df.i < 2.5", "INT64, FLOAT64"),
    refused_on_t("df.v = df.b < df.c", "BOOLEAN, BOOLEAN"),
    refused_on_t("df.v = df.i == 'a'", "INT64, STRING"),
)
add(
    "op.boolean",
    "`and`, `or` of booleans or integers",
    value("df.b and df.c", "BOOLEAN", False, False, True),
    value("df.b or df.c", "BOOLEAN", True, False, True),
    value("(df.b and df.c) and df.b", "BOOLEAN", False, False, True),
    value("df.i and df.j", "BOOLEAN", True, True, False),
    refused_on_t("df.v = df.s and df.b", "STRING, BOOLEAN"),
)
add(
    "op.unary",
    "`not - ~ +`",
    value("not df.b", "BOOLEAN", False, True, False),
    value("-df.i", "INT64", -7, 2, 0),
    value("~df.i", "INT64", -8, 1, -1),
    value("+df.i", "INT64", 7, -2, 0),
    value("-df.f", "FLOAT64", -1.5, 0.5, -0.0),
    refused_on_t("df.v = -df.s", "[STRING]"),
    refused_on_t("df.v = ~df.f", "[FLOAT64]"),
)
for symbol in ("//", "**", "<<", ">>", "&", "|", "^", "@", "is"):
    add(
        f"op.not.{symbol}",
        f"`{symbol}` is no operator".replace("|", "&#124;"),
        refused_on_t(f"df.v = df.i {symbol} df.j", f"'{symbol}'"),
    )
add(
    "fold",
    "operators on literals are computed when compiled",
    on_t("def f(n: int):\n    return df.head(n)\ndf = f(1 + 2 * 3 - 4)"),
    value("'a' + 'b'", "STRING", "ab"),
    on_t("df = df[px.time_to_int64(df.time_) > px.now() - px.seconds(2)]\ndf = df[['i']]", "i:INT64", (0,)),
)
add(
    "column.method",
    "a method's name goes first; a column so named is read by subscript",
    accepted(
        "import px\ndf = px.DataFrame('named')\ndf.x = df['head'] + df['agg']\ndf.y = df['filter'] + df['ctx']\n"
        "px.display(df[['x', 'y']])",
        "x:INT64 y:STRING",
        (5, "fc"),
    ),
)
add(
    "cast",
    "`str(x)`, `int(x)` ... change the meaning only",
    value("int(df.d)", "INT64", 1000, 2000, 3000),
    value("str(df.pod)", "STRING", "ns/a", "ns/b", "ns/a"),
    value("float(df.p)", "FLOAT64", 0.5, 0.25, 1.0),
    value("bool(df.b)", "BOOLEAN", True, False, True),
    refused_on_t("df.v = str(df.i)", "only semantic type casts"),
    refused_on_t("df.v = float(df.i)", "only semantic type casts"),
    refused_on_t("df.v = int(df.time_)", "only semantic type casts"),
)
