"""Who may run what, and how a live test is told that it may not."""

import os
from pathlib import Path

import pytest

from tcplab.kernel.privilege import Capability, holds, in_first_user_namespace


def really_root() -> bool:
    """CAP_SYS_ADMIN over the machine itself, not over a user namespace or in a container
    without.
    """
    return in_first_user_namespace() and holds(Capability.SYS_ADMIN, Capability.NET_ADMIN)


def pytest_collection_modifyitems(config, items):
    """Tests for root are another half of the suite: an unprivileged run does not collect them."""
    if really_root():
        return
    kept = [item for item in items if item.get_closest_marker("root") is None]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


def pytest_report_header():
    """Say which half runs."""
    who = "root: all tests" if really_root() else "unprivileged: tests marked root are left out"
    return f"tcplab as uid {os.geteuid()}, {who}"


@pytest.fixture(scope="session")
def tcplab_program() -> Path:
    """The installed command, beside the Python that runs the tests."""
    import sys

    program = Path(sys.executable).parent / "tcplab"
    assert program.exists(), "install the project first: the README's test command does"
    return program
