"""Segments crafted, and frames dissected, with Scapy.

Scapy is the slowest import of all (0.3 s), so only what crafts or dissects imports this module. Its
lists of routes and interfaces, which it reads when imported, are turned off: the kernel routes
here, and every field that Scapy would look up is given. Only the layers in use are loaded, never
`scapy.all`.
"""

import gc
from collections.abc import Callable
from typing import Any

from tcplab.tcp import options
from tcplab.tcp.segment import Segment

_STARTS_OF_IPV6 = frozenset(bytes((octet,)) for octet in range(0x60, 0x70))


def _load() -> Any:  # noqa: ANN401 - Scapy has no types
    """Import Scapy's configuration with its look-ups off, before any layer is imported."""
    import logging

    logging.getLogger("scapy").setLevel(logging.ERROR)
    from scapy.config import conf

    conf.route_autoload = False
    conf.route6_autoload = False
    return conf


def _with_ipv4() -> Any:  # noqa: ANN401 - Scapy has no types
    """`scapy.layers.inet`, without the IPv6 layers that it would otherwise pull in."""
    conf = _load()
    # Thousands of classes are made and none is garbage: collecting meanwhile costs a fifth.
    collecting = gc.isenabled()
    gc.disable()
    try:
        conf.ipv6_enabled = False
        import scapy.layers.inet as inet
    finally:
        conf.ipv6_enabled = True
        if collecting:
            gc.enable()
    return inet


def _with_ipv6() -> Any:  # noqa: ANN401 - Scapy has no types
    """`scapy.layers.inet6`."""
    _load()
    collecting = gc.isenabled()
    gc.disable()
    try:
        import scapy.layers.inet6 as inet6
    finally:
        if collecting:
            gc.enable()
    return inet6


def prepare(ip: str) -> None:
    """Import what crafting from this address will need, before anything is timed."""
    _packet_maker(":" in ip)


def craft(segment: Segment, *, hops: int = 64, identification: int = 0) -> bytes:
    """The IP packet that carries `segment`, checksums filled in.

    `hops` is the TTL or hop limit. Raises ValueError for options that Scapy cannot write.
    """
    tcp = _with_ipv4().TCP(
        sport=segment.src.port,
        dport=segment.dst.port,
        seq=int(segment.seq),
        ack=int(segment.ack),
        flags=segment.flags.letters,
        window=segment.wnd_octets,
        urgptr=segment.urgent,
        options=[_as_scapy(option) for option in segment.options],
    )
    ip = _packet_maker(":" in segment.src.ip)(segment, hops, identification)
    return bytes(ip / tcp / segment.payload)


def craft_error(quoted: bytes, *, src: str, dst: str, kind: int, code: int) -> bytes:
    """The IP packet with the ICMP or ICMPv6 error of `kind` (its type) and `code` about the packet
    that begins with `quoted`, checksums filled in.

    Raises ValueError for an ICMPv6 type other than 1, destination unreachable.
    """
    if ":" in src:
        if kind != 1:
            raise ValueError(f"only ICMPv6 type 1 can be crafted, not {kind}")
        inet6 = _with_ipv6()
        error = inet6.ICMPv6DestUnreach(code=code)
        return bytes(inet6.IPv6(src=src, dst=dst, hlim=64) / error / quoted)
    inet = _with_ipv4()
    ip = inet.IP(src=src, dst=dst, ttl=64, flags="DF", id=0)
    return bytes(ip / inet.ICMP(type=kind, code=code) / quoted)


def _packet_maker(six: bool) -> Callable[[Segment, int, int], Any]:
    if six:
        inet6 = _with_ipv6()
        return lambda segment, hops, _: inet6.IPv6(
            src=segment.src.ip, dst=segment.dst.ip, hlim=hops
        )
    inet = _with_ipv4()
    return lambda segment, hops, identification: inet.IP(
        src=segment.src.ip, dst=segment.dst.ip, ttl=hops, flags="DF", id=identification
    )


def _as_scapy(option: options.Option) -> tuple[Any, Any]:
    match option:
        case options.EndOfList():
            return "EOL", None
        case options.NoOperation():
            return "NOP", None
        case options.MaximumSegmentSize(octets):
            return "MSS", octets
        case options.WindowScale(shift):
            return "WScale", shift
        case options.SackPermitted():
            return "SAckOK", b""
        case options.Sack(blocks):
            return "SAck", tuple(int(edge) for block in blocks for edge in block)
        case options.Timestamps(value, echo):
            return "Timestamp", (value, echo)
        case options.Unknown(kind, data):
            return kind, data
        case options.Malformed(octets):
            raise ValueError(f"cannot craft a malformed option list: {octets.hex()}")


def dissect(octets: bytes, *, bare: bool = False) -> str:
    """Scapy's view of a frame, layer by layer, as text of many lines (for -v).

    `bare`: there is no Ethernet header, the IP header comes first.
    """
    inet = _with_ipv4()
    from scapy.layers.l2 import Ether

    outermost = inet.IP if bare else Ether
    if octets[0 if bare else 14 :][:1] in _STARTS_OF_IPV6:
        inet6 = _with_ipv6()
        outermost = inet6.IPv6 if bare else Ether
    return str(outermost(octets).show(dump=True))
