"""Where things are in an answer, and what its flags prove."""

from collections.abc import Collection
from dataclasses import dataclass

from tcplab.analysis.scanning.census import Proof

FLAGS, ACKNOWLEDGMENT = 13, 8
"""Where these are in a TCP header."""
TCP_OCTETS = 20
_FIN, _SYN, _RST, _ACK = 1, 2, 4, 16
MARK = 255
"""Marks a row in a column of octets, beside the values of `Proof`."""


def marking(octets: Collection[int]) -> bytes:
    """A translation of octets: MARK for these, 0 for others."""
    return bytes(MARK if octet in octets else 0 for octet in range(256))


def verdict(flags: int) -> Proof:
    """What a segment proves by its flags. Every answer to a SYN has ACK (RFC 9293 §3.10.7)."""
    if flags & (_RST | _ACK) == _RST | _ACK:
        return Proof.RST
    if flags & (_SYN | _ACK | _FIN) == _SYN | _ACK and not flags & _RST:
        return Proof.SYN_ACK
    return Proof.NOTHING


VERDICTS = bytes(map(verdict, range(256)))
"""`verdict` as a translation of octets."""
OF_THE_SCAN = marking([_SYN, _RST])
"""Marks the flags of what a scan's own end sends: probes, and its kernel's word on a SYN, ACK."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Offsets in a packet that is just an IP and a TCP header.

    `odd_first` and `odd_protocol` mark the values of its first and its protocol octet that say that
    it is more than that. The length field counts `besides` octets that are not TCP's.
    """

    tcp: int
    hops: int
    protocol: int
    length: int
    besides: int
    odd_first: bytes
    odd_protocol: bytes


def _but(*octets: int) -> bytes:
    return marking(set(range(256)) - set(octets))


LAYOUTS = {
    4: Layout(
        tcp=20, hops=8, protocol=9, length=2, besides=20, odd_first=_but(0x45), odd_protocol=_but(6)
    ),
    6: Layout(
        tcp=40,
        hops=7,
        protocol=6,
        length=4,
        besides=0,
        odd_first=_but(*range(0x60, 0x70)),
        odd_protocol=_but(6),
    ),
}
"""By IP version."""
