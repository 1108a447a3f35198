"""What people used to Python, pandas or SQL write by habit, and how PxL says it: hints for names that do not exist."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sylph.functions.registry import AGGREGATES, SCALARS

_TEXT = "px.itoa(x) turns an integer into text, px.round(x, digits) a float"
_ROWS = "an aggregate needs the rows of a group: df.groupby('a').agg(out=('b', px.{}))"
_SORT = "df.sort('a') puts rows in order, df.top(n, 'a') gives the greatest"
_KEEP = "keep columns with df[['a', 'b']]"
_FILTER = "keep rows with df[condition]"

#: Built-in functions of Python.
BUILTINS: Mapping[str, str] = MappingProxyType(
    {
        "abs": "px.abs(x)",
        "any": "write a or b; px.any is an aggregate",
        "all": "write a and b",
        "dict": "write {'key': value}",
        "format": _TEXT,
        "len": "px.length(x) gives the bytes of a text",
        "max": "px.select(a > b, a, b) for two values; " + _ROWS.format("max"),
        "min": "px.select(a < b, a, b) for two values; " + _ROWS.format("min"),
        "print": "use px.display(df)",
        "pow": "px.pow(x, y)",
        "range": "there are no loops: operations work on all rows at once",
        "round": "px.round(x, digits) gives text; px.floor(x) and px.ceil(x) give integers",
        "sorted": _SORT,
        "sum": _ROWS.format("sum"),
        "tuple": "write (a, b)",
        "true": "write True",
        "false": "write False",
        "null": "there are no nulls: compare with 0 or ''",
        "pd": "there is no pandas: a DataFrame is px.DataFrame('table')",
    }
)

#: Methods of texts and of columns in pandas.
METHODS: Mapping[str, str] = MappingProxyType(
    {
        "astype": _TEXT + "; x * 1.0 makes an integer a float",
        "contains": "px.contains(text, part)",
        "endswith": "px.regex_match('.*end', text)",
        "find": "px.find(text, part)",
        "format": "join texts with +; " + _TEXT,
        "fillna": "there are no nulls: compare with 0 or ''",
        "isin": "write x in ['a', 'b'], or px.equals_any(x, ['a', 'b'])",
        "isnull": "there are no nulls: compare with 0 or ''",
        "isna": "there are no nulls: compare with 0 or ''",
        "lower": "px.tolower(text)",
        "lstrip": "px.trim(text)",
        "map": "call a function on the column: px.name(df.a)",
        "apply": "call a function on the column: px.name(df.a)",
        "match": "px.regex_match('expression', text)",
        "replace": "px.replace('expression', text, 'new')",
        "rstrip": "px.trim(text)",
        "split": "px.split(text, ','), then px.pluck_array(x, 0)",
        "startswith": "px.find(text, start) == 0, or px.regex_match('start.*', text)",
        "str": "functions of texts are px.contains(text, part), px.tolower(text) ...",
        "strip": "px.trim(text)",
        "upper": "px.toupper(text)",
    }
)

#: Methods and attributes of DataFrames in pandas, Spark and SQL.
FRAMES: Mapping[str, str] = MappingProxyType(
    {
        "aggregate": "it is called agg(): df.agg(out=('a', px.mean))",
        "apply": "assign a column instead: df.column = expression",
        "assign": "assign a column: df.column = expression",
        "columns": "px run px/schemas lists the columns of all tables",
        "concat": "df.append(other)",
        "copy": "assigning a column makes a new DataFrame: other = df is a copy",
        "describe": "df.agg(low=('a', px.min), mean=('a', px.mean), high=('a', px.max), q=('a', px.quantiles))",
        "display": "px.display(df)",
        "drop_duplicates": "df.distinct(['a', 'b'])",
        "dropna": "there are no nulls: filter with df[df.a != '']",
        "fillna": "there are no nulls: compare with 0 or ''",
        "group_by": "df.groupby('a').agg(out=('b', px.mean))",
        "iloc": _KEEP + ", rows with df[condition]",
        "join": "df.merge(other, how='inner', left_on='a', right_on='b')",
        "limit": "df.head(n)",
        "loc": _KEEP + ", rows with df[condition]",
        "nlargest": "df.top(n, 'a')",
        "nsmallest": "df.top(n, 'a', ascending=True)",
        "order_by": _SORT,
        "print": "px.display(df)",
        "query": _FILTER,
        "sample": "df.head(n)",
        "shape": "df.agg(rows=('time_', px.count)) counts the rows",
        "show": "px.display(df)",
        "sort_by": _SORT,
        "sort_values": _SORT,
        "tail": "df.sort('time_', ascending=False).head(n)",
        "take": "df.head(n)",
        "union": "df.append(other)",
        "unique": "df.distinct(['a', 'b'])",
        "value_counts": "df.groupby('a').agg(n=('a', px.count))",
        "where": _FILTER,
        "with_column": "assign a column: df.column = expression",
    }
)

#: Names in `px` that are called something else.
FUNCTIONS: Mapping[str, str] = MappingProxyType(
    {
        "avg": "it is called px.mean",
        "average": "it is called px.mean",
        "concat": "join texts with +",
        "date": "px.strptime('2020-07-13', '%Y-%m-%d'), px.parse_time('-5m')",
        "endswith": "px.regex_match('.*end', text)",
        "filter": _FILTER,
        "float": "float(x) is without px.; x * 1.0 makes an integer a float",
        "format": "join texts with +; " + _TEXT,
        "groupby": "it is a method: df.groupby('a').agg(out=('b', px.mean))",
        "head": "it is a method: df.head(n)",
        "if_else": "px.select(condition, a, b)",
        "int": "int(x) is without px.; px.atoi(x, default) reads a text, px.floor(x) a float",
        "join": "it is a method: df.merge(other, how='inner', left_on='a', right_on='b')",
        "len": "it is called px.length",
        "lower": "it is called px.tolower",
        "match": "px.regex_match('expression', text)",
        "matches": "px.regex_match('expression', text)",
        "median": "px.percentile('a', 0.5), or px.quantiles and px.pluck_float64(df.q, 'p50')",
        "merge": "it is a method: df.merge(other, how='inner', left_on='a', right_on='b')",
        "nanoseconds": "an integer is nanoseconds already; px.microseconds, px.milliseconds, px.seconds ... give them",
        "print": "px.display(df)",
        "quantile": "px.percentile('a', 0.9), or px.quantiles and px.pluck_float64(df.q, 'p90')",
        "startswith": "px.find(text, start) == 0, or px.regex_match('start.*', text)",
        "str": "str(x) is without px.; " + _TEXT,
        "strlen": "it is called px.length",
        "table": "px.DataFrame('table')",
        "to_string": _TEXT,
        "upper": "it is called px.toupper",
        "where": "px.select(condition, a, b) for a value, df[condition] for rows",
        **dict.fromkeys(
            ("p50", "p90", "p95", "p99"),
            "px.percentile('a', 0.99), or px.quantiles and px.pluck_float64(df.q, 'p99')",
        ),
    }
)

#: Operators, by how they are written.
OPERATORS: Mapping[str, str] = MappingProxyType(
    {
        "//": "px.floor(a / b) gives an integer",
        "**": "px.pow(a, b)",
        "&": "write a and b, with conditions in parentheses",
        "|": "write a or b, with conditions in parentheses",
        "^": "px.pow(a, b) is a power; a != b is one condition or the other",
        "is": "no value is ever null: compare with '' or 0 by ==",
        "is not": "no value is ever null: compare with '' or 0 by !=",
        "<<": "multiply by a power of two",
        ">>": "px.floor(a / b) with a power of two",
    }
)


#: For a number given to px.quantiles.
QUANTILE = "px.percentile('a', 0.99) gives one, px.quantiles the usual ones: px.pluck_float64(df.q, 'p99') takes one"


def method(name: str) -> str:
    """What to write instead of `column.name(...)`; "" when that is not known."""
    if name in METHODS:
        return METHODS[name]
    if name in AGGREGATES:
        return _ROWS.format(name)
    return f"write px.{name}(column)" if name in SCALARS else ""


def frame(name: str) -> str:
    """What to write instead of `df.name(...)`; "" when that is not known."""
    return FRAMES.get(name) or (f"df.agg(out=('a', px.{name}))" if name in AGGREGATES else "")


def builtin(name: str) -> str:
    """What to write instead of the name, which stands for nothing; "" when that is not known."""
    if name in BUILTINS:
        return BUILTINS[name]
    return f"write px.{name}" if name in AGGREGATES or name in SCALARS else ""
