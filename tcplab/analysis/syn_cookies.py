"""The SYN cookie: a server that keeps nothing of a SYN, and writes into its ISN what it needs.

Linux makes it from the 4-tuple, the minute and two secrets (net/ipv4/syncookies.c,
secure_tcp_syn_cookie):

    ISN = H1(4-tuple) + client's ISN + minute * 2^24 + (H2(4-tuple, minute) + index of MSS) % 2^24

Without the secrets nobody can read one cookie. Two of them with the same 4-tuple and in the same
minute differ only in what is added to the hashes, so that their difference can be read.
"""

from collections.abc import Iterator, Sequence

from tcplab.analysis.conversation import Conversation
from tcplab.analysis.cookie_options import kept_options
from tcplab.analysis.finding import Finding, Verdict
from tcplab.analysis.wording import end, told
from tcplab.tcp.flags import Flags
from tcplab.tcp.options import MaximumSegmentSize
from tcplab.tcp.states import State
from tcplab.text import Text
from tcplab.timeline.events import SegmentEvent
from tcplab.timeline.timeline import lane

MSS = {4: (536, 1300, 1440, 1460), 6: (1220, 1420, 1440, 8940)}
"""The sizes that a cookie can hold, by version of IP: msstab of net/ipv4 and net/ipv6."""
_NO_MSS = {4: 536, 6: 1220}
_MINUTE_BITS = 24
_RIGHT, _ALL = 8, 2**32
"""So many ACK numbers are right at any moment, of so many: two minutes (MAX_SYNCOOKIE_AGE), four
sizes.
"""

Asked = tuple[SegmentEvent, SegmentEvent]
"""A SYN, and the SYN, ACK whose number is a cookie."""


def findings(conversation: Conversation) -> Iterator[Finding]:
    """Nothing where the server kept something of every SYN that it answered."""
    asked = _asked(conversation)
    if not asked:
        return
    yield _nothing_kept(conversation, asked)
    yield from _compared(asked)
    yield from _forged(conversation, asked)
    for syn, answer in asked:
        if (third := _third(conversation, answer)) is not None:
            yield _established(syn, answer, third)
            yield from kept_options(conversation, syn, answer, third)


def _asked(conversation: Conversation) -> list[Asked]:
    """Each SYN that was answered by an end which was seen to stay in LISTEN."""
    found = []
    for answer in conversation.segments:
        if answer.segment.flags & (Flags.SYN | Flags.ACK) != Flags.SYN | Flags.ACK:
            continue
        syn = next((each for each in conversation.segments if each.i == answer.cause), None)
        if syn is not None and syn.segment.has(Flags.SYN) and _stayed(syn, answer.sender):
            found.append((syn, answer))
    return found


def _stayed(event: SegmentEvent, host: str) -> bool:
    """Was that host in LISTEN before the segment and after it, as its kernel says?"""
    found = lane(event, host)
    return (
        found is not None and found.source.observed and found.before is State.LISTEN is found.after
    )


def _third(conversation: Conversation, answer: SegmentEvent) -> SegmentEvent | None:
    """The ACK of that cookie which made the connection."""
    for event in conversation.segments:
        found = lane(event, answer.sender)
        if found is None or (found.before, found.after) != (State.LISTEN, State.ESTABLISHED):
            continue
        if event.i > answer.i and event.segment.ack == answer.segment.seq + 1:
            return event
    return None


def _nothing_kept(conversation: Conversation, asked: Sequence[Asked]) -> Finding:
    _syn, answer = asked[0]
    parts = [
        Text(
            "SYN cookie: the {host} answered the SYN and kept nothing of it. It has no request "
            "socket, only its listener (LISTEN, observed); all that it will need is in its ISN "
            "{isn}.",
            host=end(answer.sender),
            isn=int(answer.segment.seq),
        )
    ]
    events = [event.i for pair in asked for event in pair]
    counted = conversation.counted(answer.sender, "TcpExtSyncookiesSent")
    if counted is not None:
        parts.append(Text("SyncookiesSent counted {count} in all.", count=counted.delta))
        events.append(counted.i)
    return Finding(
        id="cookie.no-socket", verdict=Verdict.YES, sentence=told(parts), events=tuple(events)
    )


# --- what two cookies tell ----------------------------------------------------------------------


def _compared(asked: Sequence[Asked]) -> Iterator[Finding]:
    """Each further cookie beside the first one of the same 4-tuple."""
    if not asked:
        return
    first = asked[0]
    for other in asked[1:]:
        verdict, ident, sentence = _difference(first, other)
        events = tuple(sorted({event.i for event in (*first, *other)}))
        yield Finding(id=ident, verdict=verdict, sentence=sentence, events=events)


def _difference(first: Asked, other: Asked) -> tuple[Verdict, str, Text]:
    isn = other[0].segment.seq - first[0].segment.seq
    size = _index(other[0]) - _index(first[0])
    found = other[1].segment.seq - first[1].segment.seq
    ident = "cookie.isn" if isn else "cookie.mss" if size else "cookie.same"
    # The 24 bits of the hash may wrap: then one of the minute's bits is missing.
    if found - isn not in (size, size - 2**_MINUTE_BITS, size + 2**_MINUTE_BITS):
        return (
            Verdict.INCONCLUSIVE,
            ident,
            Text(
                "These two cookies cannot be compared: the kernel's minute changed between them, "
                "and with it the hash."
            ),
        )
    return Verdict.YES, ident, _told_by(first, other, isn=isn, size=size)


def _told_by(first: Asked, other: Asked, *, isn: int, size: int) -> Text:
    if isn:
        return Text(
            "The client's ISN was {further} higher, and so is the cookie: the server adds it, and "
            "takes it off again when the ACK brings it back as seq - 1.",
            further=isn,
        )
    if size:
        return Text(
            "With an MSS of {mss} in place of {before} the cookie differs by {difference}: it "
            "holds which of {sizes} comes nearest from below, number {number} in place of {was}.",
            mss=_mss(other[0]),
            before=_mss(first[0]),
            difference=size,
            sizes=", ".join(map(str, MSS[_version(first[0])])),
            number=_index(other[0]),
            was=_index(first[0]),
        )
    return Text(
        "The same SYN again got the same ISN again ({isn}): there is nothing random in a cookie. "
        "It is a keyed hash of both addresses, both ports and the minute; without the key nobody "
        "can tell it from a random number.",
        isn=int(first[1].segment.seq),
    )


def _mss(syn: SegmentEvent) -> int:
    """What the SYN says; without the option what stands for it (RFC 9293 §3.7.1)."""
    for option in syn.segment.options:
        if isinstance(option, MaximumSegmentSize):
            return option.octets
    return _NO_MSS[_version(syn)]


def _index(syn: SegmentEvent) -> int:
    """Which of the sizes a cookie holds for it: the highest that is not above."""
    sizes = MSS[_version(syn)]
    return max((n for n, size in enumerate(sizes) if size <= _mss(syn)), default=0)


def _version(event: SegmentEvent) -> int:
    return 6 if ":" in event.segment.src.ip else 4


# --- ACKs ---------------------------------------------------------------------------------------


def _established(syn: SegmentEvent, answer: SegmentEvent, third: SegmentEvent) -> Finding:
    return Finding(
        id="cookie.established",
        verdict=Verdict.YES,
        sentence=Text(
            "The ACK made the connection out of nothing: LISTEN → ESTABLISHED (observed), without "
            "SYN-RECEIVED. Its number is the cookie + 1 ({ack}), so the {host} itself must have "
            "sent that SYN, ACK, at most two minutes ago.",
            ack=int(third.segment.ack),
            host=end(answer.sender),
        ),
        events=(syn.i, answer.i, third.i),
    )


def _forged(conversation: Conversation, asked: Sequence[Asked]) -> Iterator[Finding]:
    """ACKs of numbers that are no cookies."""
    host = asked[0][1].sender
    failed = conversation.counted(host, "TcpExtSyncookiesFailed")
    cookies = {answer.segment.seq + 1 for _syn, answer in asked}
    for event in conversation.segments:
        plain = event.segment.flags & (Flags.SYN | Flags.ACK | Flags.RST) == Flags.ACK
        if event.sender == host or not plain or event.segment.ack in cookies:
            continue
        reset = _reset(conversation, event)
        if failed is None or reset is None or not _stayed(event, host):
            continue
        yield Finding(
            id="cookie.forged",
            verdict=Verdict.YES,
            sentence=Text(
                "The forged ACK of {ack} made nothing: the {host} computed the cookie again, found "
                "another one, and answered with RST (SyncookiesFailed + {count}). Of {all} "
                "numbers {right} are right at a time, for two minutes and four sizes: one guess in "
                "{odds}.",
                ack=int(event.segment.ack),
                host=end(host),
                count=failed.delta,
                all="2^32",
                right=_RIGHT,
                odds=f"{_ALL // _RIGHT:,}",
            ),
            events=(event.i, reset.i, failed.i),
        )


def _reset(conversation: Conversation, event: SegmentEvent) -> SegmentEvent | None:
    for later in conversation.segments:
        if later.cause == event.i and later.segment.has(Flags.RST):
            return later
    return None
