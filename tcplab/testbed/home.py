"""A host's place in the testbed: a namespace, its NICs, and what its kernel knows of the others."""

import contextlib
import socket
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from tcplab.errors import UnavailableError
from tcplab.kernel import links, offloads
from tcplab.kernel.netlink import ROUTE, Netlink
from tcplab.scenario.host_settings import HostSettings
from tcplab.testbed.netns import Namespace
from tcplab.testbed.plan import PREFIX, Family, Nic, Seat
from tcplab.testbed.sysctls import apply_sysctls, set_quietly
from tcplab.text import Text

if TYPE_CHECKING:
    from tcplab.timeline.timeline import Setting

_LOOPBACK = 1  # its interface index, in every host
_ADDRESS_PATIENCE_S, _ADDRESS_PAUSE_S = 20.0, 0.0002
_CARRIER_PATIENCE_S = 20.0

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
    """One host's namespace. `seat` is where it is, and moves with its address; `nics` are its NICs.

    With `bursts` its kernel may hand a NIC many segments as one, and leave checksums to it, as
    kernels do for speed. Without, every frame is one that could have been on a wire.
    """

    def __init__(
        self,
        namespace: Namespace,
        seat: Seat,
        settings: HostSettings,
        family: Family,
        nics: tuple[Nic, ...],
        *,
        bursts: bool = False,
    ) -> None:
        self.namespace = namespace
        self.seat = seat
        self.settings = settings
        self._family = family
        self.nics = nics
        self._bursts = bursts

    @property
    def ip(self) -> str:
        """The host's address."""
        return self.seat.ip(self._family)

    def cable(self) -> links.Request:
        """For the namespace at the far end: a cable from there to here."""
        (nic,) = self.nics
        return links.veth(
            name=self.seat.cable,
            mac=self.seat.far_mac,
            index=self.seat.far_index,
            peer=nic.name,
            peer_mac=self.seat.mac,
            peer_index=nic.index,
            peer_netns=self.namespace.fd,
            bursts=self._bursts,
        )

    def furnish(self, others: Iterable["Home"]) -> "list[Setting]":
        """Settings, links up, address, neighbours and routes; what was set."""
        with self.namespace.entered():
            if self._family is Family.IPV4:
                set_quietly("net/ipv6/conf/all/disable_ipv6", "1")
            else:
                for nic in self.nics:
                    for name, value in _QUIET_IPV6.items():
                        set_quietly(f"net/ipv6/conf/{nic.name}/{name}", value)
            settings = apply_sysctls(self.settings)
            requests = [links.set_up(_LOOPBACK), *(links.set_up(nic.index) for nic in self.nics)]
            requests += self._addresses()
            for other in others:
                requests += self._way_to(other)
            with contextlib.closing(Netlink(ROUTE)) as netlink:
                netlink.tell(requests)
            if not self._bursts:
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
                    for nic in self.nics:
                        offloads.turn_off(control, nic.name)
        return settings

    def _addresses(self) -> list[links.Request]:
        """The same address on every NIC: it stays while one of them is up."""
        return [links.address(nic.index, self.ip, PREFIX[self._family]) for nic in self.nics]

    def _way_to(self, other: "Home") -> list[links.Request]:
        """The neighbour that `other` is, and a route to it."""
        name = other.seat.name
        nic = next(nic for nic in self.nics if name in nic.macs)
        route = links.host_route(
            nic.index,
            other.ip,
            quickack=self.settings.quickack,
            rto_min_ms=self.settings.rto_min_ms,
        )
        return [links.neighbour(nic.index, other.ip, nic.macs[name]), route]

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
        prefix = PREFIX[self._family]
        requests = [links.no_address(nic.index, self.ip, prefix) for nic in self.nics]
        self.seat = seat
        requests += self._addresses()
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
        """Wait until this host's kernel has dealt with its cables, pulled or plugged in."""
        from tcplab.kernel.carrier import wait_for

        with self.namespace.entered():
            for nic in self.nics:
                if not wait_for(nic.index, operational=there, within_s=_CARRIER_PATIENCE_S):
                    raise UnavailableError(
                        Text(
                            "The kernel does not notice the cable of {host}.", host=self.seat.name
                        ),
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
