"""Start-up is a feature: what a command does not need it does not import."""

import subprocess
import sys

import pytest

from tests.cli.conftest import DEADLINE_S, environment

STAGES = ["analysis", "experiment", "kernel", "testbed", "timeline", "wire"]
"""Of tcplab itself."""

RUN = """
import sys
from tcplab.cli import main
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""


def imported_by(*arguments: str) -> set[str]:
    """The modules that a run of this command line has imported at its end, and their packages."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=True,
    )
    modules = done.stderr.split()
    return {*modules, *(name.rpartition(".")[0] for name in modules)}


def test_help_imports_neither_rich_nor_scapy_nor_any_stage_of_a_run():
    modules = imported_by("--help")
    heavy = {"rich", "scapy", "dpkt", *(f"tcplab.{stage}" for stage in STAGES)}
    assert modules & heavy == set()


@pytest.mark.parametrize("command", ["handshake", "teardown"])
def test_two_kernels_need_no_scapy(command):
    modules = imported_by(command, "--client", "kernel")
    assert "tcplab.experiment" in modules
    assert "scapy" not in modules


def test_a_crafted_client_needs_scapy():
    """The counter-proof: the way of looking sees it."""
    assert "scapy.layers.inet" in imported_by("handshake")


def test_ipv4_needs_no_ipv6_of_scapy():
    assert "scapy.layers.inet6" not in imported_by("handshake")


def test_all_of_scapy_is_never_imported():
    assert "scapy.all" not in imported_by("handshake", "-6", "-v")


def test_json_needs_no_console_of_rich():
    assert "rich.console" not in imported_by("handshake", "--json")
