"""What the tests of the native module share."""

import pytest


@pytest.fixture(scope="session")
def native():
    return pytest.importorskip("sylph._native", reason="the native module is not built: make build")
