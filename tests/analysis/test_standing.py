"""How a scenario stands after its runs."""

import pytest

from tcplab.analysis.finding import Finding, Verdict
from tcplab.analysis.standing import Run, judged, stand
from tcplab.text import Text

YES, NO, OPEN = Verdict.YES, Verdict.NO, Verdict.INCONCLUSIVE


def finding(name: str, verdict: Verdict) -> Finding:
    return Finding(id=name, verdict=verdict, sentence=Text(name))


def standing(*runs: Run, timed: bool = False):
    return stand(
        name="x", group="opening", title=Text("X"), again="tcplab run x", timed=timed, runs=runs
    )


def test_a_closed_port_that_was_expected_is_no_failure():
    findings = (finding("open.refused", NO), finding("expect.1", YES))
    assert judged(findings, trace="t") == Run(verdict=YES, trace="t")


def test_what_was_expected_and_not_seen_is_a_failure_and_says_why():
    findings = (finding("open.three-way", YES), finding("expect.1", NO), finding("expect.2", YES))
    assert judged(findings, trace=None) == Run(verdict=NO, why=(Text("expect.1"),))


def test_without_expectations_every_finding_counts():
    findings = (finding("open.three-way", YES), finding("close.four-way", OPEN))
    assert judged(findings, trace=None) == Run(verdict=OPEN, why=(Text("close.four-way"),))


def test_a_scenario_that_was_not_played_has_no_verdict():
    made = standing()
    assert (made.verdict, made.runs, made.held, made.traces) == (None, 0, 0, None)


@pytest.mark.parametrize(
    ("verdicts", "verdict", "held"),
    [
        ([YES, YES], YES, 2),
        ([YES, OPEN], OPEN, 1),
        ([OPEN, NO, YES], NO, 1),
    ],
)
def test_the_worst_run_decides(verdicts, verdict, held):
    made = standing(*(Run(verdict=each, trace="same") for each in verdicts))
    assert (made.verdict, made.runs, made.held, made.traces) == (verdict, len(verdicts), held, 1)


def test_each_reason_is_told_once():
    made = standing(*[Run(verdict=NO, why=(Text("a"), Text("b")))] * 3)
    assert made.why == (Text("a"), Text("b"))


def test_one_trace_more_is_a_failure_that_says_where_they_part():
    runs = [Run(verdict=YES, trace="one\ntwo   2\n")] * 2 + [Run(verdict=YES, trace="one\n")]
    made = standing(*runs)
    assert (made.verdict, made.held, made.traces) == (NO, 3, 2)
    assert [str(each) for each in made.why] == [
        "2 different joint traces. The two commonest part in line 2: two 2 | -"
    ]


def test_traces_of_a_run_that_timers_drive_are_not_compared():
    made = standing(Run(verdict=YES), Run(verdict=YES), timed=True)
    assert (made.verdict, made.traces) == (YES, None)
