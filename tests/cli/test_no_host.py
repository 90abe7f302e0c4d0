"""What disrupts takes no host from anybody: there is neither an argument nor an option for one."""

import re
from pathlib import Path

import pytest

import tcplab
from tcplab.cli import COMMANDS
from tcplab.errors import Exit
from tests.cli.conftest import Run

DISRUPT = {
    "run": ("challenge-ack",),
    "reset": ("--with", "rst", "--aim", "exact"),
    "half-open": ("--how", "flood"),
}
"""The commands that may disrupt, with what makes each of them do it."""
HOSTS = ["192.0.2.2", "127.0.0.1", "10.0.0.1", "8.8.8.8", "::1", "example.org", "localhost", "lo"]
"""None of them is looked up or reached: a command that would is what these tests are to find."""


@pytest.mark.parametrize("command", DISRUPT)
@pytest.mark.parametrize("host", HOSTS)
def test_no_command_that_disrupts_takes_a_host(run: Run, command, host):
    assert command in COMMANDS
    result = run(command, *DISRUPT[command], host)

    assert result.status in (Exit.USAGE, Exit.REFUSED)
    assert "no command" not in result.err
    assert result.out == ""
    assert result.err.count("\n") == 2


@pytest.mark.parametrize("command", DISRUPT)
@pytest.mark.parametrize(
    "option",
    ["--host", "--target", "--to", "--interface", "--iface", "--ip", "--dst", "--netns", "--via",
     "--authorized", "--source", "--route"],
)  # fmt: skip
def test_no_option_points_it_elsewhere(run: Run, command, option):
    result = run(command, *DISRUPT[command], option, "192.0.2.2")

    assert result.status == Exit.USAGE
    assert option in result.err
    assert result.out == ""


# --- the environment ----------------------------------------------------------------------------

READERS = {
    "tcplab/cli/__init__.py",  # the language
    "tcplab/cli/screen.py",  # width and colours
    "tcplab/cli/terminal.py",  # what the terminal can show
    "tcplab/cli/translated.py",  # the language, for gettext
}


def test_nothing_but_the_looks_of_the_output_depends_on_the_environment():
    """None of these modules imports what makes a testbed, and no other one reads a variable."""
    root = Path(tcplab.__file__).parent
    readers = {
        f"tcplab/{path.relative_to(root)}"
        for path in root.rglob("*.py")
        if re.search(r"\benviron\b|\bgetenv|\bexpandvars|\bexpanduser|envvar", path.read_text())
    }

    assert readers == READERS
    for each in READERS:
        assert not re.search(r"tcplab\.(testbed|wire|kernel)", (root.parent / each).read_text())
