r"""Regular expressions, run by RE2: linear in the text, whatever the expression. A dot also matches a line break.

An expression is a literal, so whether it is valid is known when the call is resolved; the overload made then says
what an invalid one gives.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

from sylph.functions.declare import Example, LiteralValue, Overload, Scalar
from sylph.functions.signature import quote, sql

#: Longest replacement, in characters; the rest is cut off, since every match makes a copy.
MAX_REPLACEMENT = 4096
#: More rules than this in one literal are refused: each costs a pass over the text.
MAX_RULES = 1000


@cache
def _groups(expression: str) -> int | str:
    """Number of capturing groups, or what is wrong with the expression."""
    import duckdb

    with duckdb.connect(config={"threads": 1}) as connection:
        try:
            connection.execute("SELECT regexp_full_match('', $1, 's')", [expression]).fetchall()
        except duckdb.Error as error:
            return str(error).partition("Error: ")[2] or str(error)
        groups = 0
        while groups < 9:  # a replacement can name nine
            try:
                query = "SELECT regexp_replace('', $1, $2, 's')"
                connection.execute(query, [expression, f"\\{groups + 1}"]).fetchall()
            except duckdb.Error:
                break
            groups += 1
    return groups


def problem(expression: str) -> str:
    """What is wrong with the expression; "" for a valid one."""
    found = _groups(expression)
    return found if isinstance(found, str) else ""


def _match(overload: Overload, literals: tuple[LiteralValue, ...]) -> Overload:
    valid = isinstance(_groups(str(literals[0])), int)
    return overload if valid else replace(overload, sql="({1} IS NULL)")


def _replace(overload: Overload, literals: tuple[LiteralValue, ...]) -> Overload:
    groups = _groups(str(literals[0]))
    if isinstance(groups, str):
        return replace(overload, sql=quote(f"Invalid regex expr: {groups}"))
    # What the replacement cannot mean is taken out of it: a group that is not there, a lone backslash.
    valid = rf"regexp_replace(left({{2}}, {MAX_REPLACEMENT}), '(\\[\\0-{groups}])|\\.?', '\1', 'gs')"
    return replace(overload, sql=f"regexp_replace({{1}}, {{0}}, {valid}, 'gs')")


def _rules(overload: Overload, literals: tuple[LiteralValue, ...]) -> Overload:
    try:
        rules = json.loads(str(literals[0]))
    except (ValueError, RecursionError):
        rules = None
    if not isinstance(rules, dict) or not all(isinstance(rule, str) for rule in rules.values()):
        raise ValueError("_match_regex_rule needs a JSON object of names and regular expressions")
    if len(rules) > MAX_RULES:
        raise ValueError(f"_match_regex_rule takes at most {MAX_RULES} rules, got {len(rules)}")
    whens = [
        f"WHEN regexp_full_match({{1}}, {quote(rule)}, 's') THEN {quote(name)}"
        for name, rule in rules.items()
        if isinstance(_groups(rule), int)
    ]
    return replace(overload, sql=f"CASE {' '.join(whens)} ELSE '' END" if whens else "substring({1}, 1, 0)")


FUNCTIONS = (
    Scalar(
        "regex_match",
        "Whether the whole string matches the expression; false for an invalid expression.",
        tuple(
            replace(overload, specialize=_match) for overload in sql("[S];(S)->B", "regexp_full_match({1}, {0}, 's')")
        ),
        examples=(
            Example("px.regex_match('/api/.*', '/api/v1')", True),
            Example("px.regex_match('api', '/api/v1')", False),
            Example("px.regex_match('(', 'a')", False),
        ),
        parameters=("regex", "text"),
    ),
    Scalar(
        "replace",
        r"Every match in the text replaced; \1 to \9 in the replacement stand for groups, \0 for the match.",
        tuple(
            replace(overload, specialize=_replace)
            for overload in sql("[S];(S,S)->S", "regexp_replace({1}, {0}, {2}, 'gs')")
        ),
        examples=(
            Example(r"px.replace('/[0-9]+', '/user/12', '/*')", "/user/*"),
            Example(r"px.replace('(a)(b)', 'ab', '\\2\\1')", "ba"),
        ),
        parameters=("regex", "text", "replacement"),
    ),
    Scalar(
        "_match_regex_rule",
        "Name of the first rule whose expression matches the whole string, empty when none does. Rules are a JSON"
        " object of names and expressions; an invalid expression matches nothing.",
        tuple(
            replace(overload, specialize=_rules) for overload in sql("[S];(S)->S", "CASE WHEN {0} = {1} THEN '' END")
        ),
        examples=(Example("""px._match_regex_rule('{"api": "/api/.*", "rest": ".*"}', '/api/v1')""", "api"),),
        parameters=("rules", "text"),
    ),
)
