"""Start-up is a feature: what a command does not need it does not import."""

import subprocess
import sys

import pytest

from tests.cli.conftest import DEADLINE_S, environment

STAGES = ["analysis", "experiment", "kernel", "testbed", "timeline", "wire"]
"""Of tcplab itself."""

READING = {
    "tomllib",
    "tcplab.scenario.catalogue",
    "tcplab.scenario.reader",
    "tcplab.scenario.step_reader",
    "tcplab.scenario.predicate.grammar",
    "tcplab.scenario.predicate.vocabulary",
}
"""What reads a scenario's file and its predicates."""
WIRE_ACTS = {"tcplab.scenario.wire", "tcplab.experiment.stagehand"}
"""What a scenario may do to the wire."""

RUN = """
import sys
from tcplab.cli import main
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""
COLLECTIONS = """
import atexit, gc, sys
from tcplab.__main__ import main
begun = []
gc.callbacks.append(lambda phase, _: phase == "start" and begun.append(phase))
atexit.register(lambda: print(len(begun), gc.get_freeze_count() > 0, file=sys.stderr))
main()
"""


def told_by(program: str, *arguments: str) -> list[str]:
    """The words on standard error of a program in Python that runs this command line."""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=True,
    )
    return done.stderr.split()


def imported_by(*arguments: str) -> set[str]:
    """The modules that a run of this command line has imported at its end, and their packages."""
    modules = told_by(RUN, *arguments)
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


@pytest.mark.parametrize("client", ["kernel", "crafted"])
def test_a_handshake_reads_no_file_and_leaves_the_wire_alone(client):
    modules = imported_by("handshake", "--client", client)
    assert "tcplab.scenario.shipped" in modules
    assert modules & (READING | WIRE_ACTS) == set()


def test_a_scenario_of_the_catalogue_that_acts_on_the_wire_needs_all_of_that():
    """The counter-proof: no name in the lists is out of date."""
    assert imported_by("teardown", "--how", "simultaneous") >= READING | WIRE_ACTS


def test_a_scenario_of_the_catalogue_that_does_not_needs_none_of_the_wire():
    assert imported_by("teardown") & {"tcplab.experiment.stagehand"} == set()


@pytest.mark.parametrize("client", ["kernel", "crafted"])
def test_no_garbage_is_looked_for_while_there_is_none_nor_at_the_end(client):
    collections, frozen = told_by(COLLECTIONS, "handshake", "--client", client)
    assert (collections, frozen) == ("0", "True")
