"""Gives every segment its step: which part of the conversation it is ("open 1/3", "close 2/4").

The words are names, the same in every language: ladders, pcapng comments and programs share them.
"""

from collections.abc import Iterable
from dataclasses import replace

from tcplab.analysis.conversation import Conversation, conversations
from tcplab.analysis.roles import Closing, Opening
from tcplab.tcp.flags import Flags
from tcplab.timeline.events import Fate, SegmentEvent
from tcplab.timeline.timeline import Timeline


def label(timeline: Timeline) -> Timeline:
    """The same timeline, its segments labelled.

    A step is one of "open k/n", "data", "ack", "challenge ack", "close k/n", "reset",
    "retransmission", "duplicate" (made by the wire) and "injected" (sent by neither end).
    """
    steps: dict[int, str] = {}
    for conversation in conversations(timeline):
        numbered = _numbered(conversation)
        challenge = conversation.challenge
        for event in conversation.segments:
            numbering = numbered.get(event.i)
            steps[event.i] = _step(conversation, event, numbering, challenged=event is challenge)
    return replace(
        timeline,
        events=tuple(
            replace(event, step=steps[event.i]) if isinstance(event, SegmentEvent) else event
            for event in timeline.events
        ),
    )


def _step(
    conversation: Conversation, event: SegmentEvent, numbered: str | None, *, challenged: bool
) -> str:
    if event.fate is Fate.INJECTED:
        return "injected"
    if event.segment.has(Flags.RST):
        return "reset"
    if numbered is not None:
        return numbered
    if event.i in conversation.again:
        return "duplicate" if event.fate is Fate.DUPLICATED else "retransmission"
    if event.segment.data_octets:
        return "data"
    return "challenge ack" if challenged else "ack"


def _numbered(conversation: Conversation) -> dict[int, str]:
    """The steps that are counted, by the indices of their segments."""
    numbered: dict[int, str] = {}
    if conversation.closing is not None:
        numbered |= _close(conversation.closing, conversation.segments)
    if conversation.opening is not None:
        numbered |= _open(conversation.opening, conversation)
    return numbered


def _open(opening: Opening, conversation: Conversation) -> dict[int, str]:
    fresh = [
        event
        for event in conversation.segments
        if event.segment.has(Flags.SYN) and event.i not in conversation.again
    ]
    if opening.crossing is not None:
        return {event.i: f"open {k}/4" for k, event in enumerate(fresh[:4], start=1)}
    # A new SYN after a reset begins again at 1, so these are numbered by what they are.
    numbered = {
        event.i: "open 2/3" if event.segment.has(Flags.ACK) else "open 1/3" for event in fresh
    }
    if opening.third is not None:
        numbered[opening.third.i] = "open 3/3"
    return numbered


def _close(closing: Closing, segments: Iterable[SegmentEvent]) -> dict[int, str]:
    """A FIN is numbered where it was sent first, its acknowledgment where it arrived first."""
    fins: dict[str, int] = {}
    for event in segments:
        if event.segment.has(Flags.FIN):
            fins.setdefault(event.sender, event.i)
    acks = {
        ack.i
        for ack in (closing.first_ack, closing.second_ack)
        if ack is not None and not ack.segment.has(Flags.FIN)
    }
    of = 3 if closing.merged else 4
    return {i: f"close {k}/{of}" for k, i in enumerate(sorted(acks | {*fins.values()}), start=1)}
