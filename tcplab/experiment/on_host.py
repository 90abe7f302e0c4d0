"""A handshake with a host on a real network, named by the user: at most 20 packets, one
connection.
"""

import errno
import os
import socket
from collections.abc import Callable
from contextlib import closing

from tcplab.errors import PrivilegeError, RefusedError, TcplabError, UnavailableError, UsageError
from tcplab.experiment.conductor import Conductor
from tcplab.kernel.privilege import sudo
from tcplab.kernel.routes import Route, RouteType, interfaces_down, route_to
from tcplab.scenario.shipped import remote
from tcplab.tcp.segment import Address
from tcplab.testbed.nic import NicTestbed
from tcplab.text import Text
from tcplab.timeline.events import Event
from tcplab.timeline.timeline import Timeline
from tcplab.wire.packet_socket import link_of
from tcplab.wire.permit import HostPermit, refuse_unless_one_host

_MOST_SEGMENTS = 10
"""Of data; the other packets of the budget are for SYNs, ACKs, retransmissions, FIN and RST."""
_FAMILIES = {None: socket.AF_UNSPEC, 4: socket.AF_INET, 6: socket.AF_INET6}


def play(
    host: str,
    port: int,
    *,
    command: tuple[str, ...],
    version: int | None = None,
    send: bytes | None = None,
    heed: Callable[[Event], None] = lambda _event: None,
) -> Timeline:
    """Open a connection to `host`, send `send` if given, and close it.

    The name is resolved once, over IPv4 or IPv6 (`version` 4 or 6; None: what the resolver
    prefers). Raises UsageError for an unknown name, RefusedError for an address that is not one
    host, UnavailableError without a route or a link that is up, PrivilegeError without CAP_NET_RAW.
    """
    ip, interface = _resolve(host, version)
    refuse_unless_one_host(ip)
    route = _route(host, ip, interface)
    link = link_of(route.link.hardware_type)
    if link is None:
        raise UnavailableError(
            Text(
                "tcplab cannot read the link headers of {interface} (ARPHRD type {type}).",
                interface=route.link.name,
                type=route.link.hardware_type,
            ),
            remedy=Text("Use a host behind an Ethernet, Wi-Fi, loopback, tun or WireGuard link."),
        )
    if send is not None:
        _refuse_too_much(send, route, ip)
    try:
        testbed = NicTestbed(route=route, link=link, server=Address(ip, port), scope=interface)
    except PermissionError as refusal:
        raise PrivilegeError(
            Text("Crafting packets for a real host needs CAP_NET_RAW."),
            remedy=Text(
                "Run: {command}   (without HOST the testbed needs no privilege)", command=sudo()
            ),
        ) from refusal
    except OSError as refusal:
        raise _unusable(route, ip, refusal) from refusal
    with closing(testbed):
        flow = testbed.reserve(port)
        return Conductor(testbed, remote(send), {"a": flow}, command=command, heed=heed).run()


def _unusable(route: Route, ip: str, refusal: OSError) -> UnavailableError:
    """There is a route, and yet nothing can be sent along it."""
    if refusal.errno in (errno.EADDRNOTAVAIL, errno.EINVAL):
        return UnavailableError(
            Text(
                "This machine has no address of its own from which to reach {address}.", address=ip
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


def _refuse_too_much(send: bytes, route: Route, ip: str) -> None:
    """What does not fit into the packets that a run may send is refused before the first one."""
    mss_octets = max(route.mtu_octets - (60 if ":" in ip else 40), 1)
    segments = -(-len(send) // mss_octets)
    if segments > _MOST_SEGMENTS:
        raise UsageError(
            Text(
                "The line takes {count} segments of {octets} octets: too many for a run that may "
                "send {budget} packets.",
                count=segments,
                octets=mss_octets,
                budget=HostPermit.BUDGET,
            ),
            remedy=Text("Send at most {octets} octets.", octets=_MOST_SEGMENTS * mss_octets),
        )


def _resolve(host: str, version: int | None) -> tuple[str, int]:
    """(address, index of the interface that a link-local address belongs to, or 0)."""
    try:
        found = socket.getaddrinfo(host, None, family=_FAMILIES[version], type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as failure:
        raise _unknown(host, version, failure) from failure
    address = found[0][4]
    scope = address[3] if len(address) == 4 else 0
    ip = str(address[0]).partition("%")[0]
    if not scope and ip.startswith("fe80:"):
        raise UsageError(
            Text("{address} means something on one link only.", address=ip),
            remedy=Text("Name the link: {address}%eth0", address=ip),
        )
    return ip, scope


def _unknown(host: str, version: int | None, failure: Exception) -> TcplabError:
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
    if not route.link.up or not route.link.carrier:
        raise UnavailableError(
            Text(
                "The route to {host} leads through {interface}, which is down.",
                host=host,
                interface=route.link.name,
            ),
            remedy=Text(
                "Connect it, or: sudo ip link set {interface} up", interface=route.link.name
            ),
        )
    return route


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
