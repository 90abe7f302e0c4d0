"""Sequence numbers as people read them: counted from each sender's own initial sequence number.

Relative numbers make two runs comparable, since real initial sequence numbers are random
(RFC 9293 §3.4.1). Wireshark counts in the same way.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from tcplab.tcp.flags import Flags
from tcplab.tcp.sequence import Seq
from tcplab.timeline.events import Fate, SegmentEvent
from tcplab.timeline.timeline import Timeline


def isns(timeline: Timeline) -> dict[tuple[str, str], Seq]:
    """Where each sender of each connection begins to count, keyed by (connection, sender).

    That is the sequence number of its first SYN; where none was seen, of its first segment; and
    where only its peer was heard, the first number that the peer acknowledged. What was injected
    says nothing about an end's numbers, unless nothing else of that end was seen, or only resets
    and the injected SYN that led to them, whoever sent that in its name.
    """
    own = [event for event in timeline.segments() if event.fate is not Fate.INJECTED]
    ends = {(event.conn, name) for event in own for name in (event.sender, event.receiver)}
    conns = {conn for conn, _name in ends}
    injected = [event for event in timeline.segments() if event.fate is Fate.INJECTED]
    forged = [
        event for event in injected if (event.conn, event.sender) in ends or event.conn not in conns
    ]
    heard = {(event.conn, event.sender) for event in own}
    said = {key: origin for key, origin in _origins(forged).items() if key not in heard}
    spoke = {(event.conn, event.sender) for event in own if not event.segment.has(Flags.RST)}
    names = [host.name for host in timeline.hosts]
    opened = {
        key: event.segment.seq
        for event in reversed(injected)
        if event.segment.has(Flags.SYN) and (key := _bearer(event, names)) not in spoke
    }
    return said | _origins(own) | opened


def _bearer(event: SegmentEvent, hosts: Sequence[str]) -> tuple[str, str]:
    """The connection, and the end as which the segment was sent: its sender, unless that is no end,
    but an attacker in the other one's name.
    """
    others = [name for name in hosts if name != event.receiver]
    if event.sender in hosts or len(hosts) != 2 or len(others) != 1:
        return event.conn, event.sender
    return event.conn, others[0]


def _origins(segments: Iterable[SegmentEvent]) -> dict[tuple[str, str], Seq]:
    syns: dict[tuple[str, str], Seq] = {}
    firsts: dict[tuple[str, str], Seq] = {}
    acked: dict[tuple[str, str], Seq] = {}
    for event in segments:
        segment, key = event.segment, (event.conn, event.sender)
        if segment.has(Flags.SYN):
            syns.setdefault(key, segment.seq)
        # A reset in answer to a segment without an ACK has the sequence number 0, which says
        # nothing about its sender's numbers (RFC 9293 §3.10.7.1).
        if not segment.has(Flags.RST):
            firsts.setdefault(key, segment.seq)
        if segment.has(Flags.ACK):
            acked.setdefault((event.conn, event.receiver), segment.ack)
    heard = firsts | syns
    both = {conn for conn, count in Counter(conn for conn, _name in heard).items() if count > 1}
    return {key: origin for key, origin in acked.items() if key[0] not in both} | heard


def relative(event: SegmentEvent, origins: Mapping[tuple[str, str], Seq]) -> tuple[int, int | None]:
    """The segment's (sequence number, acknowledgment number or None without ACK), both relative.

    `origins` comes from `isns`. A number that lies just before its origin, as that of a keep-alive
    probe does, is negative. Who is no end of the connection, a middlebox or an attacker, speaks in
    the numbers of the end that the segment pretends to be from. Where no origin is known there were
    only resets: they stay absolute.
    """
    segment = event.segment
    mine = origins.get((event.conn, event.sender))
    if mine is None:
        mine = _other_end(event.conn, event.receiver, origins)
    seq = int(segment.seq) if mine is None else _from(segment.seq, mine)
    if not segment.has(Flags.ACK):
        return seq, None
    theirs = origins.get((event.conn, event.receiver))
    if theirs is None:
        theirs = _other_end(event.conn, event.sender, origins)
    return seq, int(segment.ack) if theirs is None else _from(segment.ack, theirs)


def _other_end(conn: str, end: str, origins: Mapping[tuple[str, str], Seq]) -> Seq | None:
    """The origin of the other end than this one, for whoever stands in its place."""
    ends = {name: origin for (each, name), origin in origins.items() if each == conn}
    if len(ends) != 2 or end not in ends:
        return None
    return next(origin for name, origin in ends.items() if name != end)


def _from(number: Seq, origin: Seq) -> int:
    """Signed near the origin, unsigned far behind it: a long download passes 2^31 octets."""
    way = number - origin
    return way if -_NEAR < way < 0 else number.since(origin)


_NEAR = 1 << 20
