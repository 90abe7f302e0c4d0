"""One forged segment, and what was known when it arrived."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from tcplab.analysis.conversation import Conversation
from tcplab.tcp.flags import Flags
from tcplab.tcp.options import Sack, WindowScale
from tcplab.tcp.sequence import Seq
from tcplab.tcp.states import State
from tcplab.text import Text
from tcplab.timeline.events import Fate, Lane, ReasonEvent, SegmentEvent
from tcplab.timeline.timeline import lane

OPEN = frozenset(
    {
        State.SYN_RECEIVED,
        State.ESTABLISHED,
        State.FIN_WAIT_1,
        State.FIN_WAIT_2,
        State.CLOSE_WAIT,
        State.CLOSING,
        State.LAST_ACK,
        State.TIME_WAIT,
    }
)
"""The states in which an end expects a next number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forged:
    """A segment that was put on the wire in the name of the `bearer`, and met the `victim`.

    `lane` are the victim's states around it. `last` is the last ACK that the victim had sent by
    then, so `expected`, the number there, was the next one that it waited for; it would take
    `wnd_octets` from there on (None where its window is not known). `answer` is the ACK that the
    segment provoked. `drop` is the kernel's own word for why it threw it away (root, --trace).
    """

    event: SegmentEvent
    bearer: str
    lane: Lane
    last: SegmentEvent | None
    wnd_octets: int | None
    answer: SegmentEvent | None
    drop: ReasonEvent | None

    @property
    def victim(self) -> str:
        """The host that it was sent to."""
        return self.event.receiver

    @property
    def expected(self) -> Seq | None:
        """rcv_nxt of the victim; None where it had acknowledged nothing."""
        return None if self.last is None else self.last.segment.ack

    @property
    def exact(self) -> bool:
        """Did it name that very number?"""
        return self.event.segment.seq == self.expected

    @property
    def in_window(self) -> bool | None:
        """Did it begin in the window? None where that is not known."""
        if self.expected is None or self.wnd_octets is None:
            return None
        return self.event.segment.seq.within(self.expected, self.wnd_octets)

    @property
    def without_effect(self) -> bool:
        """Was the victim open, and in the same state after it?"""
        return self.lane.before in OPEN and self.lane.before is self.lane.after

    @property
    def sacked_octets(self) -> int:
        """How far the highest block that the victim had acknowledged selectively reaches beyond
        `expected`; 0 without one.
        """
        if self.last is None:
            return 0
        options = (each for each in self.last.segment.options if isinstance(each, Sack))
        edges = (right for each in options for _left, right in each.blocks)
        return max((edge - self.last.segment.ack for edge in edges), default=0)


def forged(conversation: Conversation, which: Callable[[SegmentEvent], bool]) -> Iterator[Forged]:
    """Those of them that `which` accepts, and whose arrival was looked at."""
    for event in conversation.segments:
        if event.fate is not Fate.INJECTED or not which(event):
            continue
        found, bearer = lane(event, event.receiver), bearer_of(conversation, event)
        if found is None or bearer is None:
            continue
        last = _last(conversation, event)
        yield Forged(
            event=event,
            bearer=bearer,
            lane=found,
            last=last,
            wnd_octets=None if last is None else _window(conversation, last),
            answer=_answer(conversation, event),
            drop=drop_of(conversation, event),
        )


def bearer_of(conversation: Conversation, event: SegmentEvent) -> str | None:
    """The host in whose name it was sent."""
    others = [each for each in conversation.timeline.hosts if each.name != event.receiver]
    return next((each.name for each in others if each.ip == event.segment.src.ip), None)


def third_party(conversation: Conversation, event: SegmentEvent) -> bool:
    """Did another host than the bearer send it?"""
    return event.fate is Fate.INJECTED and event.sender not in {
        host.name for host in conversation.timeline.hosts
    }


def acknowledges(event: SegmentEvent) -> bool:
    """Does it tell its sender's rcv_nxt?"""
    return event.segment.has(Flags.ACK) and not event.segment.has(Flags.RST)


def drop_of(conversation: Conversation, event: SegmentEvent) -> ReasonEvent | None:
    """The kernel's own word for why its receiver threw the segment away (root, --trace)."""
    for later in conversation.timeline.events:
        if isinstance(later, ReasonEvent) and (later.cause, later.kind) == (event.i, "drop"):
            return later if later.host == event.receiver else None
    return None


def with_word(sentence: Text, forgeries: list[Forged]) -> Text:
    """The sentence, and the kernel's own word for why it dropped them, where that was traced."""
    return with_words(sentence, [each.drop for each in forgeries])


def with_words(sentence: Text, drops: Iterable[ReasonEvent | None]) -> Text:
    """The same for any segments: those that the end of the sentence says were dropped."""
    words = sorted({drop.word for drop in drops if drop is not None})
    if not words:
        return sentence
    return Text(
        "{told} The kernel's own word for it: {word}.", told=sentence, word=", ".join(words)
    )


def proof(forgeries: list[Forged], *more: int) -> tuple[int, ...]:
    """The indices of these segments, of what they were answered with, and `more`."""
    indices = {each.event.i for each in forgeries} | set(more)
    for each in forgeries:
        indices |= {part.i for part in (each.answer, each.drop) if part is not None}
    return tuple(sorted(indices))


def _last(conversation: Conversation, event: SegmentEvent) -> SegmentEvent | None:
    for earlier in reversed(conversation.segments):
        if earlier.i < event.i and earlier.sender == event.receiver and acknowledges(earlier):
            return earlier
    return None


def _answer(conversation: Conversation, event: SegmentEvent) -> SegmentEvent | None:
    for later in conversation.segments:
        if later.cause == event.i and later.sender == event.receiver and acknowledges(later):
            return later
    return None


def _window(conversation: Conversation, last: SegmentEvent) -> int | None:
    """What the victim had announced there; None where its SYN, and so its scale, was not seen."""
    if last.segment.has(Flags.SYN):
        return last.segment.wnd_octets  # never scaled (RFC 7323 §2.2)
    shifts: dict[str, int | None] = {}
    for event in conversation.segments:
        if event.segment.has(Flags.SYN) and event.fate is not Fate.INJECTED:
            scales = [each for each in event.segment.options if isinstance(each, WindowScale)]
            shifts[event.sender] = scales[0].effective if scales else None
    if last.sender not in shifts:
        return None
    both = None not in shifts.values()
    return last.segment.wnd_octets << ((shifts[last.sender] or 0) if both else 0)
