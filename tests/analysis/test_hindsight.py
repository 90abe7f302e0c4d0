from dataclasses import replace

from tcplab.analysis.hindsight import in_hindsight
from tcplab.tcp.states import State
from tcplab.timeline.events import CallEvent, SegmentEvent, Source, StateEvent
from tcplab.timeline.timeline import Stack, lane

from .ladder import finding, ladder

ANSWERED = """
    client connect() 0   | SYN-SENT     CLOSED
    client S             | SYN-SENT     CLOSED
    server SA            | ESTABLISHED  SYN-RECEIVED
    client A by=2        | ESTABLISHED  ESTABLISHED
"""
"""What can be told of each segment when it passes, and no more."""


def remote(text):
    return ladder(text, server=Stack.REMOTE)


def lanes_of_server(timeline):
    return [
        (str(found.before), str(found.after))
        for event in timeline.events
        if isinstance(event, SegmentEvent | CallEvent)
        for found in [lane(event, "server")]
    ]


def test_a_first_answer_of_syn_ack_had_a_listener_before_the_syn():
    assert lanes_of_server(in_hindsight(remote(ANSWERED))) == [
        ("LISTEN", "LISTEN"),
        ("LISTEN", "SYN-RECEIVED"),
        ("SYN-RECEIVED", "SYN-RECEIVED"),
        ("SYN-RECEIVED", "ESTABLISHED"),
    ]


def test_the_changes_are_told_anew_and_still_referred_to():
    timeline = remote(ANSWERED)
    stale = StateEvent(
        i=3,
        at_ns=timeline.events[2].at_ns,
        cause=2,
        host="server",
        conn="a",
        old=State.CLOSED,
        new=State.SYN_RECEIVED,
        source=Source.INFERRED,
    )
    events = (*timeline.events[:3], stale, replace(timeline.events[3], i=4))

    told = in_hindsight(replace(timeline, events=events)).events

    assert [event.i for event in told] == list(range(6))
    assert [
        (event.i, event.cause, str(event.old), str(event.new))
        for event in told
        if isinstance(event, StateEvent)
    ] == [(2, 1, "LISTEN", "SYN-RECEIVED"), (5, 4, "SYN-RECEIVED", "ESTABLISHED")]
    assert told[4].segment == timeline.events[3].segment
    assert told[4].cause == 3  # the SYN, ACK


def test_who_answers_with_rst_or_not_at_all_is_not_said_to_have_listened():
    for text in (
        "client S | SYN-SENT CLOSED\nserver RA | CLOSED CLOSED",
        "client S | SYN-SENT CLOSED\nserver SRA | CLOSED CLOSED",
        "client S | SYN-SENT CLOSED",
        "server SA ack=1 | CLOSED SYN-RECEIVED",
    ):
        assert in_hindsight(remote(text)) == remote(text)


def test_what_was_looked_into_stays_as_it_was_seen():
    assert in_hindsight(ladder(ANSWERED)) == ladder(ANSWERED)


def test_the_finding_says_what_the_lane_says():
    timeline = in_hindsight(remote(ANSWERED))
    assert finding(timeline, "open.states") == (
        "yes",
        (
            "The server (inferred): LISTEN → SYN-RECEIVED → ESTABLISHED. "
            "The client, tcplab's own TCP (crafted): CLOSED → SYN-SENT → ESTABLISHED."
        ),
        (1, 3, 4),
    )
