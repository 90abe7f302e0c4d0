"""Findings under a ladder."""

import pytest
from rich.cells import cell_len

from tcplab.analysis.finding import Finding, Verdict
from tcplab.render.findings import Findings, proof
from tcplab.text import Text

from . import samples
from .printing import printed


def shown(width: int, *, say=str, ascii_only=False, findings=None) -> str:
    findings = samples.four_way_findings() if findings is None else findings
    renderable = Findings(findings, samples.four_way(), say=say, ascii_only=ascii_only)
    return printed(renderable, width=width)


def test_citation_stands_at_the_right_of_the_last_line():
    assert shown(76).splitlines() == [
        "",
        " ✔ Three-way handshake: each ACK is the other side's ISN + 1 (3021554771 →",
        "   3021554772).                                                     [1 2 3]",
        " ✘ The client closed first, so the client now holds TIME-WAIT.        [6 8]",
        " ? Nobody looked long enough to see the end of TIME-WAIT.",
    ]


def test_citation_that_does_not_fit_takes_a_line_of_its_own():
    assert shown(65).splitlines()[3:5] == [
        " ✘ The client closed first, so the client now holds TIME-WAIT.",
        "                                                           [6 8]",
    ]


def test_narrow_lines_hang():
    assert shown(40).splitlines()[4:6] == [
        " ✘ The client closed first, so the",
        "   client now holds TIME-WAIT.    [6 8]",
    ]


def test_ascii_marks_and_typography():
    assert shown(76, ascii_only=True).splitlines() == [
        "",
        " OK Three-way handshake: each ACK is the other side's ISN + 1",
        "    (3021554771 -> 3021554772).                                     [1 2 3]",
        " NO The client closed first, so the client now holds TIME-WAIT.       [6 8]",
        " ?? Nobody looked long enough to see the end of TIME-WAIT.",
    ]


@pytest.mark.parametrize("say", [str, samples.korean])
def test_every_line_fits_every_width(say):
    for width in range(40, 161):
        lines = shown(width, say=say).splitlines()
        assert all(cell_len(line) <= width for line in lines), width
        assert "".join(lines).replace(" ", "").count("[123]") == 1


def test_korean_wraps_by_cells():
    assert shown(40, say=samples.korean).splitlines()[4:7] == [
        " ✘ 클라이언트가 먼저 닫았으므로 이제",
        "   클라이언트가 TIME-WAIT 상태에",
        "   머무릅니다.                    [6 8]",
    ]


def test_proof_numbers_segments_names_calls_and_leaves_states_out():
    timeline = samples.prohibited()
    finding = Finding(id="x", verdict=Verdict.YES, sentence=Text("."), events=(0, 1, 2, 3, 4))
    assert proof(finding, timeline) == "connect() 1 2 ICMP"


def test_sentence_with_control_characters_is_harmless():
    finding = Finding(
        id="x", verdict=Verdict.NO, sentence=Text("peer {name}", name="\x1b[2J[red]\u202e")
    )
    assert shown(60, findings=[finding]) == "\n ✘ peer \\x1b[2J[red]\\u202e\n"


def test_no_findings_print_nothing():
    assert shown(60, findings=[]) == ""
