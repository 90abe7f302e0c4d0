"""The doctor's report: readable at every width, its commands ready to be copied."""

from io import StringIO

import pytest
from rich.cells import cell_len
from rich.console import Console

from tcplab.analysis.check import Check
from tcplab.render.doctor import Doctor, document
from tcplab.text import Text

COMMAND = "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"
CHECKS = (
    Check(id="kernel", ok=True, found=Text("6.18.44"), without=Text("Some things may work.")),
    Check(
        id="user-namespaces",
        ok=False,
        found=Text("AppArmor forbids user namespaces to programs without a profile ({n}).", n=1),
        remedy=Text("Allow them to every program:"),
        command=COMMAND,
        without=Text("The testbed works for root: {command}", command="sudo /bin/tcplab handshake"),
    ),
    Check(
        id="offload-control",
        ok=False,
        found=Text("refused: {errno}", errno="EPERM"),
        without=Text("There is no testbed … so far."),
    ),
)


def shown(width: int, *, checks=CHECKS, testbed_runs=False, say=str, ascii_only=False) -> str:
    out = StringIO()
    console = Console(file=out, width=width, color_system=None, _environ={})
    report = Doctor(checks, testbed_runs=testbed_runs, say=say, ascii_only=ascii_only)
    console.print(report, crop=False)
    return out.getvalue()


def korean(text: Text) -> str:
    return "이 컴퓨터에서는 사용자 네임스페이스를 만들 수 없습니다: " + str(text)


@pytest.mark.parametrize("width", [40, 60, 80, 140])
def test_report(width: int, golden):
    assert shown(width) == golden


def test_report_in_ascii(golden):
    report = shown(80, ascii_only=True)
    assert report.isascii()
    assert report == golden


@pytest.mark.parametrize("say", [str, korean])
def test_every_line_but_a_command_fits_every_width(say):
    for width in range(40, 161):
        lines = shown(width, say=say).splitlines()
        assert [line for line in lines if cell_len(line) > width and COMMAND not in line] == []


@pytest.mark.parametrize("width", [40, 80])
def test_a_command_has_a_line_of_its_own(width: int):
    assert f"    {COMMAND}" in shown(width).splitlines()


def test_a_testbed_that_runs_is_the_last_word():
    assert shown(80, checks=CHECKS[:1], testbed_runs=True).splitlines() == [
        " ✔ kernel  6.18.44",
        "",
        " ✔ The testbed runs here.",
    ]


def test_control_characters_do_no_harm():
    evil = Check(id="qemu", ok=True, found=Text("{p}", p="/\x1b[31m/qemu"), without=Text("All."))
    assert shown(80, checks=[evil]).splitlines()[0] == " ✔ qemu  /\\x1b[31m/qemu"


def test_document():
    assert document(CHECKS[1:], testbed_runs=False, say=str) == {
        "schema": "tcplab.doctor/1",
        "testbed": False,
        "checks": [
            {
                "id": "user-namespaces",
                "ok": False,
                "found": "AppArmor forbids user namespaces to programs without a profile (1).",
                "remedy": "Allow them to every program:",
                "command": COMMAND,
                "without": "The testbed works for root: sudo /bin/tcplab handshake",
            },
            {
                "id": "offload-control",
                "ok": False,
                "found": "refused: EPERM",
                "remedy": None,
                "command": None,
                "without": "There is no testbed … so far.",
            },
        ],
    }
