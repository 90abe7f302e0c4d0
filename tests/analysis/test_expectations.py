"""What a scenario expected becomes findings."""

from dataclasses import replace

from tcplab.analysis.explain import explain
from tcplab.analysis.finding import Finding, Verdict
from tcplab.timeline.events import ExpectEvent

from .ladder import CLOSE, DATA, OPEN, ladder

MET = ExpectEvent(
    i=0,
    at_ns=1,
    conn="a",
    predicate="client.state == TIME-WAIT",
    met=True,
    found=(("client.state", "TIME-WAIT"),),
)
UNMET = ExpectEvent(
    i=0,
    at_ns=2,
    conn="a",
    predicate="server.state == LAST-ACK and server.info.rto > 0",
    met=False,
    found=(("server.state", "ESTABLISHED"), ("server.info.rto", "")),
)
BARE = replace(UNMET, predicate="1 == 2", found=())


def run(*expected: ExpectEvent, drops: int = 0, interrupted: bool = False):
    timeline = ladder(OPEN + DATA + CLOSE, drops=drops, interrupted=interrupted)
    first = len(timeline.events)
    noted = (replace(event, i=first + n) for n, event in enumerate(expected))
    return replace(timeline, events=(*timeline.events, *noted))


def expectations(timeline) -> list[Finding]:
    return [finding for finding in explain(timeline) if finding.id.startswith("expect.")]


def test_each_expectation_is_a_finding_that_cites_its_event():
    timeline = run(MET, UNMET)
    found = expectations(timeline)
    assert [(each.id, each.verdict) for each in found] == [
        ("expect.1", Verdict.YES),
        ("expect.2", Verdict.NO),
    ]
    cited = [timeline.events[i] for each in found for i in each.events]
    assert [event.predicate for event in cited] == [MET.predicate, UNMET.predicate]


def test_they_come_after_all_else():
    timeline = run(MET, UNMET)
    ids = [finding.id for finding in explain(timeline)]
    assert ids[-2:] == ["expect.1", "expect.2"]
    assert len(ids) > 2


def test_met_one_is_told_by_its_predicate():
    (found,) = expectations(run(MET))
    assert str(found.sentence) == "Expected and seen: client.state == TIME-WAIT."


def test_failed_one_says_what_was_there_instead():
    (found,) = expectations(run(UNMET))
    assert str(found.sentence) == (
        "Expected server.state == LAST-ACK and server.info.rto > 0; instead server.state was "
        "ESTABLISHED, server.info.rto was not known."
    )


def test_failed_one_without_names_has_nothing_instead():
    (found,) = expectations(run(BARE))
    assert str(found.sentence) == "Expected, but not seen: 1 == 2."


def test_what_an_interrupted_run_did_not_show_is_inconclusive():
    verdicts = [each.verdict for each in expectations(run(MET, UNMET, interrupted=True))]
    assert verdicts == [Verdict.YES, Verdict.INCONCLUSIVE]


def test_a_capture_that_lost_frames_proves_no_expectation():
    verdicts = {each.verdict for each in expectations(run(MET, UNMET, drops=1))}
    assert verdicts == {Verdict.INCONCLUSIVE}


def test_a_run_that_expected_nothing_has_no_such_finding():
    assert expectations(run()) == []
