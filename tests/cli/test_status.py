"""The exit status that the findings of a run add up to."""

import pytest

from tcplab.analysis.finding import Finding, Verdict
from tcplab.cli.result import status
from tcplab.errors import Exit
from tcplab.text import Text


def finding(id_: str, verdict: Verdict) -> Finding:
    return Finding(id=id_, verdict=verdict, sentence=Text("."))


REFUSED = finding("open.refused", Verdict.NO)
UNSEEN = finding("run.snapshots", Verdict.INCONCLUSIVE)
OPENED = finding("open.three-way", Verdict.YES)
MET = finding("expect.1", Verdict.YES)
UNMET = finding("expect.2", Verdict.NO)
UNKNOWN = finding("expect.3", Verdict.INCONCLUSIVE)


@pytest.mark.parametrize(
    ("findings", "answer"),
    [
        ([], Exit.DONE),
        ([OPENED], Exit.DONE),
        ([OPENED, UNSEEN], Exit.INCONCLUSIVE),
        ([OPENED, UNSEEN, REFUSED], Exit.NO),
    ],
)
def test_without_expectations_the_findings_are_the_answer(findings, answer):
    assert status(findings) is answer


@pytest.mark.parametrize(
    ("findings", "answer"),
    [
        ([REFUSED, MET], Exit.DONE),
        ([OPENED, UNKNOWN, MET], Exit.INCONCLUSIVE),
        ([OPENED, MET, UNKNOWN, UNMET], Exit.NO),
    ],
)
def test_with_expectations_they_alone_are(findings, answer):
    assert status(findings) is answer
