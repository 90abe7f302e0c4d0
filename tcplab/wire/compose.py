"""Whole frames of our own: a segment to be sent, an answer to a frame, an ICMP report about one.

Their IP packets are Scapy's (`tcplab.wire.codec`); here they get what precedes them on the link,
and are decoded again, so that everybody sees them as they see a frame that a host sent.
"""

from struct import unpack_from

from tcplab.tcp.segment import Segment
from tcplab.wire import codec
from tcplab.wire.frame import Frame, Link, decode
from tcplab.wire.icmp_error import QUOTED_OCTETS

_ETHERTYPES = {4: b"\x08\x00", 6: b"\x86\xdd"}
_IP6_HEADER = 40


def ethernet(segment: Segment, *, src_mac: str, dst_mac: str, hops: int = 64) -> Frame:
    """The Ethernet frame that carries `segment`. MACs are written 02:00:00:00:00:01.

    `hops` is the TTL or hop limit. Raises ValueError for options that cannot be written.
    """
    version = 6 if ":" in segment.src.ip else 4
    macs = bytes.fromhex((dst_mac + src_mac).replace(":", ""))
    return decode(macs + _ETHERTYPES[version] + codec.craft(segment, hops=hops))


def answering(frame: Frame, segment: Segment) -> Frame:
    """The frame that carries `segment` back to the sender of `frame`, over the same link."""
    return decode(_link_back(frame) + codec.craft(segment), link=frame.link)


def reporting(frame: Frame, *, src_ip: str, kind: int, code: int) -> Frame:
    """The ICMP error of `kind` (its type) and `code` from `src_ip` to the sender of `frame`.

    ICMP or ICMPv6 by the frame's own version. It quotes as much of the packet as fits. Raises
    ValueError for an ICMPv6 type other than 1, destination unreachable.
    """
    version = 6 if ":" in frame.src_ip else 4
    packet = codec.craft_error(
        _packet(frame, version)[: QUOTED_OCTETS[version]],
        src=src_ip,
        dst=frame.src_ip,
        kind=kind,
        code=code,
    )
    return decode(_link_back(frame) + packet, link=frame.link)


def _link_back(frame: Frame) -> bytes:
    """What precedes the IP header, with the two MAC addresses swapped (VLAN tags stay)."""
    if frame.link is Link.NONE:
        return b""
    header = frame.octets[: frame.link_octets]
    return header[6:12] + header[:6] + header[12:]


def _packet(frame: Frame, version: int) -> bytes:
    """The IP packet alone: a short Ethernet frame is padded, and padding is not to be quoted."""
    at = frame.link_octets
    (length,) = unpack_from("!H", frame.octets, at + (2 if version == 4 else 4))
    end = at + length + (0 if version == 4 else _IP6_HEADER)
    return frame.octets[at:end]
