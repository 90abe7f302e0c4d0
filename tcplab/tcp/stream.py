"""One direction of a connection as its octets, put in order from the segments that carried them."""

from dataclasses import dataclass

from tcplab.tcp.flags import Flags
from tcplab.tcp.segment import Segment
from tcplab.tcp.sequence import Seq

LIMIT_OCTETS = 1 << 16
"""How much of one direction a bystander keeps, unless he says otherwise."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The octets `begin` … `end` of a stream came with the segment that somebody calls `tag`."""

    begin: int
    end: int
    tag: int


class Stream:
    """What one end has said, as far as no octet is missing, and at most `limit_octets` of it.

    It begins behind the SYN, or, where none was seen, with the first octets that were. What comes
    early waits until the gap before it is filled; of octets that come twice the first ones count,
    as with Linux (net/ipv4/tcp_input.c, tcp_data_queue).
    """

    def __init__(self, limit_octets: int = LIMIT_OCTETS) -> None:
        self._limit_octets = limit_octets
        self._next: Seq | None = None
        self._octets = bytearray()
        self._pieces: list[Piece] = []
        self._early: list[tuple[Seq, bytes, int]] = []

    @property
    def octets(self) -> bytes:
        """All of it."""
        return bytes(self._octets)

    def sources(self, begin: int, end: int) -> tuple[int, ...]:
        """The tags of the segments that brought the octets from `begin` up to, not with, `end`."""
        return tuple(piece.tag for piece in self._pieces if piece.begin < end and piece.end > begin)

    def take(self, segment: Segment, tag: int = 0) -> None:
        """That end has sent `segment`."""
        seq = segment.seq
        if segment.has(Flags.SYN):
            seq += 1
            self._next = seq if self._next is None else self._next
        if not segment.payload:
            return
        if self._next is None:
            self._next = seq
        waiting_octets = sum(len(payload) for _, payload, _ in self._early)
        if seq > self._next and waiting_octets + len(segment.payload) > self._limit_octets:
            return
        self._early.append((seq, segment.payload, tag))
        while (fitting := self._fitting(self._next)) is not None:
            seq, octets, tag_of_these = self._early.pop(fitting)
            self._next = self._append(octets, seq, self._next, tag_of_these)

    def _fitting(self, expected: Seq) -> int | None:
        """The first of those that wait that has come, or would only say again what has."""
        return next((at for at, (seq, _, _) in enumerate(self._early) if seq <= expected), None)

    def _append(self, octets: bytes, seq: Seq, expected: Seq, tag: int) -> Seq:
        """Keep what is new of them; what is expected then."""
        new = octets[expected - seq :]
        kept = new[: self._limit_octets - len(self._octets)]
        if kept:
            begin = len(self._octets)
            self._octets += kept
            self._pieces.append(Piece(begin, begin + len(kept), tag))
        return expected + len(new)
