"""Forged data and FIN: what takes up numbers of the stream, and so can become part of it.

A segment with the next number is the next of the stream, and so is the rest of one that begins
before it; one farther on in the window waits in the out-of-order queue until the gap is filled; one
outside is dropped and answered with an ACK (RFC 9293 §3.10.7.4). That ACK is never rate-limited:
whoever repeats data may need every one of them (net/ipv4/tcp_input.c, `tcp_oow_rate_limited`).
"""

from collections.abc import Iterator

from tcplab.analysis.conversation import Conversation
from tcplab.analysis.finding import Finding, Verdict
from tcplab.analysis.forgeries.forged import (
    Forged,
    acknowledges,
    forged,
    proof,
    third_party,
    with_word,
)
from tcplab.analysis.forgeries.reading import Reading, reading
from tcplab.analysis.wording import end
from tcplab.tcp.flags import Flags
from tcplab.tcp.sequence import Seq
from tcplab.tcp.states import State
from tcplab.text import Text
from tcplab.timeline.events import Fate, SegmentEvent


def findings(conversation: Conversation) -> Iterator[Finding]:
    """One for each that entered the stream, at once or later; one for all that were outside it."""
    outside: list[Forged] = []
    queued: list[Forged] = []
    for each in takers(conversation):
        if each.answer is None or each.expected is None:
            continue
        if each.answer.segment.ack >= each.event.segment.next_seq > each.expected:
            yield _taken(conversation, each, each.expected)
        elif not each.without_effect:
            continue
        elif each.in_window:
            queued.append(each)
        elif each.in_window is False:
            outside.append(each)
    if queued:
        yield _queued(conversation, queued)
    if outside:
        yield _outside(outside)


def takers(conversation: Conversation) -> Iterator[Forged]:
    """The forged segments in the middle of a connection that would take up numbers of it."""
    for each in forged(conversation, lambda event: third_party(conversation, event)):
        segment = each.event.segment
        if not segment.len_octets or segment.flags & (Flags.SYN | Flags.RST):
            continue
        if each.expected is not None and _takes_part(conversation, each.bearer):
            yield each


def _takes_part(conversation: Conversation, host: str) -> bool:
    """Is it the host's own connection? Not if it has only disowned it."""
    return any(
        event.sender == host
        and event.fate is not Fate.INJECTED
        and not event.segment.has(Flags.RST)
        for event in conversation.segments
    )


def _taken(conversation: Conversation, each: Forged, expected: Seq) -> Finding:
    """The very next number was among its own."""
    segment, what = each.event.segment, reading(conversation, each.event)
    words: dict[str, str | int | Text] = {
        "bearer": end(each.bearer),
        "host": end(each.victim),
        "seq": int(expected),
    }
    if segment.seq != expected:
        sentence = Text(
            "The TCP of the {bearer} did not send this. It begins {old} octets before the number "
            "that the {host} expected next ({seq}): those the {host} had already, and took the "
            "rest for the next of the stream.",
            **words,
            old=expected - segment.seq,
        )
        if segment.has(Flags.FIN):
            sentence = Text(
                "{told} That ends with a FIN: {before} → {after}.",
                told=sentence,
                before=str(each.lane.before),
                after=str(each.lane.after),
            )
    elif segment.has(Flags.FIN):
        sentence = Text(
            "The TCP of the {bearer} did not send this FIN, but it has exactly the number that the "
            "{host} expected next ({seq}): {before} → {after}. To the {host} its peer has nothing "
            "more to say.",
            **words,
            before=str(each.lane.before),
            after=str(each.lane.after),
        )
    else:
        sentence = Text(
            "The TCP of the {bearer} did not send these {octets} octets, but they have exactly the "
            "number that the {host} expected next ({seq}), so they are the next of the stream.",
            **words,
            octets=segment.data_octets,
        )
    return Finding(
        id="fin.forged" if segment.has(Flags.FIN) else "data.forged",
        verdict=Verdict.YES,
        sentence=_and_read(sentence, each, what),
        events=proof([each], *(() if what is None else (what.call.i,))),
    )


def _and_read(sentence: Text, each: Forged, what: Reading | None) -> Text:
    """What the victim's program made of it."""
    if what is None:
        return sentence
    host = end(each.victim)
    if what.octets is None and each.event.segment.has(Flags.FIN):
        return Text(
            "{told} But TLS at the {host} misses the close_notify that a session ends with, and "
            "its read() failed with {word}: the program knows that the end was cut off.",
            told=sentence,
            host=host,
            word=what.call.result,
        )
    if what.octets is None:
        return Text(
            "{told} But TLS at the {host} found that no key of the session had made them, and its "
            "read() failed with {word}: the session is dead, the program never saw what was "
            "forged.",
            told=sentence,
            host=host,
            word=what.call.result,
        )
    if what.octets == 0:
        return Text(
            "{told} Its program's read() returned 0: end of file, and no error.", told=sentence
        )
    return Text(
        "{told} The program at the {host} read {octets} octets as its peer's: the session is "
        "hijacked.",
        told=sentence,
        host=host,
        octets=what.octets,
    )


def _queued(conversation: Conversation, several: list[Forged]) -> Finding:
    """It came before its turn."""
    first = several[0]
    segment = first.event.segment
    gap = 0 if first.expected is None else segment.seq - first.expected
    sentence = Text(
        "In the window but {gap} octets too early: the {host} put what was sent in the {bearer}'s "
        "name into its out-of-order queue, and went on asking for {expected}.",
        gap=gap,
        host=end(first.victim),
        bearer=end(first.bearer),
        expected=0 if first.expected is None else int(first.expected),
    )
    filled = _filled(conversation, first)
    more: list[int] = []
    if filled is not None:
        more.append(filled.i)
        sentence = _told_filled(sentence, first, filled)
        what = reading(conversation, filled, more_than=gap)
        if what is not None:
            more.append(what.call.i)
    copies = [each for each in several[1:] if _numbers(each) == _numbers(first)]
    if copies:
        sentence = Text(
            "{told} The copies of it that came after it ({count}) were dropped: all that they "
            "brought was waiting already.",
            told=sentence,
            count=len(copies),
        )
        sentence = with_word(sentence, copies)
    fin = segment.has(Flags.FIN)
    return Finding(
        id="fin.queued" if fin else "data.queued",
        verdict=Verdict.YES,
        sentence=sentence,
        events=proof(several, *more),
    )


def _numbers(each: Forged) -> tuple[Seq, int]:
    """Those that it would take up: the first one, and how many."""
    return each.event.segment.seq, each.event.segment.len_octets


def _told_filled(sentence: Text, first: Forged, filled: SegmentEvent) -> Text:
    segment = first.event.segment
    if segment.has(Flags.FIN):
        return Text(
            "{told} When the true sender had filled the gap, the FIN took effect, and the {host} "
            "was in {state}.",
            told=sentence,
            host=end(first.victim),
            state=str(_state_after(filled, first.victim) or State.CLOSE_WAIT),
        )
    return Text(
        "{told} When the true sender had filled the gap, the {octets} forged octets were read "
        "right behind its own.",
        told=sentence,
        octets=segment.data_octets,
    )


def _state_after(event: SegmentEvent, host: str) -> State | None:
    return next((lane.after for lane in event.lanes if lane.host == host), None)


def _filled(conversation: Conversation, first: Forged) -> SegmentEvent | None:
    """The segment with which the gap before it was filled: the next ACK covers the forged one."""
    for event in conversation.segments:
        if event.i < first.event.i or event.sender != first.victim or not acknowledges(event):
            continue
        if event.segment.ack >= first.event.segment.next_seq and event.cause is not None:
            cause = conversation.timeline.events[event.cause]
            return cause if isinstance(cause, SegmentEvent) else None
    return None


def _outside(several: list[Forged]) -> Finding:
    first = several[0]
    segment = first.event.segment
    fin = segment.has(Flags.FIN)
    words: dict[str, str | int | Text] = {
        "bearer": end(first.bearer),
        "host": end(first.victim),
        "count": len(several),
        "expected": 0 if first.expected is None else int(first.expected),
        "wnd": first.wnd_octets or 0,
        "seq": int(segment.seq),
    }
    if first.expected is not None and segment.seq < first.expected:
        sentence = Text(
            "Segments in the {bearer}'s name outside the window: {count}. The next number that the "
            "{host} expects is {expected}, and {seq} is before it: the {host} had all that long "
            "ago.",
            **words,
        )
    else:
        sentence = Text(
            "Segments in the {bearer}'s name outside the window: {count}. The next number that the "
            "{host} expects is {expected}, its window reaches {wnd} octets from there, and {seq} "
            "is beyond.",
            **words,
        )
    sentence = Text(
        "{told} It dropped them and answered each with an ACK of {expected}: such answers are not "
        "rate-limited, since an honest peer that has lost its place needs them (RFC 9293 "
        "§3.10.7.4).",
        told=sentence,
        expected=words["expected"],
    )
    return Finding(
        id="fin.outside" if fin else "data.outside",
        verdict=Verdict.YES,
        sentence=with_word(sentence, several),
        events=proof(several),
    )
