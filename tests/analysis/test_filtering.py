"""Which segments a display filter lets through."""

import pytest

from tcplab.analysis.filtering import check, matching
from tcplab.errors import UsageError
from tcplab.scenario.predicate import parse

from .ladder import CLOSE, DATA, OPEN, ladder

TIMELINE = ladder(OPEN + DATA + CLOSE)
SEGMENTS = [event.i for event in TIMELINE.segments()]


def predicate(text: str):
    return parse(text, hosts=("client", "server"), conns=("a", "b"), segment=True)


def numbers(text: str) -> list[int]:
    """The segments that match, counted from 1."""
    return [SEGMENTS.index(i) + 1 for i in sorted(matching(TIMELINE, predicate(text)))]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("seg.syn", [1, 2]),
        ("seg.from == client and seg.ack", [3, 4, 6, 9]),
        ("seg.seq == 1 and seg.len == 20", [4]),
        ("server.state == CLOSE-WAIT", [6, 7]),
        ("client.state == TIME-WAIT and server.state == CLOSED", [9]),
        ("client.sent.fin == 1 and client.received.fin == 0", [6, 7]),
        ("client[b].state == ESTABLISHED", []),
        ("seg.retransmission", []),
    ],
)
def test_a_filter_matches(text, found):
    assert numbers(text) == found


@pytest.mark.parametrize("text", ['client.timer == "off"', "server.counter.TCPTimeouts > 0"])
def test_what_a_timeline_does_not_hold_cannot_be_asked_for(text):
    with pytest.raises(UsageError):
        check(predicate(text))
