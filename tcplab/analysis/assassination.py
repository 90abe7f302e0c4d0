"""An RST that finds an end in TIME-WAIT (RFC 1337): does it cut short what is to last 2 MSL?"""

from collections.abc import Iterator

from tcplab.analysis.conversation import Conversation
from tcplab.analysis.finding import Finding, Verdict
from tcplab.analysis.wording import end
from tcplab.tcp.flags import Flags
from tcplab.tcp.states import State
from tcplab.text import Text
from tcplab.timeline.events import SegmentEvent
from tcplab.timeline.timeline import lane


def findings(conversation: Conversation) -> Iterator[Finding]:
    """One finding for each RST that came to an end in TIME-WAIT, and whose effect was seen."""
    for event in conversation.segments:
        found = lane(event, event.receiver)
        if found is None or found.before is not State.TIME_WAIT or not event.segment.has(Flags.RST):
            continue
        if found.after is State.CLOSED:
            sentence = Text(
                "TIME-WAIT assassination (RFC 1337): the RST ended the {host}'s TIME-WAIT at once, "
                "long before 2 MSL were over. From now on nothing keeps old segments out of a new "
                "connection between these ports.",
                host=end(event.receiver),
            )
        elif found.after is State.TIME_WAIT and _exact(conversation, event):
            sentence = Text(
                "The RST found the {host} in TIME-WAIT, with the very number that it expects, and "
                "was ignored: only time ends TIME-WAIT here (RFC 1337, fix F1).",
                host=end(event.receiver),
            )
        else:
            continue
        yield Finding(
            id="close.assassination", verdict=Verdict.YES, sentence=sentence, events=(event.i,)
        )


def assassinated(conversation: Conversation, host: str) -> bool:
    """Did an RST end the host's TIME-WAIT?"""
    left = conversation.left(host, State.TIME_WAIT)
    return isinstance(left, SegmentEvent) and left.segment.has(Flags.RST)


def _exact(conversation: Conversation, event: SegmentEvent) -> bool:
    """Has it the number that its receiver acknowledged last?"""
    acks = [
        earlier.segment.ack
        for earlier in conversation.segments
        if earlier.i < event.i and earlier.sender == event.receiver
        if earlier.segment.has(Flags.ACK) and not earlier.segment.has(Flags.RST)
    ]
    return bool(acks) and acks[-1] == event.segment.seq
