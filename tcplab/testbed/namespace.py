"""The default testbed: hosts in anonymous network namespaces, joined by a stepped wire.

Nothing of it has a name or a file and no process stands behind it: when this process ends, in
whatever way, the kernel takes it all back. There is no default route and every address is a
documentation address, so nothing can leave it.
"""

import contextlib
import errno
import os
import socket
import time
from collections.abc import Iterable
from select import select
from typing import TYPE_CHECKING

from tcplab.errors import TcplabError, UnavailableError
from tcplab.kernel import links, offloads
from tcplab.kernel.netlink import ROUTE, Netlink
from tcplab.tcp.segment import Address
from tcplab.testbed.host import Flow
from tcplab.testbed.kernel_host import KernelHost
from tcplab.testbed.netns import Namespace, enter_user_namespace
from tcplab.testbed.plan import CABLE, PREFIX, SEATS, Family, Seat
from tcplab.text import Text
from tcplab.timeline import timeline
from tcplab.wire.packet_socket import PacketSocket
from tcplab.wire.permit import TestbedPermit
from tcplab.wire.pump import Arrival

if TYPE_CHECKING:
    from tcplab.testbed.crafted_host import CraftedHost

_LOOPBACK, _NIC = 1, 2  # interface indices in every host
_INTERFACE = "eth0"
_UNHURRIED_RTO_MS = 10_000
"""Linux's 200 ms are over soon on a machine that pauses (a busy host under a virtual machine)."""
_ADDRESS_PATIENCE_S, _ADDRESS_PAUSE_S = 5.0, 0.0002

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


class NamespaceTestbed:
    """Hosts in namespaces and the wire between them.

    `crafted` names the hosts whose TCP is tcplab's own; `quickack` those whose routes turn delayed
    acknowledgments off; `unhurried` keeps every kernel from retransmitting for 10 s. With
    `rootless` None a user namespace is entered only if this process may not make network namespaces
    without; that cannot be undone, so a process that wants to go on as it was forks first. Raises
    PrivilegeError or UnavailableError, with the switch that forbids it.
    """

    stepped = True

    def __init__(
        self,
        *,
        family: Family = Family.IPV4,
        hosts: Iterable[str] = ("client", "server"),
        crafted: frozenset[str] = frozenset(),
        quickack: frozenset[str] = frozenset(),
        unhurried: bool = False,
        rootless: bool | None = None,
    ) -> None:
        self._family = family
        self._rto_min_ms = _UNHURRIED_RTO_MS if unhurried else 0
        self._seats = [SEATS[name] for name in hosts]
        self._open = contextlib.ExitStack()
        self._permit = TestbedPermit()
        self.hosts: dict[str, KernelHost | CraftedHost] = {}
        self._wire: PacketSocket | None = None
        with contextlib.ExitStack() as undo:
            undo.callback(self.close)
            entered = _prepare_process(rootless)
            self.facts = timeline.Testbed(
                kind="namespace", kernel=os.uname().release, rootless=entered
            )
            try:
                self._build(crafted, quickack)
            except OSError as refusal:
                raise _not_built(refusal) from refusal
            undo.pop_all()

    def _namespace(self) -> Namespace:
        made = Namespace()
        self._open.callback(made.close)
        self._permit.include(made.fd)
        return made

    def _build(self, crafted: frozenset[str], quickack: frozenset[str]) -> None:
        wire = self._namespace()
        homes = {seat.name: self._namespace() for seat in self._seats}
        with wire.entered():
            self._lay(homes)
        for seat in self._seats:
            with homes[seat.name].entered():
                self._furnish(seat, quick=seat.name in quickack)
            self._settle(seat, homes[seat.name], crafted=seat.name in crafted)
        if self._family is Family.IPV6:
            for seat in self._seats:
                with homes[seat.name].entered():
                    _wait_for_address(seat.ip6)

    def _lay(self, homes: dict[str, Namespace]) -> None:
        """Inside the wire's namespace: the socket that sees every cable, and the cables."""
        _set("net/ipv6/conf/all/disable_ipv6", "1")
        self._wire = PacketSocket(None, self._permit)
        self._open.callback(self._wire.close)
        with contextlib.closing(Netlink(ROUTE)) as netlink:
            netlink.tell(_cable(seat, homes[seat.name]) for seat in self._seats)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            for seat in self._seats:
                offloads.turn_off(control, seat.cable)

    def _furnish(self, seat: Seat, *, quick: bool) -> None:
        """Inside a host's namespace: addresses, neighbours and routes, then the link up."""
        if self._family is Family.IPV4:
            _set("net/ipv6/conf/all/disable_ipv6", "1")
        else:
            for name, value in _QUIET_IPV6.items():
                _set(f"net/ipv6/conf/{_INTERFACE}/{name}", value)
        requests = [
            links.set_up(_LOOPBACK),
            links.set_up(_NIC),
            links.address(_NIC, seat.ip(self._family), PREFIX[self._family]),
        ]
        for other in self._seats:
            if other is not seat:
                ip = other.ip(self._family)
                requests.append(links.neighbour(_NIC, ip, other.mac))
                requests.append(
                    links.host_route(_NIC, ip, quickack=quick, rto_min_ms=self._rto_min_ms)
                )
        with contextlib.closing(Netlink(ROUTE)) as netlink:
            netlink.tell(requests)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            offloads.turn_off(control, _INTERFACE)

    def _settle(self, seat: Seat, home: Namespace, *, crafted: bool) -> None:
        """Give the host its TCP: the namespace's kernel, or tcplab's own."""
        ip = seat.ip(self._family)
        if crafted:
            from tcplab.testbed.crafted_host import CraftedHost  # tcplab's own TCP, and Scapy

            host: KernelHost | CraftedHost = CraftedHost(
                seat.name, ip, inside=home.entered, permit=self._permit, interface=_INTERFACE
            )
        else:
            host = KernelHost(seat.name, ip, home)
        self.hosts[seat.name] = host
        self._open.callback(host.close)

    def reserve(self, server_port: int) -> Flow:
        """A connection to that port from a random one (Linux's default range is 32768 to 60999)."""
        client_port = 32768 + int.from_bytes(os.urandom(4)) % 28232
        return Flow(
            client=Address(self.hosts["client"].ip, client_port),
            server=Address(self.hosts["server"].ip, server_port),
        )

    def arrivals(self, timeout_s: float) -> list[Arrival]:
        """Frames that hosts have sent, oldest first. Frames that are no TCP pass on at once."""
        deadline_ns = time.monotonic_ns() + int(timeout_s * 1e9)
        while True:
            found: list[Arrival] = []
            for seen in self._socket.take():
                sender = seen.interface.removeprefix(CABLE)
                arrival = Arrival(sender=sender, at_ns=seen.at_ns, frame=seen.frame)
                if seen.frame.segment is None:
                    self.deliver(arrival)
                else:
                    found.append(arrival)
            timers = [host.tick() for host in self.hosts.values()]
            wake_ns = min([deadline_ns, *(at_ns for at_ns in timers if at_ns is not None)])
            now_ns = time.monotonic_ns()
            if found or now_ns >= deadline_ns:
                return found
            select([self._socket], [], [], max(wake_ns - now_ns, 0) / 1e9)

    def deliver(self, arrival: Arrival) -> None:
        """Carry the frame to whose address it bears, or to all others; they have dealt with it
        then.
        """
        for name in self._receivers(arrival):
            self._socket.send(arrival.frame, SEATS[name].cable)
            self.hosts[name].settle(arrival.frame)

    @property
    def _socket(self) -> PacketSocket:
        if self._wire is None:
            raise RuntimeError("the wire was never laid")
        return self._wire

    def _receivers(self, arrival: Arrival) -> list[str]:
        others = [name for name in self.hosts if name != arrival.sender]
        named = [name for name in others if self.hosts[name].ip == arrival.frame.dst_ip]
        return named or others

    def drops(self) -> int:
        """Frames that the wire's socket had no room for."""
        return self._socket.lost()

    def close(self) -> None:
        """Give everything back."""
        self._open.close()


def _wait_for_address(ip: str) -> None:
    """Wait until packets to `ip` are taken as this host's own.

    The kernel ends duplicate address detection, even one that was declined, in a work queue, and
    adds the local route only then (net/ipv6/addrconf.c, addrconf_dad_work). Before that, about one
    first SYN in 200 was silently dropped.
    """
    from tcplab.kernel.routes import RouteType, route_to

    deadline_s = time.monotonic() + _ADDRESS_PATIENCE_S
    while route_to(ip).type is not RouteType.LOCAL:
        if time.monotonic() > deadline_s:
            raise UnavailableError(
                Text("The kernel does not bring up the IPv6 address {address}.", address=ip),
                remedy=Text("Use IPv4, or see this machine's IPv6 settings: sysctl net.ipv6"),
            )
        time.sleep(_ADDRESS_PAUSE_S)


def _prepare_process(rootless: bool | None) -> bool:
    """Make sure that this process may make network namespaces; True if it took a user namespace."""
    if not rootless:
        try:
            Namespace().close()
        except OSError as refusal:
            if rootless is False or refusal.errno != errno.EPERM:
                raise _explained() from refusal
        else:
            from tcplab.kernel.privilege import in_first_user_namespace

            return os.geteuid() != 0 or not in_first_user_namespace()
    try:
        enter_user_namespace()
    except OSError as refusal:
        raise _explained() from refusal
    return True


def _explained() -> TcplabError:
    """Which switch of this machine forbids namespaces; found out only now that one does."""
    from tcplab.testbed.preflight import facts_of_this_machine, why_no_namespaces

    return why_no_namespaces(facts_of_this_machine())


def _not_built(refusal: OSError) -> UnavailableError:
    """Namespaces can be made, but something in them cannot (a module, a capability, a limit)."""
    return UnavailableError(
        Text("The testbed could not be built: {why}.", why=os.strerror(refusal.errno or 0)),
        remedy=Text("See what is missing here: {command}", command="tcplab doctor"),
    )


def _cable(seat: Seat, home: Namespace) -> links.Request:
    return links.veth(
        name=seat.cable,
        mac=seat.wire_mac,
        index=seat.wire_index,
        peer=_INTERFACE,
        peer_mac=seat.mac,
        peer_index=_NIC,
        peer_netns=home.fd,
    )


def _set(setting: str, value: str) -> None:
    """Write a sysctl of the namespace that this thread is in."""
    # A container may show /proc/sys read-only. IPv6 then says a few words of its own accord, which
    # pass as frames that are no TCP and are never steps.
    with contextlib.suppress(OSError), open(f"/proc/sys/{setting}", "w") as file:
        file.write(value)
