from dataclasses import replace

import pytest

from tcplab.analysis.hindsight import in_hindsight
from tcplab.tcp.states import State
from tcplab.timeline.events import CallEvent, Lane, SegmentEvent, Source, StateEvent
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


def guess(timeline):
    """What was made of the SYN, the third event, when it passed."""
    return StateEvent(
        i=3,
        at_ns=timeline.events[2].at_ns,
        cause=2,
        host="server",
        conn="a",
        old=State.CLOSED,
        new=State.SYN_RECEIVED,
        source=Source.INFERRED,
    )


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
    stale = guess(timeline)
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


def test_who_answers_with_rst_or_nothing_of_use_is_not_said_to_have_listened():
    for text in (
        "client S | SYN-SENT CLOSED\nserver RA | CLOSED CLOSED",
        "client S | SYN-SENT CLOSED\nserver SRA | CLOSED CLOSED",
        "client S | SYN-SENT CLOSED\nserver S | SYN-RECEIVED SYN-RECEIVED",
        "server SA ack=1 | CLOSED SYN-RECEIVED",
    ):
        assert in_hindsight(remote(text)) == remote(text)


SILENT = """
    client connect() 0   | SYN-SENT     CLOSED
    client S             | SYN-SENT     CLOSED
    client S             | SYN-SENT     CLOSED
"""


@pytest.mark.parametrize(
    "text", [SILENT, SILENT + "server F | SYN-SENT CLOSED"], ids=["silent", "no state sends that"]
)
def test_of_who_says_nothing_no_state_is_known(text):
    """Somebody in between may have dropped what a listener would have answered."""
    told = in_hindsight(remote(text))

    acts = [event for event in told.events if isinstance(event, SegmentEvent | CallEvent)]
    assert acts == list(told.events)
    assert [[each.host for each in act.lanes] for act in acts] == [["client"]] * len(acts)


def test_the_changes_of_an_unknown_end_are_not_told():
    timeline = remote(SILENT)
    told = replace(timeline, events=(*timeline.events, guess(timeline)))

    assert in_hindsight(told) == in_hindsight(timeline)


HALF_OPEN = """
    client connect() 0             | SYN-SENT     CLOSED
    client S                       | SYN-SENT     CLOSED
    server A seq=9000 ack={ack}    | SYN-SENT     ESTABLISHED
    client R seq={ack}             | SYN-SENT     CLOSED
    client S seq=0                 | SYN-SENT     CLOSED
    server SA seq=0 ack=1          | ESTABLISHED  SYN-RECEIVED
"""


@pytest.mark.parametrize("ack", [5000, 3_000_000_000], ids=["after the SYN", "before it"])
def test_a_first_answer_of_a_plain_ack_had_a_connection_before_the_syn(ack):
    """RFC 9293 §3.5.1, figure 9: half-open, and reset for it. Its numbers are not of the SYN."""
    told = in_hindsight(remote(HALF_OPEN.format(ack=ack)))

    assert lanes_of_server(told) == [
        ("ESTABLISHED", "ESTABLISHED"),
        ("ESTABLISHED", "ESTABLISHED"),
        ("ESTABLISHED", "ESTABLISHED"),
        ("ESTABLISHED", "CLOSED"),
        ("CLOSED", "CLOSED"),
        ("CLOSED", "SYN-RECEIVED"),
    ]
    assert [
        (str(event.old), str(event.new)) for event in told.events if isinstance(event, StateEvent)
    ] == [("ESTABLISHED", "CLOSED"), ("CLOSED", "SYN-RECEIVED")]


def test_each_connection_has_its_own_past():
    """A scan asks in rounds from a port each; to the second SYN the answer came."""
    silent, answered = remote(SILENT), remote(ANSWERED)
    rounds = tuple(
        replace(event, i=i, conn=conn)
        for i, (conn, event) in enumerate(
            (conn, event)
            for conn, told in (("round-1", silent), ("round-2", answered))
            for event in told.events
        )
    )

    told = in_hindsight(replace(silent, events=rounds))

    acts = [event for event in told.events if isinstance(event, SegmentEvent | CallEvent)]
    assert {act.conn: lane(act, "server") for act in reversed(acts)} == {
        "round-1": None,
        "round-2": Lane(
            host="server", before=State.LISTEN, after=State.LISTEN, source=Source.INFERRED
        ),
    }


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
