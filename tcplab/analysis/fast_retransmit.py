"""Segments that were sent again before the time-out: because of what the peer's ACKs said, or as a
probe (RFC 5681 §3.2, RFC 8985).
"""

from collections.abc import Iterator, Sequence

from tcplab.analysis.conversation import Conversation
from tcplab.analysis.finding import Finding, Verdict
from tcplab.analysis.repetitions import Repetition, Why, repetitions
from tcplab.analysis.roles import arrived
from tcplab.analysis.wording import end, seconds, told
from tcplab.text import Text
from tcplab.timeline.events import Fate, SegmentEvent
from tcplab.timeline.relative import isns, relative

_EARLY = (Why.DUPLICATE_ACKS, Why.SACK, Why.PROBE)
_TOLD = 3
"""Of how many of each kind it is told; the last one says how many more there were."""


def findings(conversation: Conversation) -> Iterator[Finding]:
    """One for each repetition that waited for no time-out, up to three of each kind."""
    found = [each for each in repetitions(conversation) if each.why in _EARLY]
    if not found:
        return
    origins = isns(conversation.timeline)
    for why in _EARLY:
        alike = [each for each in found if each.why is why]
        for number, each in enumerate(alike[:_TOLD], 1):
            more = alike[_TOLD:] if number == _TOLD else []
            yield _finding(conversation, each, relative(each.event, origins)[0], more)


def _finding(
    conversation: Conversation, each: Repetition, seq: int, more: Sequence[Repetition]
) -> Finding:
    events = {each.original.i, each.event.i, *(other.event.i for other in more)}
    match each.why:
        case Why.DUPLICATE_ACKS:
            name, parts = "retransmission.fast", [_fast(each, seq), *_needless(each)]
            events.update(ack.i for ack in each.acks)
        case Why.SACK:
            name, parts = "retransmission.sack", [_selective(each, seq), *_needless(each)]
            events.update(_cause(conversation, each.event))
        case _:
            name, parts = "retransmission.probe", [_probe(each, seq)]
    if len(more) == 1:
        parts.append(Text("It happened once more."))
    elif more:
        parts.append(Text("It happened {count} times more.", count=len(more)))
    return Finding(id=name, verdict=Verdict.YES, sentence=told(parts), events=tuple(sorted(events)))


def _cause(conversation: Conversation, event: SegmentEvent) -> Iterator[int]:
    """The segment because of which `event` was sent, if it is known."""
    return (each.i for each in conversation.segments if each.i == event.cause)


def _fast(each: Repetition, seq: int) -> Text:
    return Text(
        "Fast retransmit: after {count} duplicate ACKs of {ack} the {host} sent {flags} seq {seq} "
        "again at once, without waiting for its time-out.",
        count=len(each.acks),
        ack=seq,
        host=end(each.event.sender),
        flags=each.event.segment.flags.written,
        seq=seq,
    )


def _selective(each: Repetition, seq: int) -> Text:
    return Text(
        "A SACK of the {peer} showed that {flags} seq {seq} of the {host} was missing, so it was "
        "sent again at once.",
        peer=end(each.event.receiver),
        flags=each.event.segment.flags.written,
        seq=seq,
        host=end(each.event.sender),
    )


def _probe(each: Repetition, seq: int) -> Text:
    return Text(
        "Tail-loss probe: after {wait} s the {host} sent its last segment, {flags} seq {seq}, "
        "again, before its time-out ({rto} s).",
        wait=seconds(each.event.at_ns - each.original.at_ns),
        host=end(each.event.sender),
        flags=each.event.segment.flags.written,
        seq=seq,
        rto=seconds(int(each.sample.get("rto", 0)) * 1000),
    )


def _needless(each: Repetition) -> list[Text]:
    """The original was only late. What came of it a capture does not tell."""
    if not arrived(each.original) or each.original.fate is Fate.CAPTURED:
        return []
    return [Text("The first one was not lost, though: it came as well.")]
