"""Segments that were sent again, and what made their sender do so."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, unique
from itertools import islice, pairwise

from tcplab.analysis.conversation import Conversation
from tcplab.analysis.roles import arrived
from tcplab.tcp.flags import Flags
from tcplab.tcp.options import Sack
from tcplab.tcp.sequence import Seq
from tcplab.timeline.events import Fate, SampleEvent, SegmentEvent
from tcplab.timeline.timeline import effect_ns

_ENOUGH = 3
"""So many duplicate ACKs mean that a segment is lost (RFC 5681 §3.2)."""
_NOT_PURE = Flags.SYN | Flags.FIN | Flags.RST


@unique
class Why(Enum):
    """What made a host send a segment again."""

    TIME_OUT = "time-out"
    """Its retransmission timer; also where nothing is known but that it waited."""
    DUPLICATE_ACKS = "duplicate ACKs"
    SACK = "SACK"
    PROBE = "probe"
    """A tail-loss probe (RFC 8985 §7)."""
    SYN = "SYN"
    """Its peer's SYN came again, so it gave the same answer again."""
    RECOVERY = "recovery"
    """A time-out before it: one ACK after the other lets more of what was lost go out again."""

    @property
    def waited(self) -> bool:
        """Did it wait for its time-out?"""
        return self in (Why.TIME_OUT, Why.RECOVERY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repetition:
    """`event` repeats `original`. `acks` are the duplicate ACKs of the number that it begins with,
    as far as they had come by then, and `sample` is what the sender's kernel told of it.
    """

    original: SegmentEvent
    event: SegmentEvent
    why: Why
    acks: tuple[SegmentEvent, ...]
    sample: dict[str, int | str]


def repetitions(conversation: Conversation) -> tuple[Repetition, ...]:
    """All of them, in their order. What the wire copied or injected is none."""
    originals: dict[tuple[str, int, bool], SegmentEvent] = {}
    ends: dict[str, Seq] = {}
    heard = _heard(conversation)
    found = []
    for event in conversation.segments:
        segment = event.segment
        if event.fate in (Fate.DUPLICATED, Fate.INJECTED) or not segment.len_octets:
            continue
        key = event.sender, int(segment.seq), segment.has(Flags.SYN | Flags.ACK)
        if event.i in conversation.again and key in originals:
            acks = _duplicate_acks(event, heard.get(event.sender, []))
            sample = _sample(conversation, event)
            tail = segment.next_seq == ends.get(event.sender)
            why = _why(conversation, event, acks, sample, tail=tail)
            found.append(
                Repetition(original=originals[key], event=event, why=why, acks=acks, sample=sample)
            )
        originals.setdefault(key, event)
        ends[event.sender] = max(ends.get(event.sender, segment.next_seq), segment.next_seq)
    return tuple(found)


def _sample(conversation: Conversation, event: SegmentEvent) -> dict[str, int | str]:
    """What was read from the sender's kernel right afterwards; {} where nobody asked."""
    for each in islice(conversation.timeline.events, event.i + 1, None):
        if isinstance(each, SegmentEvent):
            break
        if isinstance(each, SampleEvent) and each.cause == event.i:
            return dict(each.fields)
    return {}


def _why(
    conversation: Conversation,
    event: SegmentEvent,
    acks: tuple[SegmentEvent, ...],
    sample: dict[str, int | str],
    *,
    tail: bool,
) -> Why:
    timed_out = bool(sample.get("backoff")) or bool(sample.get("retransmits"))
    if event.cause is not None:
        cause = conversation.timeline.events[event.cause]
        if not isinstance(cause, SegmentEvent):
            return Why.TIME_OUT
        if cause.segment.has(Flags.SYN):
            return Why.SYN
        if len(acks) >= _ENOUGH:
            return Why.DUPLICATE_ACKS
        sack = any(isinstance(option, Sack) for option in cause.segment.options)
        return Why.SACK if sack and not timed_out else Why.RECOVERY
    if len(acks) >= _ENOUGH and not sample:  # a capture knows of no causes
        return Why.DUPLICATE_ACKS
    asked = "backoff" in sample and "retransmits" in sample
    return Why.PROBE if asked and not timed_out and tail else Why.TIME_OUT


# --- duplicate ACKs -----------------------------------------------------------------------------


def _heard(conversation: Conversation) -> dict[str, list[SegmentEvent]]:
    """The acknowledgments that each end got, in the order in which they arrived."""
    heard: dict[str, list[SegmentEvent]] = {}
    for event in sorted(conversation.segments, key=lambda event: (effect_ns(event), event.i)):
        if event.segment.has(Flags.ACK) and arrived(event):
            heard.setdefault(event.receiver, []).append(event)
    return heard


def _duplicate_acks(event: SegmentEvent, heard: Sequence[SegmentEvent]) -> tuple[SegmentEvent, ...]:
    """The ACKs of the number with which `event` begins, heard last before it, that said no more
    than the one before them: the same number and window, no data (RFC 5681 §2). Those with SACK may
    have another window (RFC 6675 §2).
    """
    until = bisect_right(heard, event.at_ns, key=effect_ns)
    run: list[SegmentEvent] = []
    while until and heard[until - 1].segment.ack == event.segment.seq:
        until -= 1
        run.insert(0, heard[until])
    return tuple(each for before, each in pairwise(run) if _is_duplicate(before, each))


def _is_duplicate(before: SegmentEvent, each: SegmentEvent) -> bool:
    segment = each.segment
    if segment.data_octets or segment.flags & _NOT_PURE:
        return False
    if any(isinstance(option, Sack) for option in segment.options):
        return True
    same = before.segment.wnd_octets == segment.wnd_octets
    return same and not before.segment.has(Flags.SYN)  # whose window is not scaled
