"""Every rule of the language, accepted and refused forms, by its stable id."""

import pytest

from tests.contract.language import RULES
from tests.contract.support import engine


@pytest.fixture(scope="module")
def on():
    made = engine()
    yield made
    made.close()


@pytest.mark.parametrize("rule_id", RULES)
def test_rule(on, rule_id):
    for case in RULES[rule_id].cases:
        case.check(on)
