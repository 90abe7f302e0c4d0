"""From the bytes on a link to a segment or an ICMP error, without trust and without Scapy.

Scapy takes a tenth of a millisecond and more to dissect a packet; a stepped run decodes every frame
between two samples of the kernels, so it has to be several times faster
(`tests/benchmarks/decode.py` prints the ratio). Lengths are the packet's own claims and are checked
against what is there before they are believed.
"""

from dataclasses import dataclass
from enum import Enum, unique
from socket import AF_INET, AF_INET6, inet_ntop
from struct import Struct, error

from tcplab.tcp import options
from tcplab.tcp.flags import Flags
from tcplab.tcp.segment import Address, Segment
from tcplab.tcp.sequence import Seq
from tcplab.wire.checksum import ones_complement, pseudo_header

TCP, ICMP, ICMPV6 = 6, 1, 58
_IPV4, _IPV6 = 0x0800, 0x86DD
_VLAN_TAGS = frozenset({0x8100, 0x88A8, 0x9100})
_EXTENSIONS = frozenset({0, 43, 60})  # hop-by-hop, routing, destination options (RFC 8200 §4)
_FRAGMENT = 44

_ETHERTYPE = Struct("!12xH")
_TAG = Struct("!2xH")
_IP4 = Struct("!BxHxxHBBxx4s4s")
_IP6 = Struct("!IHBB16s16s")
_TCP = Struct("!HHIIBBHHH")


class FrameError(ValueError):
    """The bytes contradict themselves or end too soon."""


@unique
class Link(Enum):
    """What comes before the IP header. The value is the LINKTYPE of pcap files."""

    ETHERNET = 1
    NONE = 101


@dataclass(frozen=True, slots=True, kw_only=True)
class IcmpError:
    """An ICMP or ICMPv6 error message, and the TCP ports of the packet that it quotes.

    `quoted_src` and `quoted_dst` are the quoted packet's; ICMP guarantees just 8 octets of TCP,
    the ports and the sequence number (RFC 792).
    """

    version: int
    type: int
    code: int
    quoted_src: Address
    quoted_dst: Address
    quoted_seq: Seq


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A frame and what it carries. `segment` and `icmp` are None for anything else (ARP, UDP, a
    later fragment); `src_ip` and `dst_ip` are "" and `ttl` is None where there is no IP header.
    """

    octets: bytes
    link: Link = Link.ETHERNET
    link_octets: int = 14
    src_ip: str = ""
    dst_ip: str = ""
    ttl: int | None = None
    segment: Segment | None = None
    icmp: IcmpError | None = None


def decode(octets: bytes, *, link: Link = Link.ETHERNET, summed: bool = True) -> Frame:
    """Decode one frame. `summed` is False where the sender left the checksums to its NIC.

    Raises FrameError for bytes that contradict themselves, and nothing else.
    """
    try:
        at, version = _past_link(octets, link)
        if version == 4:
            return _decode_ip4(octets, at, link, summed)
        if version == 6:
            return _decode_ip6(octets, at, link, summed)
        return Frame(octets=octets, link=link, link_octets=at)
    except (error, IndexError) as short:
        raise FrameError(f"the frame ends too soon ({len(octets)} octets)") from short


def contradictory(octets: bytes, *, link: Link = Link.ETHERNET) -> Frame:
    """As much as can be told of a frame that `decode` refuses: its addresses, if it has them all.

    Raises nothing.
    """
    try:
        at, version = _past_link(octets, link)
        if version == 4:
            family, (src, dst) = AF_INET, _IP4.unpack_from(octets, at)[-2:]
        elif version == 6:
            family, (src, dst) = AF_INET6, _IP6.unpack_from(octets, at)[-2:]
        else:
            return Frame(octets=octets, link=link, link_octets=at)
    except (error, IndexError):
        return Frame(octets=octets, link=link, link_octets=0)
    return Frame(
        octets=octets,
        link=link,
        link_octets=at,
        src_ip=inet_ntop(family, src),
        dst_ip=inet_ntop(family, dst),
    )


def _past_link(octets: bytes, link: Link) -> tuple[int, int]:
    """(where the IP header begins, its version or 0 if it is no IP)."""
    if link is Link.NONE:
        return 0, octets[0] >> 4
    (ethertype,) = _ETHERTYPE.unpack_from(octets)
    at = 14
    while ethertype in _VLAN_TAGS:
        (ethertype,) = _TAG.unpack_from(octets, at)
        at += 4
    return at, {_IPV4: 4, _IPV6: 6}.get(ethertype, 0)


def _decode_ip4(octets: bytes, at: int, link: Link, summed: bool) -> Frame:
    first, total, fragment, ttl, protocol, src, dst = _IP4.unpack_from(octets, at)
    header = (first & 15) * 4
    if first >> 4 != 4 or header < 20 or total < header:
        raise FrameError(f"IPv4 header of {header} octets in a packet of {total}")
    body = octets[at + header : at + total]
    missing = total - header - len(body)
    return _decode_body(
        Frame(
            octets=octets,
            link=link,
            link_octets=at,
            src_ip=inet_ntop(AF_INET, src),
            dst_ip=inet_ntop(AF_INET, dst),
            ttl=ttl,
        ),
        protocol=protocol,
        body=body,
        missing=missing,
        src=src,
        dst=dst,
        first_fragment=fragment & 0x1FFF == 0,
        whole=fragment & 0x3FFF == 0 and summed,
    )


def _decode_ip6(octets: bytes, at: int, link: Link, summed: bool) -> Frame:
    first, length, following, ttl, src, dst = _IP6.unpack_from(octets, at)
    if first >> 28 != 6:
        raise FrameError(f"IP version {first >> 28} in an IPv6 frame")
    end = at + 40 + length
    body_at = at + 40
    first_fragment = whole = True
    while first_fragment and (following in _EXTENSIONS or following == _FRAGMENT):
        if following == _FRAGMENT:
            offset = int.from_bytes(octets[body_at + 2 : body_at + 4], "big")
            first_fragment, whole = offset >> 3 == 0, False
            size = 8
        else:
            size = 8 + octets[body_at + 1] * 8
        following = octets[body_at]
        body_at += size
        if body_at > end:
            raise FrameError("an IPv6 extension header overruns its packet")
    body = octets[body_at:end]
    return _decode_body(
        Frame(
            octets=octets,
            link=link,
            link_octets=at,
            src_ip=inet_ntop(AF_INET6, src),
            dst_ip=inet_ntop(AF_INET6, dst),
            ttl=ttl,
        ),
        protocol=following,
        body=body,
        missing=end - body_at - len(body),
        src=src,
        dst=dst,
        first_fragment=first_fragment,
        whole=whole and summed,
    )


def _decode_body(
    frame: Frame,
    *,
    protocol: int,
    body: bytes,
    missing: int,
    src: bytes,
    dst: bytes,
    first_fragment: bool,
    whole: bool,
) -> Frame:
    segment = icmp = None
    if first_fragment and protocol == TCP:
        segment = _decode_tcp(frame, body, missing, src, dst, whole and not missing)
    elif first_fragment and protocol == ICMP and len(src) == 4:
        icmp = _decode_icmp(body, 4)
    elif first_fragment and protocol == ICMPV6 and len(src) == 16:
        icmp = _decode_icmp(body, 6)
    else:
        return frame
    return Frame(
        octets=frame.octets,
        link=frame.link,
        link_octets=frame.link_octets,
        src_ip=frame.src_ip,
        dst_ip=frame.dst_ip,
        ttl=frame.ttl,
        segment=segment,
        icmp=icmp,
    )


def _decode_tcp(
    frame: Frame, body: bytes, missing: int, src: bytes, dst: bytes, whole: bool
) -> Segment:
    sport, dport, seq, ack, offset, bits, wnd, _sum, urgent = _TCP.unpack_from(body)
    header = (offset >> 4) * 4
    if header < 20 or header > len(body) + missing:
        raise FrameError(f"TCP header of {header} octets in {len(body) + missing}")
    checksum_ok = None
    if whole:
        checksum_ok = ones_complement(pseudo_header(src, dst, TCP, len(body)) + body) == 0
    payload = body[header:]
    return Segment(
        src=Address(frame.src_ip, sport),
        dst=Address(frame.dst_ip, dport),
        seq=Seq(seq),
        ack=Seq(ack),
        flags=Flags(bits),
        wnd_octets=wnd,
        urgent=urgent,
        options=options.parse(body[20:header]),
        payload=payload,
        missing_octets=len(body) + missing - header - len(payload),
        checksum_ok=checksum_ok,
    )


def _decode_icmp(body: bytes, version: int) -> IcmpError | None:
    """The error in `body`, or None if it is none, or quotes something that is not TCP."""
    kind, code = body[0], body[1]
    if kind not in _ICMP_ERRORS[version]:
        return None
    quoted = body[8:]
    if version == 4:
        first, _total, fragment, _ttl, protocol, src, dst = _IP4.unpack_from(quoted)
        at = (first & 15) * 4
        family = AF_INET
        sound = first >> 4 == 4 and at >= 20 and fragment & 0x1FFF == 0
    else:
        head, _length, protocol, _ttl, src, dst = _IP6.unpack_from(quoted)
        at = 40
        family = AF_INET6
        sound = head >> 28 == 6
    if not sound or protocol != TCP or len(quoted) < at + 8:
        return None
    sport, dport = (int.from_bytes(quoted[at + n : at + n + 2], "big") for n in (0, 2))
    return IcmpError(
        version=version,
        type=kind,
        code=code,
        quoted_src=Address(inet_ntop(family, src), sport),
        quoted_dst=Address(inet_ntop(family, dst), dport),
        quoted_seq=Seq(int.from_bytes(quoted[at + 4 : at + 8], "big")),
    )


# Unreachable, source quench, time exceeded, parameter problem (RFC 792); and RFC 4443 §2.1.
_ICMP_ERRORS = {4: frozenset({3, 4, 11, 12}), 6: frozenset({1, 2, 3, 4})}
