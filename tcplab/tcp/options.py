"""TCP options (RFC 9293 §3.1, RFC 7323, RFC 2018), read without trust and written back exactly.

An option list is hostile bytes: a length of 0 or 1, or one that overruns the header, ends the list
there. What could not be read is kept as `Malformed`, so nothing loops and nothing is lost.
"""

from dataclasses import dataclass
from struct import pack, unpack, unpack_from

from tcplab.tcp.sequence import Seq

MAX_OCTETS = 40
"""All the options of one segment: data offset 15 × 4 octets, less the fixed 20."""


@dataclass(frozen=True, slots=True)
class EndOfList:
    """Kind 0: the rest of the header is padding."""

    padding: bytes = b""


@dataclass(frozen=True, slots=True)
class NoOperation:
    """Kind 1: aligns what follows."""


@dataclass(frozen=True, slots=True)
class MaximumSegmentSize:
    """Kind 2, on SYNs only: the largest payload that its sender will take (RFC 9293 §3.7.1)."""

    octets: int


@dataclass(frozen=True, slots=True)
class WindowScale:
    """Kind 3, on SYNs only: the sender's later windows are to be shifted left (RFC 7323 §2)."""

    shift: int

    @property
    def effective(self) -> int:
        """The shift to use: more than 14 counts as 14 (RFC 7323 §2.3)."""
        return min(self.shift, 14)


@dataclass(frozen=True, slots=True)
class SackPermitted:
    """Kind 4, on SYNs only: the sender understands selective acknowledgments (RFC 2018 §2)."""


@dataclass(frozen=True, slots=True)
class Sack:
    """Kind 5: blocks that arrived out of order, each (left edge, right edge) (RFC 2018 §3)."""

    blocks: tuple[tuple[Seq, Seq], ...]


@dataclass(frozen=True, slots=True)
class Timestamps:
    """Kind 8: the sender's clock, and the peer's echoed; ticks of no fixed unit (RFC 7323 §3)."""

    value: int
    echo: int


@dataclass(frozen=True, slots=True)
class Unknown:
    """Any other kind, or a known one with a length that is not its own: kept raw."""

    kind: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Malformed:
    """From here on the list makes no sense: the octets as they stand."""

    octets: bytes


Option = (
    EndOfList
    | NoOperation
    | MaximumSegmentSize
    | WindowScale
    | SackPermitted
    | Sack
    | Timestamps
    | Unknown
    | Malformed
)


def parse(octets: bytes) -> tuple[Option, ...]:
    """The options of a header, in order. Never raises; each octet ends up in exactly one option."""
    options: list[Option] = []
    at = 0
    while at < len(octets):
        kind = octets[at]
        if kind == 0:
            options.append(EndOfList(octets[at + 1 :]))
            break
        if kind == 1:
            options.append(NoOperation())
            at += 1
            continue
        length = octets[at + 1] if at + 1 < len(octets) else 0
        if length < 2 or at + length > len(octets):
            options.append(Malformed(octets[at:]))
            break
        options.append(_known(kind, octets[at + 2 : at + length]))
        at += length
    return tuple(options)


def _known(kind: int, data: bytes) -> Option:
    match kind, len(data):
        case 2, 2:
            return MaximumSegmentSize(unpack("!H", data)[0])
        case 3, 1:
            return WindowScale(data[0])
        case 4, 0:
            return SackPermitted()
        case 5, size if size and size % 8 == 0:
            edges = unpack(f"!{size // 4}I", data)
            pairs = zip(edges[::2], edges[1::2], strict=True)
            return Sack(tuple((Seq(left), Seq(right)) for left, right in pairs))
        case 8, 8:
            value, echo = unpack_from("!II", data)
            return Timestamps(value, echo)
        case _:
            return Unknown(kind, data)


def build(options: tuple[Option, ...]) -> bytes:
    """The octets of `options`, without padding: `build(parse(b)) == b` for every b."""
    return b"".join(map(_octets, options))


def _octets(option: Option) -> bytes:
    match option:
        case EndOfList(padding):
            return b"\0" + padding
        case NoOperation():
            return b"\x01"
        case MaximumSegmentSize(octets):
            return pack("!BBH", 2, 4, octets)
        case WindowScale(shift):
            return pack("!BBB", 3, 3, shift)
        case SackPermitted():
            return b"\x04\x02"
        case Sack(blocks):
            edges = [int(edge) for block in blocks for edge in block]
            return pack(f"!BB{len(edges)}I", 5, 2 + 4 * len(edges), *edges)
        case Timestamps(value, echo):
            return pack("!BBII", 8, 10, value, echo)
        case Unknown(kind, data):
            return pack("!BB", kind, 2 + len(data)) + data
        case Malformed(octets):
            return octets
