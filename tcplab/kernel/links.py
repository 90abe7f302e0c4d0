"""Links, addresses, neighbours and routes, as rtnetlink requests (man 7 rtnetlink).

Each function returns one (kind, flags, body) for `Netlink.tell`, so that a whole host is made of
one batch.
"""

from socket import AF_INET, AF_INET6, inet_pton
from struct import pack

from tcplab.kernel.netlink import CREATE, EXCLUSIVE, REPLACE, attribute, integer

Request = tuple[int, int, bytes]

_NEW_LINK, _DELETE_LINK, _NEW_ROUTE, _NEW_NEIGHBOUR = 16, 17, 24, 28
_NEW_ADDRESS, _DELETE_ADDRESS = 20, 21
_UP = 1  # IFF_UP
_NO_DAD, _PERMANENT = 0x02, 0x80  # IFA_F_*
_NEIGHBOUR_PERMANENT = 0x80  # NUD_PERMANENT
_MAIN_TABLE, _BOOT, _LINK_SCOPE, _GLOBAL_SCOPE, _UNICAST = 254, 3, 253, 0, 1
_ON_LINK = 4  # RTNH_F_ONLINK


def hardware(mac: str) -> bytes:
    """The six octets of a written Ethernet address."""
    return bytes.fromhex(mac.replace(":", ""))


def family(ip: str) -> int:
    """AF_INET or AF_INET6, by the address's spelling."""
    return AF_INET6 if ":" in ip else AF_INET


def _link(index: int, *, up: bool) -> bytes:
    return pack("=BxHiII", 0, 0, index, _UP if up else 0, _UP)


def set_up(index: int, *, up: bool = True) -> Request:
    """Set an interface up or down."""
    return _NEW_LINK, 0, _link(index, up=up)


def delete(index: int) -> Request:
    """Remove an interface (of a veth pair: both ends)."""
    return _DELETE_LINK, 0, _link(index, up=False)


def veth(
    *,
    name: str,
    mac: str,
    index: int,
    peer: str,
    peer_mac: str,
    peer_index: int,
    peer_netns: int,
    bursts: bool = False,
) -> Request:
    """A veth pair: this end here and up, the other in the namespace behind fd `peer_netns`, down.

    The peer cannot be made up in the same request: veth_open() of an end whose other end does not
    exist yet fails with ENOTCONN (drivers/net/veth.c).

    Unless `bursts` are allowed, TCP hands both ends one segment at a time (IFLA_GSO_MAX_SEGS). Even
    with the offloads off it would else hand them bursts to be cut up, as large as its pacing rate
    has it, and set PSH on the last segment of each (net/ipv4/tcp_output.c, __tcp_transmit_skb).
    """
    single = b"" if bursts else attribute(40, integer(1))
    other = pack("=BxHiII", 0, 0, peer_index, 0, 0) + attribute(3, peer) + single
    other += attribute(1, hardware(peer_mac)) + attribute(28, pack("=i", peer_netns))
    info = attribute(1, "veth") + attribute(2, attribute(1, other))
    body = _link(index, up=True) + attribute(3, name) + attribute(1, hardware(mac))
    return _NEW_LINK, CREATE | EXCLUSIVE, body + single + attribute(18, info)


def address(index: int, ip: str, prefix: int) -> Request:
    """Give an interface an address; IPv6 without duplicate address detection (IFA_F_NODAD)."""
    return _NEW_ADDRESS, CREATE | EXCLUSIVE, _address(index, ip, prefix)


def no_address(index: int, ip: str, prefix: int) -> Request:
    """Take an address from an interface. The last IPv4 one takes routes and neighbours with it
    (net/ipv4/fib_frontend.c, fib_disable_ip).
    """
    return _DELETE_ADDRESS, 0, _address(index, ip, prefix)


def _address(index: int, ip: str, prefix: int) -> bytes:
    octets = inet_pton(family(ip), ip)
    flags = _NO_DAD | _PERMANENT if ":" in ip else _PERMANENT
    body = pack("=BBBBi", family(ip), prefix, flags, _GLOBAL_SCOPE, index)
    return body + attribute(1, octets) + attribute(2, octets)


def neighbour(index: int, ip: str, mac: str) -> Request:
    """A permanent neighbour, so that no ARP or neighbour discovery is needed."""
    body = pack("=BxHiHBB", family(ip), 0, index, _NEIGHBOUR_PERMANENT, 0, 0)
    body += attribute(1, inet_pton(family(ip), ip)) + attribute(2, hardware(mac))
    return _NEW_NEIGHBOUR, CREATE | REPLACE, body


def host_route(index: int, ip: str, *, quickack: bool = False, rto_min_ms: int = 0) -> Request:
    """A route to one on-link host; `quickack` turns delayed acknowledgments off on it, `rto_min_ms`
    is the least retransmission time-out (0: Linux's 200 ms). See man 8 ip-route.
    """
    octets = inet_pton(family(ip), ip)
    scope = _GLOBAL_SCOPE if ":" in ip else _LINK_SCOPE
    body = pack(
        "=BBBBBBBBI",
        family(ip), len(octets) * 8, 0, 0, _MAIN_TABLE, _BOOT, scope, _UNICAST, 0,
    )  # fmt: skip
    body += attribute(1, octets) + attribute(4, integer(index))
    metrics = attribute(15, integer(1)) if quickack else b""  # RTAX_QUICKACK
    if rto_min_ms:
        # RTAX_RTO_MIN counts only where RTAX_LOCK says so (net/ipv4/tcp_output.c, tcp_rto_min).
        metrics += attribute(13, integer(rto_min_ms)) + attribute(1, integer(1 << 13))
    if metrics:
        body += attribute(8, metrics)  # RTA_METRICS
    return _NEW_ROUTE, CREATE | REPLACE, body


def block_route(index: int, block: str, gateway: str) -> Request:
    """A route to a whole block ("198.51.100.0/24") by way of a neighbour on that interface."""
    first, _, length = block.partition("/")
    octets = inet_pton(family(first), first)
    # The gateway is on this very link, whatever other links lead to its network.
    body = pack(
        "=BBBBBBBBI",
        family(first), int(length), 0, 0, _MAIN_TABLE, _BOOT, _GLOBAL_SCOPE, _UNICAST, _ON_LINK,
    )  # fmt: skip
    body += attribute(1, octets) + attribute(4, integer(index))
    body += attribute(5, inet_pton(family(gateway), gateway))  # RTA_GATEWAY
    return _NEW_ROUTE, CREATE | REPLACE, body
