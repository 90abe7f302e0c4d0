"""The Internet checksum (RFC 1071), and the pseudo-headers that TCP and ICMPv6 put before it."""

from struct import pack, unpack


def ones_complement(octets: bytes) -> int:
    """The 16-bit one's complement of the one's complement sum. 0 over data that holds a valid
    sum.
    """
    if len(octets) % 2:
        octets += b"\0"
    total: int = sum(unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def pseudo_header(src: bytes, dst: bytes, protocol: int, octets: int) -> bytes:
    """The pseudo-header of IPv4 (RFC 9293 §3.1) or IPv6 (RFC 8200 §8.1), by the addresses'
    length.
    """
    if len(src) == 4:
        return src + dst + pack("!BBH", 0, protocol, octets)
    return src + dst + pack("!IxxxB", octets, protocol)
