"""Two connections between the same two ports, one after the other."""

from dataclasses import replace

from tcplab.analysis.explain import explain
from tcplab.timeline.events import CallEvent, SegmentEvent

from .ladder import DATA, OPEN, ladder

AGAIN = """
    client connect() 0       | SYN-SENT     ESTABLISHED
    client S seq=500         | SYN-SENT     ESTABLISHED
    server A ack=21          | SYN-SENT     ESTABLISHED
    client R seq=21          | SYN-SENT     CLOSED
    client S seq=500         | SYN-SENT     SYN-RECEIVED
    server SA seq=900 ack=501  | ESTABLISHED  SYN-RECEIVED
    client A ack=901         | ESTABLISHED  ESTABLISHED
"""
FIRST_OF_B = 7


def two():
    timeline = ladder(OPEN + DATA + AGAIN)
    return replace(
        timeline,
        events=tuple(
            replace(event, conn="b")
            if event.i >= FIRST_OF_B and isinstance(event, CallEvent | SegmentEvent)
            else event
            for event in timeline.events
        ),
    )


def sentences(id_):
    return [(each.verdict.value, str(each.sentence)) for each in explain(two()) if each.id == id_]


def test_who_lost_its_ports_to_another_connection_is_not_still_open():
    assert sentences("close.inherited") + sentences("close.unfinished") == [
        (
            "inconclusive",
            "It was not closed: connection b took over its ports, so what came of it shows there.",
        ),
        ("yes", "Neither end closed: the connection is still open."),
    ]


def test_a_listener_is_in_listen_whatever_was_between_its_ports_before():
    verdict, sentence = sentences("open.states")[1]
    assert verdict == "yes"
    assert "(observed): LISTEN → SYN-RECEIVED → ESTABLISHED." in sentence
