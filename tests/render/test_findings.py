"""Findings under a ladder."""

import pytest
from rich.cells import cell_len

from tcplab.analysis.explain import explain
from tcplab.analysis.finding import Finding, Verdict
from tcplab.render.findings import Findings, proof
from tcplab.text import Text
from tcplab.timeline.events import ExpectEvent
from tcplab.timeline.timeline import Timeline

from . import plays, samples
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


def run_with(*findings: Finding, width: int = 80) -> list[str]:
    renderable = Findings(findings, plays.pulled_cable(), say=str)
    return printed(renderable, width=width).splitlines()[1:]


def test_failed_expectations_come_first_and_met_ones_are_counted_at_the_end():
    timeline = plays.pulled_cable()
    expected = [event.i for event in timeline.events if isinstance(event, ExpectEvent)]
    verdicts = (Verdict.YES, Verdict.NO, Verdict.YES)
    findings = [
        Finding(id=f"expect.{i}", verdict=verdict, sentence=Text("Said."), events=(i,))
        for i, verdict in zip(expected, verdicts, strict=True)
    ]
    other = Finding(id="open.three-way", verdict=Verdict.YES, sentence=Text("Opened."))
    assert run_with(other, *findings) == [
        " ✘ Said.",
        " ✔ Opened.",
        " ✘ Expectations met: 2 of 3.",
    ]


def test_where_all_were_met_what_did_not_come_about_is_said_to_be_no_failure():
    met = Finding(id="expect.1", verdict=Verdict.YES, sentence=Text("Said."))
    closed = Finding(id="open.refused", verdict=Verdict.NO, sentence=Text("Closed."))
    assert run_with(closed, met) == [
        " ✘ Closed.",
        " ✔ Expectations met: 1 of 1. What did not come about above was not expected to.",
    ]


def test_expectation_that_cannot_be_told_makes_the_count_inconclusive():
    verdicts = (Verdict.YES, Verdict.INCONCLUSIVE)
    findings = [
        Finding(id=f"expect.{n}", verdict=verdict, sentence=Text("Said."))
        for n, verdict in enumerate(verdicts)
    ]
    assert run_with(*findings) == [" ? Said.", " ? Expectations met: 1 of 2."]


def test_failed_expectation_names_the_connection_that_its_predicate_does_not():
    timeline = plays.two_connections()
    findings = [each for each in explain(timeline) if each.id.startswith("expect.")]
    assert printed(Findings(findings, timeline, say=str), width=100).splitlines()[1:] == [
        " ✘ connection c1: Expected client.state == CLOSED; instead client.state was ESTABLISHED.",
        " ✘ Expected client[c2].state == CLOSED; instead client[c2].state was ESTABLISHED.",
        " ✘ Expectations met: 1 of 3.",
    ]


def about(timeline: Timeline, conn: str, sentence: str, verdict: Verdict = Verdict.YES) -> Finding:
    """A finding that the first segment of the connection proves."""
    first = next(event.i for event in timeline.segments() if event.conn == conn)
    return Finding(id="x", verdict=verdict, sentence=Text(sentence), events=(first,))


def of_ten(*findings: Finding, verbose: bool = False) -> list[str]:
    renderable = Findings(findings, plays.ten_connections(), say=str, verbose=verbose)
    return printed(renderable, width=76).splitlines()[1:]


def test_finding_names_its_connection_where_there_are_several():
    ten = plays.ten_connections()
    cites_nothing = Finding(id="y", verdict=Verdict.NO, sentence=Text("Open."))
    assert of_ten(about(ten, "c3", "Seen."), cites_nothing) == [
        f"{' ✔ connection c3: Seen.':<72}[7]",
        " ✘ connection c3: Open.",
    ]


def test_finding_that_limits_them_all_names_none():
    limit = Finding(id="honesty", verdict=Verdict.INCONCLUSIVE, sentence=Text("Lost."))
    assert of_ten(limit) == [" ? Lost."]


def test_findings_that_differ_in_numbers_only_are_told_as_one_and_cite_all():
    ten = plays.ten_connections()
    two = [about(ten, f"c{n}", f"Took {n} s.") for n in (1, 2)]
    assert of_ten(*two) == [f"{' ✔ connection c1: Took 1 s. Likewise connection c2.':<70}[1 4]"]
    three = [*two, about(ten, "c3", "Took 3 s.")]
    assert of_ten(*three) == [
        f"{' ✔ connection c1: Took 1 s. Likewise connections c2, c3.':<68}[1 4 7]"
    ]
    assert len(of_ten(*three, verbose=True)) == 3


def test_findings_that_differ_in_words_or_verdict_stay_apart():
    ten = plays.ten_connections()
    apart = [
        about(ten, "c1", "Opened."),
        about(ten, "c2", "Closed."),
        about(ten, "c3", "Opened.", Verdict.NO),
    ]
    assert len(of_ten(*apart)) == 3


def test_findings_of_one_kind_about_one_connection_stay_as_many():
    alike = [Finding(id="x", verdict=Verdict.YES, sentence=Text("Opened."))] * 3
    assert shown(76, findings=alike).splitlines()[1:] == [" ✔ Opened."] * 3
    opened = about(plays.ten_connections(), "c1", "Opened.")
    assert len(of_ten(opened, opened)) == 2


def test_long_proof_loses_its_middle():
    timeline = plays.download()
    data = tuple(
        event.i for event in timeline.segments() if event.segment.data_octets or event.i % 7 == 0
    )
    finding = Finding(id="x", verdict=Verdict.YES, sentence=Text("."), events=data)
    cited = proof(finding, timeline)
    assert "…" in cited.split()
    assert len(cited.split()) == 13


def test_no_findings_print_nothing():
    assert shown(60, findings=[]) == ""
