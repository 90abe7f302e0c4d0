"""Sequence numbers as people read them: counted from each sender's own initial sequence number.

Relative numbers make two runs comparable, since real initial sequence numbers are random
(RFC 9293 §3.4.1). Wireshark counts in the same way.
"""

from collections.abc import Mapping

from tcplab.tcp.flags import Flags
from tcplab.tcp.sequence import Seq
from tcplab.timeline.events import SegmentEvent
from tcplab.timeline.timeline import Timeline


def isns(timeline: Timeline) -> dict[tuple[str, str], Seq]:
    """Where each sender of each connection begins to count, keyed by (connection, sender).

    That is the sequence number of its first SYN; where none was seen, of its first segment; and
    where only its peer was heard, the first number that the peer acknowledged.
    """
    syns: dict[tuple[str, str], Seq] = {}
    firsts: dict[tuple[str, str], Seq] = {}
    acked: dict[tuple[str, str], Seq] = {}
    for event in timeline.segments():
        segment, key = event.segment, (event.conn, event.sender)
        if segment.has(Flags.SYN):
            syns.setdefault(key, segment.seq)
        # A reset in answer to a segment without an ACK has the sequence number 0, which says
        # nothing about its sender's numbers (RFC 9293 §3.10.7.1).
        if not segment.has(Flags.RST):
            firsts.setdefault(key, segment.seq)
        if segment.has(Flags.ACK):
            acked.setdefault((event.conn, event.receiver), segment.ack)
    return acked | firsts | syns


def relative(event: SegmentEvent, origins: Mapping[tuple[str, str], Seq]) -> tuple[int, int | None]:
    """The segment's (sequence number, acknowledgment number or None without ACK), both relative.

    `origins` comes from `isns`. A number that lies just before its origin, as that of a keep-alive
    probe does, is negative. A sender without an origin has sent only resets: they stay absolute.
    """
    segment = event.segment
    mine = origins.get((event.conn, event.sender))
    seq = int(segment.seq) if mine is None else _from(segment.seq, mine)
    if not segment.has(Flags.ACK):
        return seq, None
    theirs = origins.get((event.conn, event.receiver))
    return seq, int(segment.ack) if theirs is None else _from(segment.ack, theirs)


def _from(number: Seq, origin: Seq) -> int:
    """Signed near the origin, unsigned far behind it: a long download passes 2^31 octets."""
    way = number - origin
    return way if -_NEAR < way < 0 else number.since(origin)


_NEAR = 1 << 20
