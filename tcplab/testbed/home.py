"""A host's place in the testbed: a namespace, its NIC, and what its kernel knows of the others."""

import contextlib
import socket
import time
from collections.abc import Iterable

from tcplab.errors import UnavailableError
from tcplab.kernel import links, offloads
from tcplab.kernel.netlink import ROUTE, Netlink
from tcplab.scenario.steps import HostSettings
from tcplab.testbed.netns import Namespace
from tcplab.testbed.plan import PREFIX, Family, Seat
from tcplab.testbed.sysctls import apply_sysctls, set_quietly
from tcplab.text import Text
from tcplab.timeline.timeline import Setting

INTERFACE = "eth0"
_LOOPBACK, _NIC = 1, 2  # interface indices in every host
_ADDRESS_PATIENCE_S, _ADDRESS_PAUSE_S = 5.0, 0.0002
_CARRIER_PATIENCE_S = 5.0

# What IPv6 would say of its own accord, said before the link comes up
# (Documentation/networking/ip-sysctl).
_QUIET_IPV6 = {
    "disable_ipv6": "0",
    "addr_gen_mode": "1",
    "accept_dad": "0",
    "dad_transmits": "0",
    "router_solicitations": "0",
    "accept_ra": "0",
    "autoconf": "0",
}


class Home:
    """One host's namespace. `seat` is where it is on the wire, and moves with its address."""

    def __init__(
        self, namespace: Namespace, seat: Seat, settings: HostSettings, family: Family
    ) -> None:
        self.namespace = namespace
        self.seat = seat
        self.settings = settings
        self._family = family

    @property
    def ip(self) -> str:
        """The host's address."""
        return self.seat.ip(self._family)

    def cable(self) -> links.Request:
        """For the wire's namespace: a cable from there to here."""
        return links.veth(
            name=self.seat.cable,
            mac=self.seat.wire_mac,
            index=self.seat.wire_index,
            peer=INTERFACE,
            peer_mac=self.seat.mac,
            peer_index=_NIC,
            peer_netns=self.namespace.fd,
        )

    def furnish(self, others: Iterable["Home"]) -> list[Setting]:
        """Settings, address, neighbours and routes, then the link up; what was set."""
        with self.namespace.entered():
            if self._family is Family.IPV4:
                set_quietly("net/ipv6/conf/all/disable_ipv6", "1")
            else:
                for name, value in _QUIET_IPV6.items():
                    set_quietly(f"net/ipv6/conf/{INTERFACE}/{name}", value)
            settings = apply_sysctls(self.settings)
            requests = [links.set_up(_LOOPBACK), links.set_up(_NIC), self._address()]
            for other in others:
                requests += self._way_to(other)
            with contextlib.closing(Netlink(ROUTE)) as netlink:
                netlink.tell(requests)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
                offloads.turn_off(control, INTERFACE)
        return settings

    def _address(self) -> links.Request:
        return links.address(_NIC, self.ip, PREFIX[self._family])

    def _way_to(self, other: "Home") -> list[links.Request]:
        """The neighbour that `other` is, and a route to it."""
        route = links.host_route(
            _NIC,
            other.ip,
            quickack=self.settings.quickack,
            rto_min_ms=self.settings.rto_min_ms,
        )
        return [links.neighbour(_NIC, other.ip, other.seat.mac), route]

    def settle_in(self) -> None:
        """Wait until packets to the address are taken as this host's own.

        The kernel ends duplicate address detection, even one that was declined, in a work queue,
        and adds the local route only then (net/ipv6/addrconf.c, addrconf_dad_work). Before that,
        about one first SYN in 200 was silently dropped.
        """
        if self._family is Family.IPV6:
            with self.namespace.entered():
                _wait_for_address(self.ip)

    def move(self, seat: Seat, others: Iterable["Home"]) -> None:
        """Give the address up and take that of `seat`.

        With its last IPv4 address a host loses its neighbours and routes, so they are made anew.
        """
        requests = [links.no_address(_NIC, self.ip, PREFIX[self._family])]
        self.seat = seat
        requests.append(self._address())
        for other in others:
            requests += self._way_to(other)
        self._tell(requests)
        self.settle_in()

    def meet(self, other: "Home") -> None:
        """Learn the address that `other` has now."""
        self._tell(self._way_to(other))

    def _tell(self, requests: Iterable[links.Request]) -> None:
        with self.namespace.entered(), contextlib.closing(Netlink(ROUTE)) as netlink:
            netlink.tell(requests)

    def wait_for_carrier(self, *, there: bool) -> None:
        """Wait until this host's kernel has dealt with the cable, pulled or plugged in."""
        from tcplab.kernel.carrier import wait_for

        with self.namespace.entered():
            if not wait_for(_NIC, operational=there, within_s=_CARRIER_PATIENCE_S):
                raise UnavailableError(
                    Text("The kernel does not notice the cable of {host}.", host=self.seat.name),
                    remedy=Text("Is the machine overloaded? Try it again."),
                )
        self.settle_in()


def _wait_for_address(ip: str) -> None:
    from tcplab.kernel.routes import RouteType, route_to

    deadline_s = time.monotonic() + _ADDRESS_PATIENCE_S
    while route_to(ip).type is not RouteType.LOCAL:
        if time.monotonic() > deadline_s:
            raise UnavailableError(
                Text("The kernel does not bring up the IPv6 address {address}.", address=ip),
                remedy=Text("Use IPv4, or see this machine's IPv6 settings: sysctl net.ipv6"),
            )
        time.sleep(_ADDRESS_PAUSE_S)
