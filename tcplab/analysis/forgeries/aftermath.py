"""After forged data or a forged FIN was taken in, the two ends count differently.

The victim acknowledges what its peer has never sent. The peer drops such an ACK and answers it with
one of its own (RFC 9293 §3.10.7.4), which to the victim is old, so it answers in turn: an ACK storm
(Joncheray, 1995), were it not for Linux's tcp_invalid_ratelimit.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tcplab.analysis.conversation import Conversation
from tcplab.analysis.finding import Finding, Verdict
from tcplab.analysis.forgeries.forged import Forged, acknowledges, drop_of, with_words
from tcplab.analysis.forgeries.stream import takers
from tcplab.analysis.wording import end
from tcplab.tcp.flags import Flags
from tcplab.tcp.sequence import Seq
from tcplab.tcp.states import State
from tcplab.text import Text
from tcplab.timeline.events import Fate, ReasonEvent, SegmentEvent
from tcplab.timeline.timeline import lane


def findings(conversation: Conversation) -> Iterator[Finding]:
    """For the first that was taken in: the disagreement, and what became of what the peer said."""
    for each in takers(conversation):
        senseless = _senseless(conversation, each)
        if senseless:
            yield _disagreement(conversation, each, senseless)
            if (what := _overlaid(conversation, each)) is not None:
                yield _duplicates(what)
            yield from _contradicted(conversation, each)
            return


def _own(conversation: Conversation, each: Forged) -> list[SegmentEvent]:
    """What the bearer itself sent."""
    return [
        event
        for event in conversation.segments
        if event.sender == each.bearer and event.fate is not Fate.INJECTED
    ]


def _snd_nxt(conversation: Conversation, each: Forged, before: SegmentEvent) -> Seq | None:
    """The next number of the bearer at that moment."""
    highest: Seq | None = None
    for event in _own(conversation, each):
        reached = event.segment.next_seq
        if event.i < before.i and not event.segment.has(Flags.RST):
            highest = reached if highest is None or reached > highest else highest
    return highest


def _senseless(conversation: Conversation, each: Forged) -> list[tuple[SegmentEvent, Seq]]:
    """The victim's segments that acknowledge what the bearer has not sent, with its next number."""
    found: list[tuple[SegmentEvent, Seq]] = []
    for event in conversation.segments:
        if event.i <= each.event.i or event.sender != each.victim or not acknowledges(event):
            continue
        nxt = _snd_nxt(conversation, each, event)
        if nxt is not None and event.segment.ack > nxt:
            found.append((event, nxt))
    return found


def _disagreement(
    conversation: Conversation, each: Forged, senseless: list[tuple[SegmentEvent, Seq]]
) -> Finding:
    first, nxt = senseless[0]
    indices = {event.i for event, _nxt in senseless}
    answers = [
        event
        for event in conversation.segments
        if event.cause in indices and event.sender == each.bearer and acknowledges(event)
    ]
    drops = _drops(conversation, [event for event, _nxt in senseless])
    told = with_words(
        Text(
            "The two ends no longer agree: the {host} acknowledges {ack}, but the {bearer}'s next "
            "number is {nxt} (segments that say so: {count}). The {bearer} drops them.",
            host=end(each.victim),
            bearer=end(each.bearer),
            ack=int(first.segment.ack),
            nxt=int(nxt),
            count=len(senseless),
        ),
        drops,
    )
    skipped = conversation.counted(each.bearer, "TcpExtTCPACKSkippedChallenge")
    if answers and skipped is not None:
        told = Text(
            "{told} Answered: {answers}, answers kept back: {skipped} (TCPACKSkippedChallenge). "
            "Without tcp_invalid_ratelimit each answer would call forth the next, an ACK storm.",
            told=told,
            answers=len(answers),
            skipped=skipped.delta,
        )
    more = [answer.i for answer in answers]
    if skipped is not None:
        more.append(skipped.i)
    return Finding(
        id="forged.desynchronised",
        verdict=Verdict.YES,
        sentence=told,
        events=tuple(sorted({*indices, *more, *(drop.i for drop in drops)})),
    )


def _drops(conversation: Conversation, events: list[SegmentEvent]) -> list[ReasonEvent]:
    found = (drop_of(conversation, event) for event in events)
    return [each for each in found if each is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlaid:
    """Of `sent` octets that the bearer itself sent, so many had numbers that the victim had had.
    `events` are the segments with them, and what answered these; `drops` the kernel's own words
    for why it threw those away that had no other numbers.
    """

    bearer: str
    victim: str
    sent: int
    lost: int
    events: tuple[int, ...]
    drops: tuple[ReasonEvent, ...]


def overlaid(conversation: Conversation) -> Overlaid | None:
    """What of the bearer's data never counted since forged octets had its numbers; None if all
    did.
    """
    for each in takers(conversation):
        if _senseless(conversation, each):
            return _overlaid(conversation, each)
    return None


def _overlaid(conversation: Conversation, each: Forged) -> Overlaid | None:
    sent = lost = 0
    proof: list[int] = []
    old: list[SegmentEvent] = []
    for event in _own(conversation, each):
        if event.i < each.event.i or not event.segment.data_octets:
            continue
        known = _rcv_nxt(conversation, each, event)
        found = lane(event, each.victim)
        if known is None or found is None or found.after is State.CLOSED:
            continue
        overlap = min(max(known - event.segment.seq, 0), event.segment.data_octets)
        if overlap:
            sent += event.segment.data_octets
            lost += overlap
            proof.append(event.i)
            if overlap == event.segment.data_octets:
                old.append(event)
            proof += [a.i for a in conversation.segments if a.cause == event.i]
    if not lost:
        return None
    drops = _drops(conversation, old)
    return Overlaid(
        bearer=each.bearer,
        victim=each.victim,
        sent=sent,
        lost=lost,
        events=tuple(sorted({*proof, *(each.i for each in drops)})),
        drops=tuple(drops),
    )


def _duplicates(what: Overlaid) -> Finding:
    return Finding(
        id="data.overlaid",
        verdict=Verdict.YES,
        sentence=with_words(
            Text(
                "What the {bearer} itself then said counts as duplicates, as far as its numbers "
                "were taken by what was forged: {lost} of {sent} octets never reached the program "
                "at the {host}, although their numbers are acknowledged.",
                bearer=end(what.bearer),
                host=end(what.victim),
                lost=what.lost,
                sent=what.sent,
            ),
            what.drops,
        ),
        events=what.events,
    )


def _rcv_nxt(conversation: Conversation, each: Forged, at: SegmentEvent) -> Seq | None:
    """What the victim had acknowledged by then."""
    acks = [
        event.segment.ack
        for event in conversation.segments
        if event.i < at.i and event.sender == each.victim and acknowledges(event)
    ]
    return acks[-1] if acks else None


def _contradicted(conversation: Conversation, each: Forged) -> Iterator[Finding]:
    """Data after a FIN."""
    if not each.event.segment.has(Flags.FIN):
        return
    for event in _own(conversation, each):
        found = lane(event, each.victim)
        if event.i < each.event.i or found is None or not event.segment.data_octets:
            continue
        if found.before is State.CLOSE_WAIT and found.after is State.CLOSED:
            resets = [
                later.i
                for later in conversation.segments
                if later.cause == event.i and later.segment.has(Flags.RST)
            ]
            counter = conversation.counted(each.victim, "TcpExtTCPAbortOnData")
            yield Finding(
                id="fin.contradicted",
                verdict=Verdict.YES,
                sentence=Text(
                    "Then the {bearer} itself went on to speak. To the {host}, which has its FIN, "
                    "data after that cannot be: it reset the connection (TCPAbortOnData), and so "
                    "the forged FIN ended it for both.",
                    bearer=end(each.bearer),
                    host=end(each.victim),
                ),
                events=(event.i, *resets, *(() if counter is None else (counter.i,))),
            )
            return
