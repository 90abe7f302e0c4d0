"""The way from this machine to a host on a real network, named by the user.

The name is resolved once: what is sent later goes to that address and to no other.
"""

import contextlib
import errno
import os
import socket
from dataclasses import dataclass
from enum import Enum, unique

from tcplab.errors import RefusedError, TcplabError, UnavailableError, UsageError
from tcplab.kernel.routes import Link, Route, RouteType, interfaces_down, route_to
from tcplab.text import Text
from tcplab.wire.burst.path import Path
from tcplab.wire.destination import refuse_unless_one_host, unmapped
from tcplab.wire.permit import ScanPermit, default_rate

_FAMILIES = {None: socket.AF_UNSPEC, 4: socket.AF_INET, 6: socket.AF_INET6}
_LOOPBACK = "lo"
_LONGEST_PACKET = 65535
_LINK_LOCAL = tuple(bytes((0xFE, second)) for second in range(0x80, 0xC0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """The one address that a name was resolved to, and the kernel's route to it. `scope` is the
    index of the interface that a link-local address belongs to, else 0.
    """

    address: str
    scope: int
    route: Route


@unique
class TierRate(Enum):
    """The packets a second for which the user has said nothing."""

    DEFAULT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """Where a scan goes that the user has named `name`. `rate_pps` None is as fast as the path
    answers; `authorized` is who said that it may be.
    """

    name: str
    address: str
    route: Route
    path: Path
    rate_pps: int | None
    authorized: str | None


def reach(
    host: str,
    *,
    version: int | None = None,
    rate_pps: int | TierRate | None = TierRate.DEFAULT,
    authorized: str | None = None,
) -> Reached:
    """The way to `host` for a scan, with its permit. Raises what `find_way` does, and RefusedError
    for an address or a rate that somebody would have to have `authorized`.
    """
    way = find_way(host, version=version)
    route, own = way.route, way.route.type is RouteType.LOCAL
    if rate_pps is TierRate.DEFAULT:
        rate_pps = default_rate(way.address, own=own)
    interface = _LOOPBACK if own else route.link.name
    permit = ScanPermit(
        destination=way.address,
        interface=interface,
        rate_pps=rate_pps,
        authorized=authorized,
        own=own,
    )
    path = Path(
        source=route.source,
        destination=way.address,
        interface=interface,
        link_index=socket.if_nametoindex(_LOOPBACK) if own else route.link.index,
        local=own,
        inside=contextlib.nullcontext,
        permit=permit,
        mtu_octets=min(route.mtu_octets, _LONGEST_PACKET),
        scope=way.scope,
    )
    return Reached(
        name=host,
        address=way.address,
        route=route,
        path=path,
        rate_pps=rate_pps,
        authorized=authorized,
    )


def find_way(host: str, *, version: int | None = None) -> Way:
    """Resolve `host`, over IPv4 or IPv6 (`version` 4 or 6; None: what the resolver prefers).

    Raises UsageError for an unknown name, RefusedError for an address that is not one host,
    UnavailableError without a route or a link that is up.
    """
    try:
        found = socket.getaddrinfo(host, None, family=_FAMILIES[version], type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as failure:
        raise _unknown(host, version, failure) from failure
    address = found[0][4]
    scope = address[3] if len(address) == 4 else 0
    ip = str(address[0]).partition("%")[0]
    if not scope and _is_link_local(ip):
        raise UsageError(
            Text("{address} means something on one link only.", address=ip),
            remedy=Text("Name the link: {address}%eth0", address=ip),
        )
    if scope and scope not in (index for index, _name in socket.if_nameindex()):
        raise _no_interface(str(scope))
    refuse_unless_one_host(ip)
    if version == 6 and unmapped(ip) != ip:
        raise _unknown(host, version)
    ip = unmapped(ip)
    return Way(address=ip, scope=scope, route=_route(host, ip, scope))


def _is_ipv6(host: str) -> bool:
    """Is it an address of IPv6, and no name?"""
    try:
        socket.inet_pton(socket.AF_INET6, host)
    except OSError:
        return False
    return True


def _no_interface(name: str) -> UsageError:
    """An address was said to be on that link (RFC 4007 §11)."""
    names = [name for _index, name in socket.if_nameindex()]
    return UsageError(
        Text("There is no interface {name}.", name=repr(name)),
        remedy=Text("Name one of these: {names}", names=", ".join(names)),
    )


def _is_link_local(ip: str) -> bool:
    """Is it in fe80::/10 (RFC 4291 §2.4)?"""
    return ":" in ip and socket.inet_pton(socket.AF_INET6, ip)[:2] in _LINK_LOCAL


def kept_in() -> UnavailableError:
    """Netfilter lets nothing leave (EPERM)."""
    return UnavailableError(
        Text("This machine's own firewall does not let the packets out."),
        remedy=Text("See its rules: sudo nft list ruleset"),
    )


def unusable(address: str, route: Route, refusal: OSError) -> UnavailableError:
    """There is a route, and yet nothing can be sent along it."""
    if refusal.errno in (errno.EADDRNOTAVAIL, errno.EINVAL):
        return UnavailableError(
            Text(
                "This machine has no address of its own from which to reach {address}.",
                address=address,
            ),
            remedy=Text(
                "Give {interface} one: sudo ip address add … dev {interface}",
                interface=route.link.name,
            ),
        )
    return UnavailableError(
        Text(
            "{interface} does not send: {why}.",
            interface=route.link.name,
            why=os.strerror(refusal.errno or 0),
        ),
        remedy=Text("See the link: ip link show {interface}", interface=route.link.name),
    )


def _unknown(host: str, version: int | None, failure: Exception | None = None) -> TcplabError:
    ip, zoned, interface = host.partition("%")
    if zoned and _is_ipv6(ip):
        return _no_interface(interface)
    if isinstance(failure, socket.gaierror) and failure.errno == socket.EAI_AGAIN:
        return UnavailableError(
            Text("No name server answered for {host}.", host=repr(host)),
            remedy=Text("Give an address instead of a name, or mend the name service."),
        )
    if version is not None:
        return UsageError(
            Text("{host} has no IPv{version} address.", host=repr(host), version=version),
            remedy=Text("Check the name, or omit -{version}.", version=version),
        )
    return UsageError(
        Text("There is no host named {host}.", host=repr(host)),
        remedy=Text("Check the name, or give an address such as 192.0.2.10."),
    )


def _route(host: str, ip: str, interface: int) -> Route:
    """The kernel's route to it. Raises UnavailableError if there is none that works."""
    try:
        route = route_to(ip, interface=interface)
    except OSError as refusal:
        raise _no_route(ip, refusal) from refusal
    if route.type in (RouteType.BROADCAST, RouteType.MULTICAST, RouteType.ANYCAST):
        raise RefusedError(
            Text("{address} is not one host but a group of hosts.", address=ip),
            remedy=Text("Name one host that you may talk to."),
        )
    if not route.link.works:
        raise down(host, route.link)
    return route


def down(host: str, link: Link) -> UnavailableError:
    """The way to `host` is that link, and it is down or has lost its carrier."""
    return UnavailableError(
        Text(
            "The route to {host} leads through {interface}, which is down.",
            host=host,
            interface=link.name,
        ),
        remedy=Text("Connect it, or: sudo ip link set {interface} up", interface=link.name),
    )


def _no_route(ip: str, refusal: OSError) -> TcplabError:
    if refusal.errno not in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EACCES, errno.EINVAL):
        raise refusal
    down = interfaces_down()
    hint = (
        Text("Interfaces that are down: {names}. See: ip route", names=", ".join(down))
        if down
        else Text("See the routes that there are: ip route (ip -6 route)")
    )
    return UnavailableError(
        Text("This machine has no route to {address}.", address=ip), remedy=hint
    )
