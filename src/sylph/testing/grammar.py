"""A grammar of PxL for fuzzing: statements over DataFrames whose columns and types it keeps, so that most compile."""

from __future__ import annotations

import random

from sylph.functions.registry import AGGREGATES, SCALARS, TABLE_FUNCTIONS
from sylph.tables import TABLES
from sylph.tables.types import DataType

TABLE_NAMES = tuple(TABLES)
SCALAR_NAMES = tuple(SCALARS)
AGGREGATE_NAMES = tuple(AGGREGATES)
COMPILE_TIME = (
    "DataFrame",
    "display",
    "debug",
    "export",
    "now",
    "seconds",
    "minutes",
    "hours",
    "days",
    "microseconds",
    "milliseconds",
    "parse_duration",
    "format_duration",
    "parse_time",
    "strptime",
    "uint128",
    "make_upid",
    "equals_any",
    "param",
    "script_reference",
    "STRING",
    "INT64",
    "Time",
    "Service",
    "Pod",
    "Node",
    "Namespace",
    "Container",
    "UPID",
    "Bytes",
    "DurationNanos",
    "Percent",
    "otel",
    "vis",
    "plugin",
    "histogram",
    "percentile",
    "nothing",
)
METHODS = (
    "agg",
    "append",
    "distinct",
    "drop",
    "filter",
    "groupby",
    "head",
    "map",
    "merge",
    "rename",
    "rolling",
    "stream",
    "ctx",
    "keep",
    "sort",
    "top",
    "explode",
    "select",
)
CTX = (
    "pod",
    "pod_name",
    "service",
    "service_id",
    "namespace",
    "node",
    "hostname",
    "cmdline",
    "pid",
    "asid",
    "container",
    "deployment",
    "replica_set",
    "nothing",
)
OPERATORS = (
    "+",
    "-",
    "*",
    "/",
    "%",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "and",
    "or",
    "//",
    "**",
    "<<",
    "&",
    "|",
    "^",
    "@",
    "in",
    "is",
)
UNARY = ("-", "+", "~", "not ")
TEXTS = (
    "", "-5m", "time_", "inner", "left", "outer", "right", "_x", "pod", "2020-07-13 18:02:5.00 +0000", "[0-9]+", "(",
    "a" * 300, "\u00e9", "\U0001f600", "\\d", "{}", '{"a": 1}', "99999999999999999999d", "ns/pod", "%Y-%m-%d",
    "123e4567-e89b-12d3-a456-426655440000",
)  # fmt: skip
NUMBERS = (
    "0", "1", "-1", "5", "300", "9223372036854775807", "9223372036854775808", "0xff", "1e308", "1e999", "0.5", "1_000",
    "007", "1j", "99999999999999999999999999", "0.0", "2**64",
)  # fmt: skip
#: Scalar functions and aggregates by the type of their result.
GIVING = {
    data: tuple(
        (name, overload) for name, scalar in SCALARS.items() for overload in scalar.overloads if overload.result is data
    )
    for data in DataType
}
OPERATOR_NAMES = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "modulo": "%", "equal": "==", "notEqual": "!=",
    "lessThan": "<", "lessThanEqual": "<=", "greaterThan": ">", "greaterThanEqual": ">=", "logicalAnd": "and",
    "logicalOr": "or",
}  # fmt: skip
CASTS = {"INT64": ("Bytes", "DurationNanos"), "STRING": ("Pod", "Service", "Node"), "FLOAT64": ("Percent",)}
#: What can be computed of an aggregate.
COMPUTED = (
    "px.pluck_float64({}, 'p99')",
    "px.abs({})",
    "px.Bytes({})",
    "px.select({} > 1, 'a', 'b')",
    "({}) in [1, 2]",
    "-({})",
    "{0} if px.count('time_') > 1 else {0}",
    "0 <= {} < 10",
    "px.itoa({}) + 'x'",
    "px.equals_any({}, ['', 'a'])",
)


class Grammar:
    """Statements that mostly compile: it keeps the columns of every DataFrame and their types."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.frames: dict[str, dict[str, DataType]] = {}
        self._count = 0

    def program(self) -> str:
        """A whole program."""
        rng = self._rng
        lines = ["import px"]
        if rng.random() < 0.1:
            lines.insert(0, rng.choice(("#px:set explain=true", "#px:set max_output_rows_per_table=5", "#px:set a=1")))
        lines += [self.source() for _ in range(rng.randint(1, 2))]
        lines += [self.statement() for _ in range(rng.randint(1, 9))]
        for name in rng.sample(sorted(self.frames), rng.randint(1, len(self.frames))):
            lines.append(f"px.display({name}{rng.choice(('', ', ' + repr(rng.choice(TEXTS))))})")
        return "\n".join(lines) + "\n"

    def source(self) -> str:
        """A DataFrame on a table, or of a table function."""
        rng = self._rng
        name = self._new()
        if rng.random() < 0.05:
            function = rng.choice(tuple(TABLE_FUNCTIONS.values()))
            self.frames[name] = {column: kind.data for column, kind in function.relation.items()}
            return f"{name} = px.{function.name}()"
        table = rng.choice(TABLE_NAMES)
        columns = {column: kind.data for column, kind in TABLES[table].relation.items()}
        extra = ""
        if rng.random() < 0.3:
            columns = self._some(columns, len(columns))
            extra = f", select={list(columns)}"
        if rng.random() < 0.4:
            times = ("'-5m'", "px.now() - px.minutes(5)", "-300", "0", "px.parse_time('-1h')", "None")
            extra += ", start_time=" + rng.choice(times if rng.random() < 0.97 else ("'tomorrow'", "1.5"))
        self.frames[name] = columns
        return f"{name} = px.DataFrame({table!r}{extra})"

    def statement(self) -> str:
        """One statement over what is there."""
        rng = self._rng
        if not self.frames:
            return self.source()
        frame = rng.choice(sorted(self.frames))
        columns = self.frames[frame]
        match rng.randrange(16):
            case 0 | 1 | 2 | 3 | 4:
                column = rng.choice(list(columns)) if rng.random() < 0.2 else f"c{rng.randrange(9)}"
                data = rng.choice(tuple(DataType))
                data = data if GIVING.get(data) else DataType.INT64
                statement = f"{frame}.{column} = {self.expression(frame, data)}"
                columns[column] = data
                return statement
            case 5 | 6:
                new, old = self._into(frame)
                return f"{new} = {old}[{self.expression(old, DataType.BOOLEAN)}]"
            case 7:
                kept = self._some(columns, len(columns))
                new, old = self._into(frame, kept)
                return f"{new} = {old}[{list(kept)}]"
            case 8:
                dropped = self._some(columns, max(1, len(columns) // 3))
                left = {name: data for name, data in columns.items() if name not in dropped}
                new, old = self._into(frame, left or columns)
                return f"{new} = {old}.drop({list(dropped)})"
            case 9:
                new, old = self._into(frame)
                rows = rng.choice(NUMBERS) if rng.random() < 0.1 else str(rng.randrange(1000))
                return f"{new} = {old}.head({rows}{rng.choice(('', '', ', _pem_only=1'))})"
            case 10:
                return self._aggregate(frame)
            case 11:
                return self._merge(frame)
            case 12:
                new, old = self._into(frame)
                first = next(iter(columns))
                forms = (
                    f"{new} = {old}.append({old})",
                    f"{new} = {old}.distinct()",
                    f"{new} = {old}.head()",
                    f"{new} = {old}.sort({first!r})",
                    f"{new} = {old}.top(3, [{first!r}], ascending=True)",
                    f"{new} = {old}.explode({self._column(frame, DataType.STRING)!r})",
                )
                return rng.choice(forms) if rng.random() < 0.9 else f"{new} = {old}.stream()"
            case 13:
                by = list(self._some(columns, 2))
                new, old = self._into(frame)
                up = rng.choice(("", ", ascending=False", f", ascending={[rng.random() < 0.5 for _ in by]}"))
                rows = "sort(" if rng.random() < 0.5 else f"top({rng.randrange(-1 if rng.random() < 0.1 else 0, 50)}, "
                return f"{new} = {old}.{rows}{by}{up})"
            case 14:
                return self._reshape(frame)
            case _:
                return self.source()

    def _reshape(self, frame: str) -> str:
        rng = self._rng
        columns = self.frames[frame]
        text = self._column(frame, DataType.STRING)
        if text is not None and rng.random() < 0.5:
            new, old = self._into(frame)
            return f"{new} = {old}.explode({text!r})"
        data = rng.choice(sorted(set(columns.values())))
        new, old = self._into(frame, {name: kind for name, kind in columns.items() if kind is data})
        return f"{new} = {old}.select({rng.choice((f'px.{data.name}', repr(data.name.lower())))})"

    def _output(self, frame: str, name: str, columns: list[str | None]) -> str:
        """An aggregate of columns as a tuple or a call, sometimes with more computed of it."""
        rng = self._rng
        option = {"percentile": "0.9", "histogram": "[1, 5]", "collect": "3"}.get(name, "")
        if rng.random() < 0.5:
            given = f"px.{name}({option})" if option else f"px.{name}"
            output = f"({', '.join(map(repr, columns))}, {given})"
        else:
            parts = [repr(column) if rng.random() < 0.8 else f"{frame}.{column}" for column in columns]
            output = f"px.{name}({', '.join([*parts, *([option] if option else [])])})"
        if rng.random() < 0.2:
            output = f"{output} {rng.choice(OPERATORS[:13])} px.count({columns[0]!r})"
        elif rng.random() < 0.3:
            output = rng.choice(COMPUTED).format(output)
        return output

    def _aggregate(self, frame: str) -> str:
        rng = self._rng
        columns = self.frames[frame]
        groups = self._some(columns, 3) if rng.random() < 0.8 else {}
        outputs: dict[str, DataType] = {}
        arguments = []
        for index in range(rng.randint(0 if groups else 1, 4)):
            name = rng.choice(AGGREGATE_NAMES)
            overload = rng.choice(AGGREGATES[name].overloads)
            given = [self._column(frame, data) for data in overload.args]
            if None in given and rng.random() < 0.95:
                name, overload, given = "any", AGGREGATES["any"].overloads[0], [rng.choice(list(columns))]
                outputs[f"o{index}"] = columns[str(given[0])]
            else:
                outputs[f"o{index}"] = overload.result
            arguments.append(f"o{index}={self._output(frame, name, given)}")
        new, old = self._into(frame, {**groups, **outputs})
        call = f"agg({', '.join(arguments)})"
        if rng.random() < 0.1:
            self.frames[new] = {"time_": DataType.TIME64NS, **self.frames[new]}
            call = f"rolling('10s').{call}"
        return f"{new} = {old}.groupby({list(groups)}).{call}" if groups else f"{new} = {old}.{call}"

    def _merge(self, frame: str) -> str:
        rng = self._rng
        other = rng.choice(sorted(self.frames))
        left, right = self.frames[frame], self.frames[other]
        both = [name for name in left if name in right]
        keys = rng.sample(both, min(len(both), rng.randint(1, 2))) if both else [rng.choice(list(left))]
        columns = {(f"{name}_x" if name in both else name): data for name, data in left.items()}
        columns |= {(f"{name}_y" if name in both else name): data for name, data in right.items()}
        new, old = self._into(frame, columns)
        how = rng.choice(("inner", "left", "right", "outer")) if rng.random() < 0.95 else rng.choice(("cross", "as_of"))
        suffixes = "" if rng.random() < 0.9 else rng.choice((", suffixes=['', '_y']", ", suffixes=['_x']"))
        if rng.random() < 0.2:
            within = rng.choice(("", "", ", tolerance='5s'", ", tolerance=px.minutes(1)", ", tolerance=-1"))
            on = [key for key in keys if key != "time_"]
            return f"{new} = {old}.merge({other}, how='as_of', on={on}{suffixes}{within})"
        return f"{new} = {old}.merge({other}, how={how!r}, left_on={keys}, right_on={keys}{suffixes})"

    def expression(self, frame: str, data: DataType, depth: int = 0) -> str:
        """A value of type `data` for each row; now and then of another."""
        rng = self._rng
        if rng.random() < 0.01:
            return self.anything(3)
        column = self._column(frame, data)
        if depth > 3 or rng.random() < 0.3:
            if column is None or rng.random() < 0.3:
                return self._constant(data)
            return rng.choice((f"{frame}.{column}", f"{frame}[{column!r}]"))
        if data is DataType.STRING and "upid" in self.frames[frame] and rng.random() < 0.2:
            return f"{frame}.ctx[{rng.choice(CTX if rng.random() < 0.1 else CTX[:7])!r}]"
        if data.name in CASTS and rng.random() < 0.1:
            return f"px.{rng.choice(CASTS[data.name])}({self.expression(frame, data, depth + 1)})"
        if not GIVING[data]:
            return f"{frame}.{column}" if column else self._constant(data)
        name, overload = rng.choice(GIVING[data])
        args = [self.expression(frame, each, depth + 1) for each in overload.args]
        if name in OPERATOR_NAMES and rng.random() < 0.9:
            return f"({args[0]} {OPERATOR_NAMES[name]} {args[1]})"
        inits = ['\'{"a": "b+"}\'' if name == "_match_regex_rule" else repr(rng.choice(TEXTS)) for _ in overload.init]
        return f"px.{name}({', '.join([*inits, *args])})"

    def _constant(self, data: DataType) -> str:
        rng = self._rng
        match data:
            case DataType.BOOLEAN:
                return rng.choice(("True", "False"))
            case DataType.INT64:
                return rng.choice(
                    ("0", "1", "-1", "300", "9223372036854775807", "px.seconds(3)", str(rng.getrandbits(40)))
                )
            case DataType.FLOAT64:
                return rng.choice(("0.0", "1.5", "1e308", "-2.5"))
            case DataType.TIME64NS:
                return rng.choice(("px.parse_time('-5m')", "px.int64_to_time(7)"))
            case DataType.UINT128:
                return rng.choice(("px.make_upid(1, 2, 3)", "px.uint128('123e4567-e89b-12d3-a456-426655440000')"))
        return repr(rng.choice(TEXTS))

    def constant(self) -> str:
        """A literal of any type."""
        rng = self._rng
        number = str(rng.getrandbits(rng.randint(1, 70)))
        return rng.choice((repr(rng.choice(TEXTS)), rng.choice(NUMBERS), "True", "None", "[]", number))

    def frame(self) -> str:
        """A name that may be that of a DataFrame."""
        return self._rng.choice(("df", "df", "x", "px", "f"))

    def name(self) -> str:
        """A name of anything."""
        rng = self._rng
        known = (rng.choice(SCALAR_NAMES), rng.choice(COMPILE_TIME), rng.choice(METHODS))
        return rng.choice((*known, "df", "x", "px", "pxviews", "p"))

    def anything(self, depth: int = 0) -> str:
        """An expression that need not mean anything."""
        rng = self._rng
        if depth > 3 or rng.random() < 0.25:
            column = rng.choice(("latency", "upid", "req_path", "ctx", "a"))
            return rng.choice((self.constant(), self.frame(), f"df.{column}"))

        def deeper() -> str:
            return self.anything(depth + 1)

        match rng.randrange(9):
            case 0:
                return f"({deeper()} {rng.choice(OPERATORS)} {deeper()})"
            case 1:
                return f"px.{self.name()}({deeper()})"
            case 2:
                keyword = rng.choice(("n", "by", "how", "a"))
                return f"{self.frame()}.{rng.choice(METHODS)}({deeper()}, {keyword}={deeper()})"
            case 3:
                return f"{deeper()}[{deeper()}]"
            case 4:
                return f"[{deeper()}, {deeper()}]"
            case 5:
                return f"({deeper()}, px.{rng.choice(AGGREGATE_NAMES)})"
            case 6:
                return "{" + f"{deeper()}: {deeper()}" + "}"
            case 7:
                return rng.choice(UNARY) + deeper()
            case _:
                return f"{deeper()}.{self.name()}"

    def _column(self, frame: str, data: DataType) -> str | None:
        """A column of that type."""
        if self._rng.random() < 0.005:
            return "nothing"
        fitting = [name for name, kind in self.frames[frame].items() if kind is data]
        return self._rng.choice(fitting) if fitting else None

    def _some(self, columns: dict[str, DataType], most: int) -> dict[str, DataType]:
        chosen = self._rng.sample(list(columns), self._rng.randint(1, min(most, len(columns))))
        return {name: columns[name] for name in chosen}

    def _new(self) -> str:
        self._count += 1
        return f"df{self._count}" if self._count > 1 else "df"

    def _into(self, frame: str, columns: dict[str, DataType] | None = None) -> tuple[str, str]:
        """The name for a DataFrame made of `frame`, at times a new one; and `frame`."""
        kept = dict(self.frames[frame] if columns is None else columns)
        name = frame if self._rng.random() < 0.7 else self._new()
        self.frames[name] = kept
        return name, frame
