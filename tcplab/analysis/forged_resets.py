"""An RST that none of the two ends sent: it was put on the wire in the name of one of them.

An end cannot tell. It believes an RST whose sequence number is exactly the next one that it
expects; one that is merely in its window it questions with a challenge ACK (RFC 9293 §3.10.7.4, RFC
5961 §3.2).
"""

from collections.abc import Iterator

from tcplab.analysis.conversation import Conversation
from tcplab.analysis.failures import with_failures
from tcplab.analysis.finding import Finding, Verdict
from tcplab.analysis.wording import end
from tcplab.tcp.flags import Flags
from tcplab.tcp.sequence import Seq
from tcplab.tcp.states import State
from tcplab.text import Text
from tcplab.timeline.events import Fate, Lane, SegmentEvent
from tcplab.timeline.timeline import lane

_NOT_YET_OPEN = frozenset({State.CLOSED, State.LISTEN, State.SYN_SENT})


def findings(conversation: Conversation) -> Iterator[Finding]:
    """One finding for each that met an open connection, or a SYN, and whose effect was seen."""
    for event in conversation.segments:
        if event.fate is Fate.INJECTED and event.segment.has(Flags.RST):
            found, bearer = lane(event, event.receiver), _bearer(conversation, event)
            if found is None or bearer is None:
                continue
            if found.before not in _NOT_YET_OPEN:
                yield from _told(conversation, event, found, bearer)
            elif found.before is State.SYN_SENT and found.after is State.CLOSED:
                yield _refused(event, bearer)


def _bearer(conversation: Conversation, event: SegmentEvent) -> str | None:
    """The host in whose name it was sent."""
    others = [each for each in conversation.timeline.hosts if each.name != event.receiver]
    return next((each.name for each in others if each.ip == event.segment.src.ip), None)


def _refused(event: SegmentEvent, bearer: str) -> Finding:
    """TCP in SYN-SENT believes an RST that acknowledges its SYN (RFC 9293 §3.10.7.3)."""
    return Finding(
        id="open.refused-on-the-way",
        verdict=Verdict.NO,
        sentence=Text(
            "The TCP of the {bearer} did not send this RST: it was put on the wire in the "
            "{bearer}'s name. It acknowledges ISN + 1 ({ack}), so to the {host} the port is "
            "closed: SYN-SENT → CLOSED.",
            bearer=end(bearer),
            host=end(event.receiver),
            ack=int(event.segment.ack),
        ),
        events=(event.i,),
    )


def _told(
    conversation: Conversation, event: SegmentEvent, found: Lane, bearer: str
) -> Iterator[Finding]:
    expected = _expected(conversation, event)
    challenge = _challenge(conversation, event)
    if found.after is State.CLOSED and event.segment.seq == expected:
        sentence = Text(
            "The TCP of the {bearer} did not send this RST: it was put on the wire in the "
            "{bearer}'s name. Its sequence number is exactly the next one that the {host} expected "
            "({seq}), so the {host} believed it: {before} → CLOSED.",
            bearer=end(bearer),
            host=end(event.receiver),
            seq=int(event.segment.seq),
            before=str(found.before),
        )
        sentence, failed = with_failures(sentence, conversation, event, host=event.receiver)
        yield Finding(
            id="reset.forged", verdict=Verdict.YES, sentence=sentence, events=(event.i, *failed)
        )
    elif found.after is found.before and challenge is not None:
        yield Finding(
            id="reset.challenged",
            verdict=Verdict.YES,
            sentence=Text(
                "The RST in the {bearer}'s name did not end the connection: its sequence number is "
                "{seq}, and the next one that the {host} expects is {expected}. In the window but "
                "not exact, it gets a challenge ACK, to which the real {bearer} would send an "
                "exact RST if it were gone (RFC 9293 §3.10.7.4).",
                bearer=end(bearer),
                host=end(event.receiver),
                seq=int(event.segment.seq),
                expected=int(challenge.segment.ack),
            ),
            events=(event.i, challenge.i),
        )


def _expected(conversation: Conversation, event: SegmentEvent) -> Seq | None:
    """What the receiver waited for: the last number that it had acknowledged."""
    for earlier in reversed(conversation.segments):
        if earlier.i < event.i and earlier.sender == event.receiver and _acknowledges(earlier):
            return earlier.segment.ack
    return None


def _challenge(conversation: Conversation, event: SegmentEvent) -> SegmentEvent | None:
    """The ACK that the RST provoked."""
    for later in conversation.segments:
        if later.cause == event.i and later.sender == event.receiver and _acknowledges(later):
            return later
    return None


def _acknowledges(event: SegmentEvent) -> bool:
    return event.segment.has(Flags.ACK) and not event.segment.has(Flags.RST)
