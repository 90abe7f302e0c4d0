"""What a retransmission time-out did: the same segment again and again, after longer and longer
waits (RFC 6298 §5), until an answer came.
"""

from collections.abc import Iterator, Sequence

from tcplab.analysis.conversation import Conversation
from tcplab.analysis.finding import Finding, Verdict
from tcplab.analysis.honesty import absence
from tcplab.analysis.repetitions import Repetition, Why, repetitions
from tcplab.analysis.roles import arrived, damaged
from tcplab.analysis.waits import back_off, between
from tcplab.analysis.wording import end, listed, seconds, told
from tcplab.tcp.flags import Flags
from tcplab.tcp.sequence import Seq
from tcplab.text import Text
from tcplab.timeline.events import SegmentEvent
from tcplab.timeline.relative import isns, relative
from tcplab.timeline.timeline import effect_ns

_TOLD = 3
"""Of how many segments at most; those that were repeated most often."""


def findings(conversation: Conversation) -> Iterator[Finding]:
    """Nothing for SYNs that nobody answered, which "open.silent" counts, nor where nothing grew."""
    for group in _groups(conversation):
        yield _finding(conversation, group)


def grown(conversation: Conversation) -> tuple[Repetition, ...]:
    """The repetitions of which there are findings."""
    return tuple(each for group in _groups(conversation) for each in group)


def _groups(conversation: Conversation) -> list[list[Repetition]]:
    """The repetitions of each segment, if a time-out grew meanwhile."""
    opening = conversation.opening
    if opening is not None and not opening.begun:
        return []
    groups: dict[int, list[Repetition]] = {}
    for each in repetitions(conversation):
        groups.setdefault(each.original.i, []).append(each)
    growing = [group for group in groups.values() if _doubled(group) or str(_back_off(group))]
    often = sorted(growing, key=len, reverse=True)[:_TOLD]
    return [group for group in growing if group in often]


def _doubled(group: list[Repetition]) -> Text | None:
    """What the kernel told last of its timer; None where it was not asked, or told nothing new."""
    sample = group[-1].sample
    backoff, rto_us = sample.get("backoff"), sample.get("rto")
    if not isinstance(backoff, int) or not isinstance(rto_us, int) or not backoff:
        return None
    return Text(
        "Its kernel's backoff was then {backoff}, its time-out {rto} s.",
        backoff=backoff,
        rto=seconds(rto_us * 1000),
    )


def _back_off(group: list[Repetition]) -> Text:
    """Did the waits for the time-outs double?"""
    waits_ns = _waits_ns(group)
    return back_off(
        [wait for wait, each in zip(waits_ns, group, strict=True) if each.why is Why.TIME_OUT]
    )


def _waits_ns(group: list[Repetition]) -> tuple[int, ...]:
    return between([group[0].original.at_ns, *(each.event.at_ns for each in group)])


def _finding(conversation: Conversation, group: list[Repetition]) -> Finding:
    original, last = group[0].original, group[-1].event
    tries = (original, *(each.event for each in group))
    answers = [event for event in conversation.segments if _ends(conversation, event, original)]
    late = [event for event in answers if effect_ns(event) >= last.at_ns]
    answer = next(iter(late or answers), None)
    refused = _refused(conversation, original, until=answer)
    parts = [_repeated(conversation, group, refused)]
    doubled = _doubled(group)
    if doubled is not None:
        parts.append(doubled)
    parts.append(_outcome(answer))
    cited = (*tries, *refused, *(() if answer is None else (answer,)))
    return Finding(
        id="retransmission.time-out",
        verdict=absence(conversation.timeline) if answer is None else Verdict.YES,
        sentence=told(parts),
        events=tuple(sorted(event.i for event in cited)),
    )


def _ends(conversation: Conversation, event: SegmentEvent, original: SegmentEvent) -> bool:
    """Is there nothing more to repeat after `event`, which its receiver can accept?"""
    if event.i <= original.i or event.sender != original.receiver or not arrived(event):
        return False
    if event.segment.has(Flags.RST) and not _opens(original):
        return True
    right = event.segment.has(Flags.ACK) and event.segment.ack >= original.segment.next_seq
    return right and event.segment.ack <= _sent_until(conversation, event)


def _opens(event: SegmentEvent) -> bool:
    """Is it a SYN without ACK, whose sender is in SYN-SENT?"""
    return event.segment.flags & (Flags.SYN | Flags.ACK) == Flags.SYN


def _sent_until(conversation: Conversation, event: SegmentEvent) -> Seq:
    """The number after the last that the receiver of `event` had sent before it. An RST that turns
    something away has the other end's numbers (RFC 9293 §3.5.2).
    """
    return max(
        each.segment.next_seq
        for each in conversation.segments
        if each.sender == event.receiver and each.i < event.i
        if not each.segment.has(Flags.RST)
    )


def _refused(
    conversation: Conversation, original: SegmentEvent, *, until: SegmentEvent | None
) -> tuple[SegmentEvent, ...]:
    """What came instead of an answer, and looks like one that a TCP does not accept."""
    return tuple(
        event
        for event in conversation.segments
        if original.i < event.i and (until is None or event.i < until.i)
        if event.sender == original.receiver and event.segment.flags & (Flags.ACK | Flags.RST)
        if damaged(event) or (_opens(original) and arrived(event))
        if not _ends(conversation, event, original)
    )


def _repeated(
    conversation: Conversation, group: list[Repetition], refused: Sequence[SegmentEvent]
) -> Text:
    original = group[0].original
    seq, _ack = relative(original, isns(conversation.timeline))
    waits_ns = _waits_ns(group)
    names: dict[str, str | int | Text] = {
        "host": end(original.sender),
        "flags": original.segment.flags.written,
        "seq": seq,
    }
    if refused:
        return Text(
            "What came in answer to the {flags} seq {seq} of the {host} was nothing that a TCP "
            "accepts ({why}; count: {count}), so it was sent again, after {waits} s{back_off}.",
            **names,
            count=len(refused),
            why=listed(list(_objections(refused))),
            waits=", ".join(map(seconds, waits_ns)),
            back_off=_back_off(group),
        )
    if len(group) == 1:
        return Text(
            "The {host} got no answer to its {flags} seq {seq} and sent it again after {wait} s.",
            **names,
            wait=seconds(waits_ns[0]),
        )
    return Text(
        "The {host} got no answer to its {flags} seq {seq} and sent it again {count} times, after "
        "{waits} s{back_off}.",
        **names,
        count=len(group),
        waits=", ".join(map(seconds, waits_ns)),
        back_off=_back_off(group),
    )


def _objections(refused: Sequence[SegmentEvent]) -> Iterator[Text]:
    """What is wrong with them, each fault once."""
    spoiled = [event for event in refused if damaged(event)]
    if spoiled:
        yield Text("a wrong checksum")
    if len(spoiled) < len(refused):
        yield Text("not the ACK of this SYN")


def _outcome(answer: SegmentEvent | None) -> Text:
    if answer is None:
        return Text("It was never acknowledged.")
    if answer.segment.has(Flags.RST):
        return Text("Then the {peer} answered with RST.", peer=end(answer.sender))
    return Text("Then the {peer} acknowledged it.", peer=end(answer.sender))
