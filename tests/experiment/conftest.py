"""Golden traces: `pytest tests/experiment --snapshot-update` writes them anew."""

import pytest

from tests.golden import GoldenText
from tests.wire.conftest import tshark

__all__ = ["golden", "tshark"]


@pytest.fixture
def golden(snapshot):
    """`assert text == golden` compares with golden/<module>/<test>.txt."""
    return snapshot.use_extension(GoldenText)
