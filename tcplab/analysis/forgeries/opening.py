"""A handshake in another host's name.

A server's SYN, ACK goes to the address that the SYN bore. Who speaks for that address must know the
ISN in it: hear it, or guess one of 2^32 (RFC 6528). And the address's owner, if it is alive, resets
what it knows nothing of (RFC 9293 §3.5.1).
"""

from collections.abc import Iterator

from tcplab.analysis.conversation import Conversation
from tcplab.analysis.finding import Finding, Verdict
from tcplab.analysis.forgeries.forged import Forged, forged, third_party
from tcplab.analysis.roles import arrived
from tcplab.analysis.wording import end
from tcplab.tcp.flags import Flags
from tcplab.tcp.states import State
from tcplab.text import Text
from tcplab.timeline.events import SegmentEvent
from tcplab.timeline.timeline import lane


def findings(conversation: Conversation) -> Iterator[Finding]:
    """One for a connection that was opened so, and for each reason why it was not."""
    parts = list(forged(conversation, lambda event: third_party(conversation, event)))
    syn = next((each for each in parts if _asks(each)), None)
    if syn is None:
        return
    answer = _answer(conversation, syn)
    if answer is None:
        return
    third = next((each for each in parts if _completes(each)), None)
    if third is not None:
        yield _opened(syn, answer, third)
        return
    yield from _disowned(conversation, syn, answer)
    yield from _guessed(conversation, parts, answer)


def _asks(each: Forged) -> bool:
    """Does it ask a listener?"""
    return each.event.segment.has(Flags.SYN) and each.lane.after is State.SYN_RECEIVED


def _completes(each: Forged) -> bool:
    return each.lane.before is State.SYN_RECEIVED and each.lane.after is State.ESTABLISHED


def _answer(conversation: Conversation, syn: Forged) -> SegmentEvent | None:
    wanted = Flags.SYN | Flags.ACK
    for event in conversation.segments:
        if event.cause == syn.event.i and event.segment.flags & wanted == wanted:
            return event
    return None


def _opened(syn: Forged, answer: SegmentEvent, third: Forged) -> Finding:
    owner = lane(third.event, syn.bearer)
    sentence = Text(
        "Spoofed: SYN and ACK came from the {sender}, in the {bearer}'s name. It heard the SYN, "
        "ACK and so could acknowledge the right number ({ack}, the {host}'s ISN + 1): {before} → "
        "{after}. To the {host} its peer is the {bearer}, whose own kernel is in {state}.",
        sender=end(third.event.sender),
        bearer=end(syn.bearer),
        host=end(syn.victim),
        ack=int(third.event.segment.ack),
        before=str(third.lane.before),
        after=str(third.lane.after),
        state=str(State.CLOSED if owner is None else owner.after),
    )
    return Finding(
        id="open.spoofed",
        verdict=Verdict.YES,
        sentence=sentence,
        events=tuple(sorted((syn.event.i, answer.i, third.event.i))),
    )


def _disowned(conversation: Conversation, syn: Forged, answer: SegmentEvent) -> Iterator[Finding]:
    """The owner of the address was asked, and denied."""
    for event in conversation.segments:
        if event.cause != answer.i or event.sender != syn.bearer or not arrived(event):
            continue
        found = lane(event, syn.victim)
        if event.segment.has(Flags.RST) and found is not None:
            yield Finding(
                id="open.disowned",
                verdict=Verdict.YES,
                sentence=Text(
                    "The SYN, ACK went to the real {bearer}, whose kernel had asked for nothing. "
                    "Its RST has the number from that ACK, so the {host} believed it: {before} → "
                    "{after}.",
                    bearer=end(syn.bearer),
                    host=end(syn.victim),
                    before=str(found.before),
                    after=str(found.after),
                ),
                events=(syn.event.i, answer.i, event.i),
            )
            return


def _guessed(
    conversation: Conversation, parts: list[Forged], answer: SegmentEvent
) -> Iterator[Finding]:
    wanted = answer.segment.seq + 1
    for each in parts:
        segment = each.event.segment
        if each.event.i < answer.i or not segment.has(Flags.ACK) or segment.ack == wanted:
            continue
        resets = [
            event.i
            for event in conversation.segments
            if event.cause == each.event.i and event.segment.has(Flags.RST)
        ]
        yield Finding(
            id="open.wrong-guess",
            verdict=Verdict.YES,
            sentence=Text(
                "The {sender} did not hear the {host}'s ISN, and guessed: its ACK says {ack}, and "
                "right was {wanted}. One in 2^32 such guesses is right.",
                sender=end(each.event.sender),
                host=end(each.victim),
                ack=int(segment.ack),
                wanted=int(wanted),
            ),
            events=(answer.i, each.event.i, *resets),
        )
        return
