"""PxL programs for fuzzing: a grammar that knows what a DataFrame has, and mutations of given scripts.

Program `number` of a `Programs` is always the same text, so a finding is its seed and number.
"""

from __future__ import annotations

import io
import random
import re
import tokenize
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sylph.pxl.compile import ExecFunc
from sylph.tables import TABLES
from sylph.testing.grammar import COMPILE_TIME, NUMBERS, OPERATORS, SCALAR_NAMES, TEXTS, Grammar

_STATEMENTS = (
    "if {e}:\n    {f} = 1", "for x in {e}:\n    x", "while {e}: pass", "pass", "del {f}", "return {e}", "{e}",
    "with {e} as x:\n    x", "class A:\n    x = {e}", "{f}, x = {e}", "{f} = x = {e}", "{f}.a.b = {e}",
    "{f}[{e}] = {e}",
    "x: int = {e}", "global x", "raise {e}", "assert {e}", "import {n}", "from px import {n} as x", "from . import x",
    "async def g():\n    await {e}", "lambda: {e}", "x = [x for x in {e}]", "x = {e} if {e} else {e}", "'text'",
    "x = {f}[{e}:{e}]", "x = {f}[{e}]", "x = f'{{ {e} }}'", "print({e})", "exec({e})", "yield {e}", "f(*{e}, **{e})",
    "x = {{{e}: {e}}}", "x = {{{e}}}", "(x := {e})",
    "try:\n    {e}\nexcept {n}:\n    {e}", "match {e}:\n    case _: {e}",
    "@{n}\ndef g(a: {e}, b={e}):\n    return {e}\ng({e}, b={e})", "px.{n} = {e}", "{f}.{n} += {e}",
    "nonlocal x",
    "def {n}({n}):\n    {f}.a = {e}\n    return {n}\n{f} = {n}({f})", "# px\n#px:set {n}={e}\n",
    "import pxtrace\npxtrace.UpsertTracepoint({e}, {e}, {e}, {e}, {e})",
    "import pxconfig\npxconfig.set_agent_config({e}, {e}, {e})",
    (
        "import pxtrace\n@pxtrace.probe({e})\ndef p():\n    return [{{'a': pxtrace.ArgExpr({e})}}]\n"
        "pxtrace.UpsertTracepoint('p', 't', p, px.kprobe(), '5m')"
    ),
    "import pxviews\n{f} = pxviews.{n}({e}, {e})",
    "px.export({f}, px.otel.Data(resource={{'service.name': {e}}}, data=[px.otel.metric.Gauge(name={e}, value={e})]))",
    "px.display(px.{n}({e}), {e})",
)  # fmt: skip
_CHARACTERS = "()[]{}'\",=.\n \t\\#:@*\0\t\u00e9\U0001f600\x0c\r+-;`$!?\x80\ud800"


@dataclass(frozen=True, slots=True)
class Program:
    """One program; `functions` are calls of its functions that are asked for, `kind` how it was made."""

    source: str
    kind: str
    functions: tuple[ExecFunc, ...] = ()


class Programs:
    """Programs by number. `scripts` are texts to mutate; not empty."""

    def __init__(self, seed: int, scripts: Sequence[str]) -> None:
        self.seed = seed
        self._scripts = tuple(scripts)
        self._lines = tuple(line for script in scripts for line in script.splitlines() if line.strip())
        kinds: list[tuple[int, Callable[[random.Random], Program]]] = [
            (8, lambda rng: Program(Grammar(rng).program(), "grammar")),
            (3, lambda rng: Program(_wild(rng), "anything")),
            (2, lambda rng: _characters(rng, rng.choice(self._scripts))),
            (2, lambda rng: _tokens(rng, rng.choice(self._scripts))),
            (2, self._with_lines),
            (1, _repeated),
        ]
        self._kinds = [make for weight, make in kinds for _ in range(weight)]

    def program(self, number: int) -> Program:
        """Program `number`."""
        rng = random.Random(f"{self.seed}/{number}")
        return self._kinds[number % len(self._kinds)](rng)

    def _with_lines(self, rng: random.Random) -> Program:
        """Lines lost, doubled, swapped, and put in from other scripts."""
        lines = rng.choice(self._scripts).splitlines()
        for _ in range(rng.randint(1, 6)):
            at = rng.randrange(len(lines) + 1)
            match rng.randrange(4):
                case 0:
                    del lines[at : at + rng.randint(1, 4)]
                case 1:
                    lines[at:at] = lines[at : at + rng.randint(1, 5)]
                case 2:
                    lines.insert(at, rng.choice(self._lines))
                case _:
                    other = rng.randrange(len(lines) + 1)
                    lines[at : at + 1], lines[other : other + 1] = lines[other : other + 1], lines[at : at + 1]
        return _called(rng, "\n".join(lines), "lines")


def _called(rng: random.Random, source: str, kind: str) -> Program:
    """`source` with, at times, a call of one of its functions."""
    defined = re.findall(r"^def (\w+)\(([^)]*)\)", source, re.MULTILINE)
    if not defined or rng.random() < 0.5:
        return Program(source, kind)
    name, parameters = rng.choice(defined)
    values = ("-5m", "5", "", "true", "1.5", "ns/pod", "['a', 'b']", "9" * 30, "px.now()", "(" * 50)
    arguments = {each.split(":")[0].strip(): rng.choice(values) for each in parameters.split(",")}
    return Program(source, kind, (ExecFunc(name, "out", {key: value for key, value in arguments.items() if key}),))


def _characters(rng: random.Random, source: str) -> Program:
    text = list(source)
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(text) + 1)
        match rng.randrange(3):
            case 0:
                del text[at : at + rng.randint(1, 20)]
            case 1:
                text.insert(at, rng.choice(_CHARACTERS))
            case _:
                text[at:at] = text[at : at + rng.randint(1, 40)] * rng.randint(1, 5)
    return _called(rng, "".join(text), "characters")


@lru_cache(maxsize=256)
def _read(source: str) -> list[tokenize.TokenInfo]:
    """Tokens that may be replaced; none of what cannot be read."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError):
        return []
    kept = {tokenize.NAME, tokenize.NUMBER, tokenize.STRING, tokenize.OP}
    return [token for token in tokens if token.type in kept]


def _tokens(rng: random.Random, source: str) -> Program:
    """Names, numbers, texts and operators in the place of others: mostly still a readable script."""
    places = _read(source)
    if not places:
        return _characters(rng, source)
    names = [token.string for token in places if token.type == tokenize.NAME]
    lines = source.splitlines(keepends=True)
    chosen = rng.sample(places, min(len(places), rng.randint(1, 5)))
    for token in sorted(chosen, key=lambda token: token.start, reverse=True):
        (line, start), (end_line, end) = token.start, token.end
        if line != end_line:
            continue
        if token.type == tokenize.NAME:
            new = rng.choice(
                (*rng.sample(names, min(4, len(names))), rng.choice(SCALAR_NAMES), rng.choice(COMPILE_TIME))
            )
        elif token.type == tokenize.NUMBER:
            new = rng.choice(NUMBERS)
        elif token.type == tokenize.STRING:
            new = repr(rng.choice(TEXTS))
        elif token.string in OPERATORS:
            new = rng.choice(OPERATORS)
        elif rng.random() < 0.8:
            continue
        else:
            new = rng.choice((*OPERATORS, "(", ")", "[", "]", ",", "=", ".", ":"))
        lines[line - 1] = lines[line - 1][:start] + new + lines[line - 1][end:]
    return _called(rng, "".join(lines), "tokens")


def _repeated(rng: random.Random) -> Program:
    """A piece of a script many times over: nesting, chains, doubling."""
    start = "import px\ndf = px.DataFrame('http_events')\nx = df.latency\ns = 'ab'\nl = [s]\ndef f(a):\n    return a\n"
    typed = Grammar(rng)
    typed.frames["df"] = {name: kind.data for name, kind in TABLES["http_events"].relation.items()}
    open_close = rng.choice(
        (("(", ")"), ("[", "]"), ("-", ""), ("not ", ""), ("f(", ")"), ("px.abs(", ")"), ("{1:", "}"), ("df[", "]"),
         ("px.length(", ")"), ("1 if ", " else 2"), ("x + (", ")"), ("[1, ", "]"), ("df.head(", ")"), ("f'{", "}'"),
         ("s + ", ""), ("x * 2 - ", ""), ("df.merge(", ", how='inner', left_on='upid', right_on='upid')"))
    )  # fmt: skip
    times = int(2 ** rng.uniform(0, 12 if rng.random() < 0.1 else 7))
    match rng.randrange(4):
        case 0:
            body = "y = " + open_close[0] * times + rng.choice(("1", "x", "df", "s")) + open_close[1] * times
        case 1:
            body = (typed.statement() + "\n") * min(times, 1000)
        case 2:
            step = rng.choice(
                ("x = x + x", "s = s + s", "l = [l, l]", "df = df.append(df)", "df.a = df.latency + 1", "x = f(x)",
                 "df = df.merge(df, how='inner', left_on='upid', right_on='upid')", "px.display(df)", "x = x == x",
                 "df = df[df.latency > 1]", "df = df.groupby('upid').agg(upid_=('upid', px.any))",
                 "x = px.select(x > 1, x, x)",
                 "def f(a):\n    return f(f(a))", "x = px.equals_any(x, [1, 2, 3])", "df = df.head(5)",
                 "df = df.drop('latency')", "x = f'{x}{x}'", "x = px.pluck(df.req_body, df.req_path)")
            )  # fmt: skip
            body = (step + "\n") * times
        case _:
            body = "".join(
                f"def f{i}(a):\n    f{max(0, i - 1)}(a)\n    return f{max(0, i - 1)}(a)\n"
                for i in range(min(times, 60))
            )
            body += f"df.a = f{rng.randrange(60)}(df.latency)"
    return Program(f"{start}{body}\npx.display(df)\n", "repeated")


def _wild(rng: random.Random) -> str:
    """Statements of any kind over expressions of any kind."""
    typed = Grammar(rng)
    lines = ["import px", "df = px.DataFrame('http_events')"]
    for _ in range(rng.randint(1, 6)):
        form = rng.choice(_STATEMENTS)
        lines.append(
            re.sub(
                r"\{([efn])\}",
                lambda found: {"e": typed.anything, "f": typed.frame, "n": typed.name}[found.group(1)](),
                form,
            )
            .replace("{{", "{")
            .replace("}}", "}")
        )
    return "\n".join([*lines, "px.display(df)"])
