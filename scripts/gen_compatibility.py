"""Writes the tables of docs/pxl/compatibility.md that tests/contract/results.json is the source of.

--check says what is stale: the page, or the results when rules, functions or scripts came or went since their tests
last ran (`make contract` runs them).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

from sylph.functions.registry import AGGREGATES, SCALARS  # noqa: E402
from sylph.library import loader  # noqa: E402
from tests.contract.language import RULES  # noqa: E402
from tests.contract.overloads import key  # noqa: E402

PAGE = ROOT / "docs/pxl/compatibility.md"
RESULTS = ROOT / "tests/contract/results.json"
BEGIN = "<!-- Written by `make contract` from the results of the tests. Do not edit from here on. -->\n"


def cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def overloads() -> dict[str, str]:
    """Result type of every overload by its id."""
    found = {
        key(name, one.args, one.init): one.result.name
        for name, function in SCALARS.items()
        for one in function.overloads
    }
    common = {name: function for name, function in AGGREGATES.items() if not function.beyond}
    return found | {
        key(name, one.args): one.result.name for name, function in common.items() for one in function.overloads
    }


def share(results: dict[str, str]) -> str:
    return f"{sum(result == 'pass' for result in results.values())} of {len(results)} pass"


def page(results: dict[str, dict[str, str]]) -> Iterator[str]:
    types = overloads()
    yield BEGIN
    yield "# Results of the tests\n"
    yield "`make test` runs them all and fails when one result is not the one below.\n"
    yield f"## Rules of the language: {share(results['rules'])}\n"
    yield "Each with scripts that must be accepted, with their columns and rows, and scripts that must be refused.\n"
    yield "| id | rule | result |\n|---|---|---|"
    for name, rule in RULES.items():
        yield f"| {cell(name)} | {cell(rule.text)} | {results['rules'][name]} |"
    yield f"\n## Function overloads: {share(results['functions'])}\n"
    yield "Each on ordinary, edge and hostile input, in a whole query. Arguments before a semicolon are literals.\n"
    yield "| overload | gives | result |\n|---|---|---|"
    for name, kind in types.items():
        yield f"| `{name}` | {kind} | {results['functions'][name]} |"
    yield f"\n## Scripts: {share(results['scripts'])}\n"
    yield "Each compiles to the columns it must have, and runs over generated rows unless it deploys a tracepoint.\n"
    yield "| script | result |\n|---|---|"
    for name in loader.ids():
        yield f"| {name} | {results['scripts'][name]} |"


def main() -> int:
    results = json.loads(RESULTS.read_text())
    listed = {"rules": set(RULES), "functions": set(overloads()), "scripts": set(loader.ids())}
    changed = sorted(name for kind, names in listed.items() for name in names ^ set(results[kind]))
    if changed:
        print(f"without a result: {', '.join(changed[:10])}; run 'make contract'", file=sys.stderr)
        return 1
    text = PAGE.read_text().partition(BEGIN)[0] + "\n".join(page(results)) + "\n"
    if "--check" not in sys.argv:
        PAGE.write_text(text)
    elif PAGE.read_text() != text:
        print(f"stale: {PAGE.relative_to(ROOT)}; run 'make generate'", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
