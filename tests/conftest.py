"""Which parts of the contract hold: `contract/results.json` says it, docs/pxl/compatibility.md shows it.

A rule of the language, a function overload or a script passes when each of its tests did. A run that finds otherwise
than the file says, or that lacks a test for something the file lists, fails. `make contract` writes the file.
"""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

RESULTS = Path(__file__).parent / "contract" / "results.json"
#: Test functions and the parameter that is the id of what they are about; None: of all tests in a folder.
KINDS = {
    "rules": ("tests/contract/test_language.py", "rule_id"),
    "functions": ("tests/contract/test_functions.py", "overload"),
    "scripts": ("tests/library/", "script_id"),
}
WRITE = "WRITE_CONTRACT"

_found = pytest.StashKey[dict[str, dict[str, bool]]]()
_about = pytest.StashKey[tuple[str, str]]()


def pytest_configure(config: pytest.Config) -> None:
    # A shell's background jobs ignore it, and so would all that tests start and interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    config.stash[_found] = {kind: {} for kind in KINDS}


def pytest_itemcollected(item: pytest.Item) -> None:
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    for kind, (place, parameter) in KINDS.items():
        if item.nodeid.startswith(place) and parameter in parameters:
            item.stash[_about] = (kind, str(parameters[parameter]))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    about = item.stash.get(_about, None)
    if (
        about is not None
        and (report.when == "call" or report.failed)
        and (not report.skipped or hasattr(report, "wasxfail"))
    ):
        kind, name = about
        found = item.config.stash[_found][kind]
        found[name] = found.get(name, True) and report.passed and not hasattr(report, "wasxfail")
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    found = {
        kind: {name: "pass" if passed else "fail" for name, passed in sorted(results.items())}
        for kind, results in session.config.stash[_found].items()
    }
    if os.environ.get(WRITE):
        RESULTS.write_text(json.dumps(found, indent=1) + "\n")
        return
    known = json.loads(RESULTS.read_text())
    wrong = [
        f"{name}: {result} here, {known[kind].get(name, 'not there')} in {RESULTS.name}"
        for kind, results in found.items()
        for name, result in results.items()
        if known[kind].get(name) != result
    ]
    wrong += [
        f"{name}: no test"
        for kind, names in known.items()
        if found[kind] and _whole(session, KINDS[kind][0])
        for name in names
        if name not in found[kind]
    ]
    if wrong:
        print(
            "\nthe contract's results differ from what docs/pxl/compatibility.md says; 'make contract' writes it anew:"
        )
        print("\n".join(f"  {line}" for line in wrong[:20]))
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED


def _whole(session: pytest.Session, place: str) -> bool:
    """Whether all tests in `place` were asked for."""
    config = session.config
    asked = [(config.invocation_params.dir / one).resolve() for one in config.args if "::" not in one]
    if not any((config.rootpath / place).is_relative_to(one) for one in asked):
        return False
    options = (config.getoption("keyword"), config.getoption("markexpr"), config.getoption("lf", default=False))
    return not any(options) and not session.shouldstop
