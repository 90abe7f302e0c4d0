"""What a receiver did not take: segments that were damaged on the way, or came once too often."""

from collections.abc import Iterator, Mapping

from tcplab.analysis.conversation import Conversation
from tcplab.analysis.finding import Finding, Verdict
from tcplab.analysis.incarnations import heir
from tcplab.analysis.roles import arrived, damaged
from tcplab.analysis.wording import end
from tcplab.tcp.flags import Flags
from tcplab.tcp.sequence import Seq
from tcplab.text import Text
from tcplab.timeline.events import CounterEvent, Fate, SegmentEvent
from tcplab.timeline.relative import isns, relative
from tcplab.timeline.timeline import effect_ns, lane

_CHECKSUM_ERRORS = "TcpInCsumErrors"
_TOLD = 3

_Origins = Mapping[tuple[str, str], Seq]
"""Where each end of each connection begins to count."""


def findings(conversation: Conversation) -> Iterator[Finding]:
    """One for each damaged segment and for each with data that came twice, up to three of each."""
    spoiled = [
        event
        for event in conversation.segments
        if event.fate is Fate.CORRUPTED or (event.fate is Fate.CAPTURED and damaged(event))
    ]
    twice = _arrivals(conversation)
    if not spoiled and not twice:
        return
    origins = isns(conversation.timeline)
    for event in spoiled[:_TOLD]:
        yield _corrupted(conversation, event, origins)
    for first, event, answer in twice[:_TOLD]:
        yield _twice(first, event, answer, origins)


# --- damaged ------------------------------------------------------------------------------------


def _corrupted(conversation: Conversation, event: SegmentEvent, origins: _Origins) -> Finding:
    answer = next((each for each in conversation.segments if each.cause == event.i), None)
    found = lane(event, event.receiver)
    counted = [
        each
        for each in conversation.timeline.events
        if isinstance(each, CounterEvent)
        and (each.host, each.name) == (event.receiver, _CHECKSUM_ERRORS)
    ]
    names: dict[str, str | int | Text] = {
        "flags": event.segment.flags.written,
        "seq": relative(event, origins)[0],
        "host": end(event.sender),
        "peer": end(event.receiver),
    }
    if answer is not None or (found is not None and found.before is not found.after):
        verdict = Verdict.NO
        sentence = Text(
            "{flags} seq {seq} of the {host} was damaged on the way, and yet the {peer} took it.",
            **names,
        )
    elif counted:
        verdict = Verdict.YES
        sentence = Text(
            "{flags} seq {seq} of the {host} was damaged on the way: its checksum did not fit, so "
            "the {peer} dropped it without a word ({counter}).",
            **names,
            counter=f"{_CHECKSUM_ERRORS} {counted[0].delta:+d}",
        )
    else:
        verdict = Verdict.YES
        sentence = Text(
            "{flags} seq {seq} of the {host} was damaged on the way: its checksum did not fit, so "
            "the {peer} dropped it without a word.",
            **names,
        )
    proof = [event.i, *(each.i for each in counted)]
    return Finding(
        id="segment.corrupted",
        verdict=verdict,
        sentence=sentence,
        events=tuple(sorted(proof if answer is None else [*proof, answer.i])),
    )


# --- twice --------------------------------------------------------------------------------------


def _arrivals(
    conversation: Conversation,
) -> list[tuple[SegmentEvent, SegmentEvent, SegmentEvent]]:
    """Segments with data that had come before: (the first arrival, this one, what it was answered
    with). One without an answer may have met something else than this connection; one that came
    when another connection had taken over the ports did.
    """
    answers = {
        event.cause: event for event in conversation.segments if event.segment.flags == Flags.ACK
    }
    firsts: dict[tuple[str, int], SegmentEvent] = {}
    twice = []
    taken_over_ns = _taken_over_ns(conversation)
    came = (
        event
        for event in conversation.segments
        if _came(event) and (taken_over_ns is None or effect_ns(event) < taken_over_ns)
    )
    for event in sorted(came, key=lambda event: (effect_ns(event), event.i)):
        if event.segment.data_octets:
            key = event.sender, int(event.segment.seq)
            first = firsts.setdefault(key, event)
            longer = event.segment.data_octets > first.segment.data_octets
            if first is not event and not longer and event.i in answers:
                twice.append((first, event, answers[event.i]))
    return twice


def _taken_over_ns(conversation: Conversation) -> int | None:
    """When another connection began between its ports; None if none did."""
    successor = heir(conversation)
    if successor is None:
        return None
    return next(conversation.timeline.segments(successor)).at_ns


def _came(event: SegmentEvent) -> bool:
    """Is it known that what its sender had sent has come? A capture tells no such thing."""
    return event.fate not in (Fate.INJECTED, Fate.CAPTURED) and arrived(event)


def _twice(
    first: SegmentEvent, event: SegmentEvent, answer: SegmentEvent, origins: _Origins
) -> Finding:
    return Finding(
        id="segment.duplicate",
        verdict=Verdict.YES,
        sentence=Text(
            "The {peer} got the {octets} octets of seq {seq} twice: by their numbers it knew the "
            "second time for old, took them once, and only acknowledged them again (ack {ack}).",
            peer=end(event.receiver),
            octets=event.segment.data_octets,
            seq=relative(event, origins)[0],
            ack=relative(answer, origins)[1] or 0,
        ),
        events=tuple(sorted((first.i, event.i, answer.i))),
    )
