"""ICMP errors: the types and codes that are sent here, how much they quote, and the message itself.

For whoever answers many segments, or has no time to import Scapy; `tcplab.wire.compose` makes whole
frames with it.
"""

from struct import pack

from tcplab.wire.checksum import ones_complement

# (type, code) of destination unreachable, by IP version.
PROHIBITED = {4: (3, 13), 6: (1, 1)}
"""By administration (RFC 1812 §5.2.7.1, RFC 4443 §3.1)."""
NO_HOST = {4: (3, 1), 6: (1, 3)}
"""Host unreachable (RFC 792), address unreachable (RFC 4443 §3.1)."""

_IP_HEADER = {4: 20, 6: 40}
_ICMP_HEADER = 8
_LONGEST = {4: 576, 6: 1280}  # RFC 1812 §4.3.2.3, and the least IPv6 MTU (RFC 4443 §2.4)
QUOTED_OCTETS = {
    version: longest - _IP_HEADER[version] - _ICMP_HEADER for version, longest in _LONGEST.items()
}
"""The most of a packet that an error about it quotes, by IP version."""


def message(quoted: bytes, *, version: int, kind: int, code: int) -> bytes:
    """The error of `kind` (its type) and `code` about the packet that begins with `quoted`, without
    its IP header.

    An ICMPv6 message has no checksum yet: it covers the addresses, and the kernel fills it in (RFC
    3542 §3.1).
    """
    quoted = quoted[: QUOTED_OCTETS[version]]
    blank = pack("!BBHI", kind, code, 0, 0) + quoted
    if version == 6:
        return blank
    return blank[:2] + pack("!H", ones_complement(blank)) + blank[4:]
