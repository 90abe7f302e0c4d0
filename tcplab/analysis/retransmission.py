"""What a retransmission time-out did: the same segment again and again, after longer and longer
waits (RFC 6298 §5), until an answer came.
"""

from collections.abc import Iterator

from tcplab.analysis.conversation import Conversation
from tcplab.analysis.finding import Finding, Verdict
from tcplab.analysis.honesty import absence
from tcplab.analysis.repetitions import Repetition, Why, repetitions
from tcplab.analysis.roles import acknowledges, arrived
from tcplab.analysis.waits import back_off, between
from tcplab.analysis.wording import end, seconds, told
from tcplab.tcp.flags import Flags
from tcplab.text import Text
from tcplab.timeline.events import SegmentEvent
from tcplab.timeline.relative import isns, relative

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
    original = group[0].original
    tries = (original, *(each.event for each in group))
    answer = next(
        (
            event
            for event in conversation.segments
            if event.i > original.i and arrived(event) and _ends(event, original)
        ),
        None,
    )
    parts = [_repeated(conversation, group)]
    doubled = _doubled(group)
    if doubled is not None:
        parts.append(doubled)
    parts.append(_outcome(answer))
    return Finding(
        id="retransmission.time-out",
        verdict=absence(conversation.timeline) if answer is None else Verdict.YES,
        sentence=told(parts),
        events=tuple(event.i for event in (*tries, *(() if answer is None else (answer,)))),
    )


def _ends(event: SegmentEvent, original: SegmentEvent) -> bool:
    """Is there nothing more to repeat after `event`?"""
    reset = event.sender == original.receiver and event.segment.has(Flags.RST)
    return reset or acknowledges(event, original)


def _repeated(conversation: Conversation, group: list[Repetition]) -> Text:
    original = group[0].original
    seq, _ack = relative(original, isns(conversation.timeline))
    waits_ns = _waits_ns(group)
    if len(group) == 1:
        return Text(
            "The {host} got no answer to its {flags} seq {seq} and sent it again after {wait} s.",
            host=end(original.sender),
            flags=original.segment.flags.written,
            seq=seq,
            wait=seconds(waits_ns[0]),
        )
    return Text(
        "The {host} got no answer to its {flags} seq {seq} and sent it again {count} times, after "
        "{waits} s{back_off}.",
        host=end(original.sender),
        flags=original.segment.flags.written,
        seq=seq,
        count=len(group),
        waits=", ".join(map(seconds, waits_ns)),
        back_off=_back_off(group),
    )


def _outcome(answer: SegmentEvent | None) -> Text:
    if answer is None:
        return Text("It was never acknowledged.")
    if answer.segment.has(Flags.RST):
        return Text("Then the {peer} answered with RST.", peer=end(answer.sender))
    return Text("Then the {peer} acknowledged it.", peer=end(answer.sender))
