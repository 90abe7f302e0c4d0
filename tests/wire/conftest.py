"""tshark, the independent reader of what tcplab writes."""

import os
import shutil

import pytest


@pytest.fixture
def tshark() -> str:
    """Where tshark is. CI installs it, so there its absence is a failure."""
    found = shutil.which("tshark")
    if found is None:
        assert os.environ.get("CI") != "true", "CI must install tshark"
        pytest.skip("tshark is not installed; it reads the file as Wireshark would")
    return found
