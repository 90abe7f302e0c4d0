"""A SYN that is answered by a plain ACK: the other end still holds an old connection.

It acknowledges what it expects of the old one, since a SYN inside a synchronized connection gets a
challenge ACK (RFC 5961 §4.2). The opener finds that number unacceptable and resets it, which frees
the other end for the next SYN (RFC 9293 §3.5.1, figure 9).
"""

from collections.abc import Iterator

from tcplab.analysis.conversation import Conversation
from tcplab.analysis.finding import Finding, Verdict
from tcplab.analysis.honesty import absence
from tcplab.analysis.roles import Opening, arrived
from tcplab.analysis.wording import end
from tcplab.tcp.flags import Flags
from tcplab.text import Text
from tcplab.timeline.events import SegmentEvent


def findings(conversation: Conversation) -> Iterator[Finding]:
    """One finding, if the first thing that the other end said was a plain ACK."""
    opening, challenge = conversation.opening, conversation.challenge
    if opening is None or challenge is None:
        return
    if any(challenge.segment.ack == syn.segment.seq + 1 for syn in opening.syns):
        yield Finding(
            id="open.plain-ack",
            verdict=Verdict.INCONCLUSIVE,
            sentence=Text(
                "The {peer} acknowledged the SYN but sent none of its own: a SYN, ACK may have "
                "been lost.",
                peer=end(opening.peer),
            ),
            events=(opening.syn.i, challenge.i),
        )
        return
    reset = _reset(conversation, opening, challenge)
    verdict, outcome, more = _outcome(conversation, opening, reset)
    yield Finding(
        id="open.plain-ack",
        verdict=verdict,
        sentence=Text(
            "The {peer} answered the SYN with a plain ACK of {ack}, not of ISN + 1: it still holds "
            "an old connection between these ports (half-open, RFC 9293 §3.5.1). {outcome}",
            peer=end(opening.peer),
            ack=int(challenge.segment.ack),
            outcome=outcome,
        ),
        events=(opening.syns[0].i, challenge.i, *more),
    )


def _reset(
    conversation: Conversation, opening: Opening, challenge: SegmentEvent
) -> SegmentEvent | None:
    """The RST that the plain ACK provoked: its sequence number is the one that was acknowledged."""
    for event in conversation.segments:
        provoked = event.sender == opening.opener and event.segment.has(Flags.RST)
        exact = event.segment.seq == challenge.segment.ack
        if provoked and exact and event.i > challenge.i and arrived(event):
            return event
    return None


def _outcome(
    conversation: Conversation, opening: Opening, reset: SegmentEvent | None
) -> tuple[Verdict, Text, tuple[int, ...]]:
    opener, peer = end(opening.opener), end(opening.peer)
    if reset is None:
        sentence = Text("The {opener} did not reset it, so it is still there.", opener=opener)
        return absence(conversation.timeline), sentence, ()
    tries = tuple(syn.i for syn in opening.syns if syn.i > reset.i)
    answer = opening.answer
    if answer is not None and answer.i > reset.i:
        sentence = Text("The {opener} reset it, tried again and got its SYN, ACK.", opener=opener)
        return Verdict.YES, sentence, (reset.i, *tries, answer.i)
    if tries:
        sentence = Text(
            "The {opener} reset it and tried again, but the {peer} sent no SYN, ACK.",
            opener=opener,
            peer=peer,
        )
    else:
        sentence = Text("The {opener} reset it and did not try again.", opener=opener)
    return absence(conversation.timeline), sentence, (reset.i, *tries)
