"""The roles that segments play in a connection: which opened it, closed it, or only came again.

Roles follow from what the segments say, never from what a scenario meant them to be.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tcplab.analysis.repeats import Repeats
from tcplab.tcp.flags import Flags
from tcplab.timeline.events import Fate, SegmentEvent

_LOST = frozenset({Fate.DROPPED, Fate.HELD, Fate.CORRUPTED})


def arrived(event: SegmentEvent) -> bool:
    """Did the segment reach its receiver as it was sent, as far as anybody can tell?

    A wrong checksum tells that it did not: nobody takes such a segment in (RFC 9293 §3.1).
    """
    return event.fate not in _LOST and not damaged(event)


def damaged(event: SegmentEvent) -> bool:
    """Does its checksum show that it was changed on the way, or never was right?"""
    return event.segment.checksum_ok is False


def acknowledges(event: SegmentEvent, of: SegmentEvent) -> bool:
    """Does `event` tell the sender of `of` that all of it has come?"""
    segment = event.segment
    return (
        event.i > of.i
        and event.sender == of.receiver
        and segment.has(Flags.ACK)
        and not segment.has(Flags.RST)
        and segment.ack >= of.segment.next_seq
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How it began. `syns` are all SYNs of the `opener`; `syn` is the one that was answered, or the
    first if none was. `answer` is the peer's SYN, ACK and `third` the opener's first ACK after it.
    `crossing` is the peer's own SYN without ACK: a simultaneous open; `agreed` is then the peer's
    first ACK of the opener's SYN.
    """

    opener: str
    peer: str
    syns: tuple[SegmentEvent, ...]
    syn: SegmentEvent
    crossing: SegmentEvent | None
    answer: SegmentEvent | None
    third: SegmentEvent | None
    agreed: SegmentEvent | None = None

    @property
    def begun(self) -> bool:
        """Did the other end agree to open, too?"""
        return self.answer is not None or self.crossing is not None

    @property
    def completed(self) -> bool:
        """Did whoever had to agree last do so?"""
        return self.third is not None or self.agreed is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """The FINs in the order in which they were sent, and the first segment to acknowledge each."""

    first: SegmentEvent
    first_ack: SegmentEvent | None
    second: SegmentEvent | None
    second_ack: SegmentEvent | None

    @property
    def complete(self) -> bool:
        """Is each direction closed and acknowledged?"""
        return None not in (self.first_ack, self.second, self.second_ack)

    @property
    def merged(self) -> bool:
        """Is the second FIN the segment that acknowledges the first one?"""
        return self.second is not None and self.first_ack is self.second

    @property
    def crossed(self) -> bool:
        """Did the second end close before it knew of the first FIN?"""
        return self.second is not None and not acknowledges(self.second, self.first)

    @property
    def indices(self) -> tuple[int, ...]:
        """The indices of the segments that closed it, in order."""
        parts = (self.first, self.first_ack, self.second, self.second_ack)
        return tuple(sorted({part.i for part in parts if part is not None}))


def opening(segments: Sequence[SegmentEvent]) -> Opening | None:
    """How the connection of these segments began; None if it had begun before."""
    # With RST beside it a SYN is not looked at (RFC 9293 §3.10.7.3).
    synchronizing = [
        event for event in segments if event.segment.flags & (Flags.SYN | Flags.RST) == Flags.SYN
    ]
    bare = [event for event in synchronizing if not event.segment.has(Flags.ACK)]
    if not bare:
        return None
    opener, peer = bare[0].sender, bare[0].receiver
    syns = [event for event in bare if event.sender == opener]
    answers = [
        event
        for event in synchronizing
        if event.sender == peer and event.segment.has(Flags.ACK) and event.i > bare[0].i
    ]
    answer = _first(answers, lambda event: arrived(event) and _answered(event, syns) is not None)
    crossing = _first([event for event in bare if event.sender == peer], arrived)
    return Opening(
        opener=opener,
        peer=peer,
        syns=tuple(syns),
        syn=(answer and _answered(answer, syns)) or bare[0],
        crossing=crossing,
        answer=answer,
        third=_third(segments, answer),
        agreed=None if crossing is None else _acknowledgment(segments, bare[0]),
    )


def _answered(answer: SegmentEvent, syns: Iterable[SegmentEvent]) -> SegmentEvent | None:
    """The SYN whose number `answer` names; of several copies the first one that arrived."""
    copies = [syn for syn in syns if syn.segment.seq + 1 == answer.segment.ack]
    return _first(copies, arrived)


def _third(segments: Iterable[SegmentEvent], answer: SegmentEvent | None) -> SegmentEvent | None:
    if answer is None:
        return None
    acks = [
        event
        for event in segments
        if event.sender == answer.receiver and event.i > answer.i
        if event.segment.has(Flags.ACK) and not event.segment.flags & (Flags.SYN | Flags.RST)
    ]
    return _first(acks, arrived)


def closing(segments: Sequence[SegmentEvent]) -> Closing | None:
    """How the connection of these segments ended; None if there is no FIN."""
    fins = [event for event in segments if event.segment.has(Flags.FIN)]
    if not fins:
        return None
    first = _first([event for event in fins if event.sender == fins[0].sender], arrived)
    second = _first([event for event in fins if event.sender != fins[0].sender], arrived)
    return Closing(
        first=first or fins[0],
        first_ack=_acknowledgment(segments, first),
        second=second,
        second_ack=_acknowledgment(segments, second),
    )


def _acknowledgment(
    segments: Iterable[SegmentEvent], of: SegmentEvent | None
) -> SegmentEvent | None:
    if of is None:
        return None
    return next((each for each in segments if arrived(each) and acknowledges(each, of)), None)


def _first(
    events: Sequence[SegmentEvent], good: Callable[[SegmentEvent], bool]
) -> SegmentEvent | None:
    """The first good one; where none is good, the first one."""
    return next(filter(good, events), next(iter(events), None))


def again(segments: Iterable[SegmentEvent]) -> frozenset[int]:
    """The indices of the segments that repeat what their sender had sent before."""
    repeats = Repeats()
    return frozenset(event.i for event in segments if repeats.is_one(event))
