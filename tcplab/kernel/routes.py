"""How this machine would reach a host: route and link, as its kernel has them."""

import os
from contextlib import closing
from dataclasses import dataclass
from enum import IntEnum, unique
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from struct import pack, unpack_from

from tcplab.kernel.links import family
from tcplab.kernel.netlink import ROUTE, Netlink, attribute, attributes, integer

_GET_LINK, _GET_ADDRESS, _GET_ROUTE = 18, 22, 26
_UP, _LOWER_UP = 0x1, 0x10000  # IFF_UP, IFF_LOWER_UP
_OIF, _GATEWAY, _PREFERRED_SOURCE, _METRICS, _VIA = 4, 5, 7, 8, 18  # RTA_*
_METRIC_MTU = 2  # RTAX_MTU
_NAME, _MTU = 3, 4  # IFLA_*
_ADDRESS, _LOCAL = 1, 2  # IFA_*


@unique
class RouteType(IntEnum):
    """rtm_type (linux/rtnetlink.h)."""

    UNICAST = 1
    LOCAL = 2
    BROADCAST = 3
    ANYCAST = 4
    MULTICAST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An interface. `hardware_type` is ARPHRD_*; `carrier`: is the cable in, the radio
    connected?
    """

    index: int
    name: str
    hardware_type: int
    up: bool
    carrier: bool
    mtu_octets: int

    @property
    def works(self) -> bool:
        """May anything pass it at all?"""
        return self.up and self.carrier


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The way to one address. `gateway` is None if the host is on the link itself."""

    type: RouteType
    source: str
    gateway: str | None
    link: Link
    mtu_octets: int


def route_to(ip: str, *, interface: int = 0) -> Route:
    """The route that this machine's kernel would take to `ip` (out of `interface`, if given).

    Raises OSError as the kernel does: ENETUNREACH, EHOSTUNREACH or EACCES where there is none.
    """
    octets = inet_pton(family(ip), ip)
    body = pack("=BBBBBBBBI", family(ip), len(octets) * 8, 0, 0, 0, 0, 0, 0, 0)
    body += attribute(1, octets)
    if interface:
        body += attribute(_OIF, integer(interface))
    with closing(Netlink(ROUTE)) as netlink:
        answer = netlink.ask(_GET_ROUTE, body)
        (kind,) = unpack_from("=B", answer, 7)
        found = dict(attributes(answer[12:]))
        link = _link(netlink, unpack_from("=I", found[_OIF])[0])
    source = found.get(_PREFERRED_SOURCE)
    metrics = dict(attributes(found.get(_METRICS, b"")))
    mtu = unpack_from("=I", metrics[_METRIC_MTU])[0] if _METRIC_MTU in metrics else link.mtu_octets
    return Route(
        type=RouteType(kind),
        source=inet_ntop(family(ip), source) if source else ip,
        gateway=_gateway(found),
        link=link,
        mtu_octets=mtu,
    )


def link_at(index: int) -> Link:
    """The interface of that index. Raises OSError: ENODEV where there is none."""
    with closing(Netlink(ROUTE)) as netlink:
        return _link(netlink, index)


def has_address(ip: str) -> bool:
    """Is that one of this machine's addresses, whatever the link?"""
    octets = inet_pton(family(ip), ip)
    with closing(Netlink(ROUTE)) as netlink:
        answers = netlink.dump(_GET_ADDRESS, pack("=BBBBI", family(ip), 0, 0, 0, 0))
    # On a link with one host at its other end _ADDRESS is that host's.
    every = (dict(attributes(answer[8:])) for answer in answers)
    return any(each.get(_LOCAL, each.get(_ADDRESS)) == octets for each in every)


def _gateway(found: dict[int, bytes]) -> str | None:
    if _GATEWAY in found:
        return _written(found[_GATEWAY])
    if _VIA in found:  # an IPv4 route by way of an IPv6 neighbour (struct rtvia)
        return _written(found[_VIA][2:])
    return None


def _written(octets: bytes) -> str:
    return inet_ntop(AF_INET if len(octets) == 4 else AF_INET6, octets)


def _link(netlink: Netlink, index: int) -> Link:
    answer = netlink.ask(_GET_LINK, pack("=BxHiII", 0, 0, index, 0, 0))
    (hardware_type,) = unpack_from("=H", answer, 2)
    (flags,) = unpack_from("=I", answer, 8)
    found = dict(attributes(answer[16:]))
    return Link(
        index=index,
        name=os.fsdecode(found[_NAME].rstrip(b"\0")),
        hardware_type=hardware_type,
        up=bool(flags & _UP),
        carrier=bool(flags & _LOWER_UP),
        mtu_octets=unpack_from("=I", found[_MTU])[0],
    )


def interfaces_down() -> list[str]:
    """The names of the interfaces that are set down, for a hint where a route is missing."""
    with closing(Netlink(ROUTE)) as netlink:
        answers = netlink.dump(_GET_LINK, pack("=BxHiII", 0, 0, 0, 0, 0))
    return [
        os.fsdecode(dict(attributes(answer[16:]))[_NAME].rstrip(b"\0"))
        for answer in answers
        if not unpack_from("=I", answer, 8)[0] & _UP
    ]
