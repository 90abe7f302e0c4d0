"""Does anybody answer for an address on the own link? What the kernel's neighbour table says (ARP,
neighbour discovery).
"""

import errno
import os
import time
from contextlib import closing
from dataclasses import dataclass
from enum import IntEnum, unique
from socket import inet_pton
from struct import pack, unpack_from

from tcplab.kernel.links import family
from tcplab.kernel.netlink import ACK, CREATE, REPLACE, ROUTE, Netlink, attribute, attributes
from tcplab.kernel.routes import Route

_NEW_NEIGHBOUR, _GET_NEIGHBOUR = 28, 30
_DESTINATION, _CACHE_INFO = 1, 3  # NDA_*
_USE = 1  # NTF_USE
_TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


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

    @property
    def being_asked(self) -> bool:
        """Is it about to be known? In DELAY the kernel gives it five seconds to be heard of."""
        return self in (NeighbourState.INCOMPLETE, NeighbourState.DELAY, NeighbourState.PROBE)

    @property
    def remembered(self) -> bool:
        """Has it answered once, and nobody is asking it now?"""
        return self in (NeighbourState.REACHABLE, NeighbourState.STALE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """An entry of the table. `confirmed_ns` is when it was last known to be there, as it answered
    or TCP heard of it: by the monotonic clock, and up to 10 ms too late. For what is REACHABLE that
    may be 45 s ago (net.ipv4.neigh.*.base_reachable_time_ms). None where nothing is known.
    """

    state: NeighbourState
    confirmed_ns: int | None = None

    def answered_since(self, ns: int) -> bool:
        """Was it there then or later?"""
        return self.confirmed_ns is not None and self.confirmed_ns >= ns


_NOBODY = Neighbour(state=NeighbourState.NONE)
_ANSWERED = frozenset(
    {
        *(NeighbourState.REACHABLE, NeighbourState.STALE),
        *(NeighbourState.DELAY, NeighbourState.PROBE),
    }
)


def neighbour(ip: str, *, link_index: int) -> Neighbour:
    """The entry for `ip` on that interface of this thread's network namespace.

    Raises the kernel's OSError: ENODEV where there is no such interface, EOPNOTSUPP before Linux
    5.0.
    """
    # Of struct ndmsg only family and interface may be set (net/core/neighbour.c,
    # neigh_valid_get_req).
    body = _entry(ip, link_index, NeighbourState.NONE)
    with closing(Netlink(ROUTE)) as netlink:
        try:
            answer = netlink.ask(_GET_NEIGHBOUR, body)
        except OSError as refusal:
            if refusal.errno != errno.ENOENT:
                raise
            return _NOBODY
    now_ns = time.monotonic_ns()
    state = NeighbourState(unpack_from("=H", answer, 8)[0])
    times = dict(attributes(answer[12:])).get(_CACHE_INFO)
    if times is None or state not in _ANSWERED:
        return Neighbour(state=state)
    (ticks,) = unpack_from("=I", times)  # ndm_confirmed of struct nda_cacheinfo: so long ago
    return Neighbour(state=state, confirmed_ns=now_ns - ticks * _TICK_NS)


def ask(ip: str, route: Route) -> None:
    """Have the kernel ask for the next hop on that way, of which it knows nothing.

    It is what `ip neigh add … use` does, and what a packet would: three requests in three seconds,
    and the entry is REACHABLE or FAILED. Raises the kernel's OSError: EPERM without CAP_NET_ADMIN.
    """
    body = _entry(route.gateway or ip, route.link.index, NeighbourState.NONE, flags=_USE)
    with closing(Netlink(ROUTE)) as netlink:
        netlink.tell([(_NEW_NEIGHBOUR, CREATE | ACK, body)])


def ask_again(ip: str, route: Route) -> None:
    """Have the kernel ask the next hop on that way, which it remembers, whether it is there still.

    It is what `ip neigh change … nud probe` does: up to three requests in three seconds, and the
    entry is REACHABLE again or FAILED. Raises the kernel's OSError: EPERM without CAP_NET_ADMIN.
    """
    body = _entry(route.gateway or ip, route.link.index, NeighbourState.PROBE)
    with closing(Netlink(ROUTE)) as netlink:
        netlink.tell([(_NEW_NEIGHBOUR, REPLACE | ACK, body)])


def _entry(ip: str, link_index: int, state: NeighbourState, *, flags: int = 0) -> bytes:
    """struct ndmsg, and for whom it is."""
    body = pack("=BxHiHBB", family(ip), 0, link_index, state, flags, 0)
    return body + attribute(_DESTINATION, inet_pton(family(ip), ip))


def next_hop(ip: str, route: Route) -> Neighbour:
    """The entry for whom packets to `ip` are handed to, by that route: a gateway, or `ip` itself.

    An IPv4 route may lead to an IPv6 gateway; `Route` holds the address of either kind.
    """
    return neighbour(route.gateway or ip, link_index=route.link.index)
