"""Who may run what, and how a live test is told that it may not."""

import os
import shutil
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tcplab.kernel.privilege import Capability, holds, in_first_user_namespace


def really_root() -> bool:
    """CAP_SYS_ADMIN over the machine itself, not over a user namespace or in a container
    without.
    """
    return in_first_user_namespace() and holds(Capability.SYS_ADMIN, Capability.NET_ADMIN)


def pytest_configure():
    """Heed Ctrl-C, as the programs under test are to: a shell lets what it runs in the background
    ignore it, and whoever is started from there as well.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # How long an example takes is the machine's affair (and in CI it is Hypothesis's default).
    settings.register_profile(
        "unhurried",
        settings.default,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("unhurried")


def pytest_xdist_auto_num_workers():
    """A few more than there are processors, for a live test mostly waits: for carriers, for timers,
    for the kernel's grace periods.
    """
    processors = len(os.sched_getaffinity(0))
    return processors + (processors + 1) // 2


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Tests for root are one half of the suite: an unprivileged run does not collect them. Long
    repetitions that are rootless whoever runs them are the other half's, unless -m names them.

    Those that trace run one after another. Some leave a dead tracing instance behind, to find it
    there; any other that traces would sweep it.
    """
    for item in items:
        if item.get_closest_marker("traces") is not None:
            item.add_marker(pytest.mark.root)
            item.add_marker(pytest.mark.xdist_group("tracefs"))
    others = "repeats" if really_root() else "root"
    if others == "repeats" and others in (config.option.markexpr or ""):
        return
    kept = [item for item in items if item.get_closest_marker(others) is None]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


def pytest_report_header():
    """Say which half runs."""
    if really_root():
        return f"tcplab as uid {os.geteuid()}, root: tests marked repeats are left to other users"
    return f"tcplab as uid {os.geteuid()}, unprivileged: tests marked root are left out"


@pytest.fixture(scope="session")
def tcplab_program() -> Path:
    """The installed command, beside the Python that runs the tests."""
    import sys

    program = Path(sys.executable).parent / "tcplab"
    assert program.exists(), "install the project first: the README's test command does"
    return program


def installed(program: str, purpose: str) -> str:
    """Where it is. CI installs what only cross-checks need, so there its absence is a failure."""
    found = shutil.which(program)
    if found is None:
        assert os.environ.get("CI") != "true", f"CI must install {program}"
        pytest.skip(f"{program} is not installed; {purpose}")
    return found


@pytest.fixture(scope="session")
def tshark() -> str:
    """The independent reader of what tcplab writes."""
    return installed("tshark", "it reads the file as Wireshark would")


@pytest.fixture(scope="session")
def nft() -> str:
    """The real netfilter, for tests that must not believe tcplab's own firewall."""
    return installed("nft", "without it there is no firewall to set up")
