"""Golden traces: `pytest tests/experiment --snapshot-update` writes them anew."""

import pytest

from tests.golden import GoldenText


@pytest.fixture
def golden(snapshot):
    """`assert text == golden` compares with golden/<module>/<test>.txt."""
    return snapshot.use_extension(GoldenText)
