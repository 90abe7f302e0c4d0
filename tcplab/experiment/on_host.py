"""A handshake with a host on a real network, named by the user: at most 20 packets, one
connection.
"""

from collections.abc import Callable
from contextlib import closing

from tcplab.errors import PrivilegeError, UnavailableError, UsageError
from tcplab.experiment.conductor import Conductor
from tcplab.kernel.privilege import Capability, holds, sudo
from tcplab.kernel.routes import Route
from tcplab.scenario.shipped import remote
from tcplab.tcp.segment import Address
from tcplab.testbed.nic import NicTestbed
from tcplab.testbed.reach import find_way, unusable
from tcplab.text import Text
from tcplab.timeline.events import Event
from tcplab.timeline.timeline import Timeline
from tcplab.wire.packet_socket import link_of
from tcplab.wire.permit import HostPermit

_MOST_SEGMENTS = 7
"""Of data. A host that sends back what it gets has as many acknowledged; the other packets of the
budget are for SYN, ACKs, a retransmission, FIN and RST.
"""


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
    host, UnavailableError without a route or a link that is up, PrivilegeError without CAP_NET_RAW,
    or without CAP_NET_ADMIN where the kernel asks for it (`tcplab.wire.shield`).
    """
    way = find_way(host, version=version)
    ip, route = way.address, way.route
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
        testbed = NicTestbed(route=route, link=link, server=Address(ip, port), scope=way.scope)
    except PermissionError as refusal:
        raise _lacking() from refusal
    except OSError as refusal:
        raise unusable(way.address, way.route, refusal) from refusal
    with closing(testbed):
        flow = testbed.reserve(port)
        return Conductor(testbed, remote(send), {"a": flow}, command=command, heed=heed).run()


def _lacking() -> PrivilegeError:
    """Which of the two capabilities the kernel has asked for in vain."""
    if holds(Capability.NET_RAW):
        what = Text(
            "Keeping this machine's kernel out of a crafted connection needs CAP_NET_ADMIN: the "
            "shield attaches a filter to a TCP socket."
        )
    else:
        what = Text("Crafting packets for a real host needs CAP_NET_RAW.")
    return PrivilegeError(
        what,
        remedy=Text(
            "Run: {command}   (without HOST the testbed needs no privilege)", command=sudo()
        ),
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
            # The end of the line is one of the octets, and nobody types it.
            remedy=Text("Send at most {octets} octets.", octets=_MOST_SEGMENTS * mss_octets - 1),
        )
