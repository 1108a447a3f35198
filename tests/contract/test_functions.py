"""Every overload of every function of Pixie's gives what is documented, through a whole query."""

import pytest

from sylph.functions.registry import AGGREGATES, SCALARS
from sylph.functions.signature import LETTERS
from tests.contract import functions_aggregates, functions_math, functions_metadata, functions_names, functions_text
from tests.contract.overloads import fits, key, run

CALLS = {**functions_math.CASES.calls, **functions_text.CASES.calls, **functions_names.CASES.calls}
LOOKUPS = functions_metadata.CASES.calls
AGGREGATIONS = {
    key(name, tuple(LETTERS[letter] for letter in letters)): (name, letters, *rest)
    for (name, letters), rest in functions_aggregates.CASES.items()
}


@pytest.mark.parametrize("overload", CALLS)
def test_overload(overload):
    for call in CALLS[overload]:
        call.check()


@pytest.mark.parametrize("overload", LOOKUPS)
def test_lookup(overload):
    for call in LOOKUPS[overload]:
        call.check(functions_metadata.metadata())


@pytest.mark.parametrize("overload", AGGREGATIONS)
def test_aggregate(overload):
    name, letters, result, *cases = AGGREGATIONS[overload]
    columns = {f"a{place}": LETTERS[letter] for place, letter in enumerate(letters)}
    names = ", ".join(map(repr, columns))
    source = f"import px\ndf = px.DataFrame('given')\ndf = df.agg(v=({names}, px.{name}))\npx.display(df)"
    for rows, wanted in cases:
        found, kind = run(source, columns, [dict(zip(columns, row, strict=True)) for row in rows])
        assert kind.data is LETTERS[result]
        assert len(found) == 1
        assert wanted(found[0]) if callable(wanted) else fits(found[0], wanted, ""), (rows, found[0])


def test_every_overload_is_called():
    scalars = {key(name, one.args, one.init) for name, function in SCALARS.items() for one in function.overloads}
    common = {name: function for name, function in AGGREGATES.items() if not function.beyond}
    aggregates = {key(name, one.args) for name, function in common.items() for one in function.overloads}
    assert set(CALLS) | set(LOOKUPS) == scalars
    assert not set(CALLS) & set(LOOKUPS)
    assert set(AGGREGATIONS) == aggregates
