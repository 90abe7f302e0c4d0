"""Does anybody answer for an address on the own link? What the kernel's neighbour table says (ARP,
neighbour discovery).
"""

import errno
from contextlib import closing
from enum import IntEnum, unique
from socket import inet_pton
from struct import pack, unpack_from

from tcplab.kernel.links import family
from tcplab.kernel.netlink import ROUTE, Netlink, attribute
from tcplab.kernel.routes import Route

_GET_NEIGHBOUR = 30
_DESTINATION = 1  # NDA_DST


@unique
class NeighbourState(IntEnum):
    """NUD_* (linux/neighbour.h), named as `ip neighbour` names them; the states are RFC 4861
    §7.3.2's.
    """

    NONE = 0x00
    """There is no entry: nobody has asked, or nobody needs to (an own address)."""
    INCOMPLETE = 0x01
    """Somebody is being asked for, and has not answered yet."""
    REACHABLE = 0x02
    STALE = 0x04
    DELAY = 0x08
    PROBE = 0x10
    FAILED = 0x20
    """Nobody answered."""
    NOARP = 0x40
    """The link needs no such answer."""
    PERMANENT = 0x80
    """Somebody entered it by hand."""

    @property
    def silent(self) -> bool:
        """Has the kernel asked, and nobody has answered?"""
        return self in (NeighbourState.INCOMPLETE, NeighbourState.FAILED)


def neighbour(ip: str, *, link_index: int) -> NeighbourState:
    """The entry for `ip` on that interface of this thread's network namespace.

    Raises the kernel's OSError: ENODEV where there is no such interface, EOPNOTSUPP before Linux
    5.0.
    """
    # struct ndmsg of which only family and interface may be set (net/core/neighbour.c,
    # neigh_valid_get_req).
    body = pack("=BxHiHBB", family(ip), 0, link_index, 0, 0, 0)
    body += attribute(_DESTINATION, inet_pton(family(ip), ip))
    with closing(Netlink(ROUTE)) as netlink:
        try:
            answer = netlink.ask(_GET_NEIGHBOUR, body)
        except OSError as refusal:
            if refusal.errno != errno.ENOENT:
                raise
            return NeighbourState.NONE
    return NeighbourState(unpack_from("=H", answer, 8)[0])


def next_hop(ip: str, route: Route) -> NeighbourState:
    """The entry for whom packets to `ip` are handed to, by that route: a gateway, or `ip` itself.

    An IPv4 route may lead to an IPv6 gateway; `Route` holds the address of either kind.
    """
    return neighbour(route.gateway or ip, link_index=route.link.index)
