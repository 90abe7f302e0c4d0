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
from typing import TYPE_CHECKING

from tcplab.kernel import links, offloads
from tcplab.kernel.netlink import ROUTE, Netlink
from tcplab.scenario.host_settings import HostSettings
from tcplab.scenario.steps import Connection
from tcplab.testbed.confinement import Confinement
from tcplab.testbed.flows import Flows
from tcplab.testbed.home import Home
from tcplab.testbed.host import Flow
from tcplab.testbed.hub import Hub
from tcplab.testbed.kernel_host import KernelHost
from tcplab.testbed.netns import Namespace
from tcplab.testbed.plan import CABLE, INTERFACE, SEATS, Family, wired
from tcplab.testbed.rootless import not_built, prepare_process
from tcplab.testbed.sleep import sleep
from tcplab.testbed.sysctls import set_quietly
from tcplab.timeline import timeline
from tcplab.wire.frame import Frame
from tcplab.wire.packet_socket import PacketSocket
from tcplab.wire.pump import Arrival

if TYPE_CHECKING:
    from tcplab.testbed.crafted_host import CraftedHost
    from tcplab.testbed.eavesdropper import Eavesdropper

_TWO_HOSTS = (HostSettings(name="client"), HostSettings(name="server"))
_LOST = frozenset({errno.ENETDOWN, errno.ENODEV, errno.ENXIO, errno.ENOBUFS, errno.EAGAIN})
"""A frame that a link does not take is lost there, as on any link."""


class NamespaceTestbed:
    """Hosts in namespaces and the wire between them, set up as `settings` say.

    With `rootless` None a user namespace is entered only if this process may not make network
    namespaces without; that cannot be undone, so a process that wants to go on as it was forks
    first. Raises PrivilegeError or UnavailableError, with the switch that forbids it.
    """

    stepped = True

    def __init__(
        self,
        *,
        family: Family = Family.IPV4,
        settings: tuple[HostSettings, ...] = _TWO_HOSTS,
        rootless: bool | None = None,
    ) -> None:
        self._family = family
        self._open = contextlib.ExitStack()
        self._confinement = Confinement()
        self._permit = self._confinement.permit
        self._open.callback(self._confinement.close)
        self._homes: dict[str, Home] = {}
        self._possessions = {each.name: contextlib.ExitStack() for each in settings}
        self._flows = Flows(self.ip)
        self._cut: set[str] = set()
        self._left: set[str] = set()
        self._hub = Hub(self._put)
        self.hosts: dict[str, KernelHost | CraftedHost] = {}
        self.settings: tuple[timeline.Setting, ...] = ()
        self._wire: PacketSocket | None = None
        with contextlib.ExitStack() as undo:
            undo.callback(self.close)
            entered = prepare_process(rootless)
            self.facts = timeline.Testbed(
                kind="namespace", kernel=os.uname().release, rootless=entered
            )
            try:
                self._build(settings)
            except OSError as refusal:
                raise not_built(refusal) from refusal
            undo.pop_all()

    # --- building ---------------------------------------------------------------------------

    def _namespace(self, owner: contextlib.ExitStack) -> Namespace:
        made = Namespace()
        owner.callback(made.close)
        self._confinement.admit(made)
        owner.callback(self._confinement.dismiss, made)
        return made

    def _build(self, settings: Iterable[HostSettings]) -> None:
        self._middle = self._namespace(self._open)
        names = list(self._possessions)
        for each in settings:
            namespace = self._namespace(self._possessions[each.name])
            nics = wired(each.name, names)
            self._homes[each.name] = Home(namespace, SEATS[each.name], each, self._family, nics)
        with self._middle.entered():
            set_quietly("net/ipv6/conf/all/disable_ipv6", "1")
            self._wire = PacketSocket(None, self._permit)
            self._open.callback(self._wire.close)
        self._lay(self._homes.values())
        for home in self._homes.values():
            self.settings += tuple(home.furnish(self._others(home)))
            self._move_in(home)
        for home in self._homes.values():
            home.settle_in()

    def _lay(self, homes: Iterable[Home]) -> None:
        """The cables from the wire's namespace to these."""
        self._confinement.lay(self._middle, homes)
        with self._middle.entered():
            for home in homes:
                self._socket.leave_by(home.seat.cable)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
                for home in homes:
                    offloads.turn_off(control, home.seat.cable)

    def _others(self, home: Home) -> list[Home]:
        return [other for other in self._homes.values() if other is not home]

    def _move_in(self, home: Home) -> None:
        """Give the host its TCP: the namespace's kernel, or tcplab's own."""
        name = home.settings.name
        if home.settings.crafted:
            from tcplab.testbed.crafted_host import CraftedHost  # tcplab's own TCP, and Scapy

            host: KernelHost | CraftedHost = CraftedHost(
                name,
                home.ip,
                inside=home.namespace.entered,
                permit=self._permit,
                interface=INTERFACE,
                rto_min_ms=home.settings.rto_min_ms,
            )
        else:
            limit = home.settings.descriptors
            host = KernelHost(name, home.ip, home.namespace, descriptors=limit)
        self.hosts[name] = host
        self._possessions[name].callback(host.close)
        self._hub.plug_in(home, self._permit, self._possessions[name])

    # --- connections ------------------------------------------------------------------------

    def reserve(self, server_port: int) -> Flow:
        """A connection to that port from a random one, which no other has had."""
        return self._flows.reserve(server_port)

    def flow(self, conn: Connection, like: Flow | None = None, *, chosen: bool = True) -> Flow:
        """The ends of a connection that a scenario names; its client port is that of `like`, or is
        not `chosen` yet.
        """
        return self._flows.flow(conn, like, chosen=chosen)

    def ip(self, host: str) -> str:
        """The address that the host has now."""
        return self._homes[host].ip

    # --- the wire ---------------------------------------------------------------------------

    def look(self) -> None:
        """Raise RefusedError if somebody else has got at its links."""
        self._permit.look()

    def arrivals(self, timeout_s: float) -> list[Arrival]:
        """Frames that hosts have sent, oldest first. Frames that are no TCP pass on at once.

        Returns early with none if an application can go on, whose socket is ready or whose time
        has come. Raises RefusedError as soon as somebody else has got at the links: kernels send of
        their own accord while a run waits.
        """
        deadline_ns = time.monotonic_ns() + int(timeout_s * 1e9)
        wakers = (self._socket.fileno(), self._permit.fileno())
        while True:
            self.look()
            found = self._taken()
            timers = [host.tick() for host in self.hosts.values()]
            now_ns = time.monotonic_ns()
            if found or now_ns >= deadline_ns:
                return found
            plays = [host.next_ns() for host in self.hosts.values()]
            play_ns = min((at_ns for at_ns in plays if at_ns is not None), default=None)
            if play_ns is not None and play_ns <= now_ns:
                return []
            wakes = [deadline_ns, *(at_ns for at_ns in (*timers, play_ns) if at_ns is not None)]
            if sleep(wakers, self.hosts.values(), max(min(wakes) - now_ns, 0)):
                return self._taken()

    def _taken(self) -> list[Arrival]:
        found: list[Arrival] = []
        for seen in self._socket.take():
            sender = seen.interface.removeprefix(CABLE)
            arrival = Arrival(sender=sender, at_ns=seen.at_ns, frame=seen.frame)
            if seen.frame.segment is None:
                self.deliver(arrival)
            else:
                found.append(arrival)
        return found

    def deliver(self, arrival: Arrival) -> bool:
        """Carry the frame to whose address it bears, or to all others; they have dealt with it
        then. False if it reached nobody.
        """
        receivers = self._receivers(arrival)
        self._hub.carry(arrival, apart_from=receivers)
        reached = [self._put(arrival.frame, name) for name in receivers]
        return any(reached)

    def overhear(self, arrival: Arrival) -> None:
        """Carry the frame to those alone who eavesdrop: whom it is for does not take it."""
        self._hub.carry(arrival, apart_from=())

    def eavesdropper(self, host: str) -> "Eavesdropper | None":
        """That host's ear on the wire; None if it hears only what is for it."""
        return self._hub.listener(host)

    def _put(self, frame: Frame, name: str) -> bool:
        if name in self._cut:
            return False
        try:
            self._socket.send(frame, self._homes[name].seat.cable)
        except OSError as refusal:
            if refusal.errno not in _LOST:
                raise
            return False
        self.hosts[name].settle(frame)
        return True

    @property
    def _socket(self) -> PacketSocket:
        if self._wire is None:
            raise RuntimeError("the wire was never laid")
        return self._wire

    def _receivers(self, arrival: Arrival) -> list[str]:
        if arrival.frame.dst_ip in self._left:
            return []
        others = [name for name in self.hosts if name != arrival.sender]
        named = [name for name in others if self.ip(name) == arrival.frame.dst_ip]
        return named or others

    # --- what befalls hosts -----------------------------------------------------------------

    def cut(self, host: str) -> None:
        """Pull the host's cable: its NIC has lost its carrier when this returns."""
        self._cut.add(host)
        self._plug(host, there=False)

    def restore(self, host: str) -> None:
        """Plug it in again; the host sends and receives when this returns."""
        self._plug(host, there=True)
        self._cut.discard(host)

    def _plug(self, host: str, *, there: bool) -> None:
        home = self._homes[host]
        with self._middle.entered(), contextlib.closing(Netlink(ROUTE)) as netlink:
            netlink.tell([links.set_up(home.seat.far_index, up=there)])
        home.wait_for_carrier(there=there)

    def reboot(self, host: str) -> None:
        """The host's namespace goes with all that was in it, and another takes its place.

        `hosts` has another object then. The cable goes first, so that closing its sockets sends
        nothing.
        """
        home = self._homes[host]
        self._confinement.remove(self._middle, home)
        self._possessions[host].close()
        home.namespace = self._namespace(self._possessions[host])
        self._lay([home])
        home.furnish(self._others(home))
        self._move_in(home)
        home.settle_in()
        if host in self._cut:
            self._plug(host, there=False)

    def readdress(self, host: str, number: int) -> None:
        """The host has another address, and its old one is nobody's. Raises ValueError if the new
        one is somebody else's.
        """
        home = self._homes[host]
        seat = SEATS[host].renumbered(number)
        others = self._others(home)
        if seat.ip(self._family) in [other.ip for other in others]:
            raise ValueError(f"{seat.ip(self._family)} is another host's address")
        self._left.add(home.ip)
        home.move(seat, others)
        self._left.discard(home.ip)
        for other in others:
            other.meet(home)
        self.hosts[host].ip = home.ip

    # --- the end ----------------------------------------------------------------------------

    def drops(self) -> int:
        """Frames that the wire's socket, or that of a host that eavesdrops, had no room for."""
        return self._socket.lost() + self._hub.lost()

    def close(self) -> None:
        """Give everything back."""
        for possessions in self._possessions.values():
            possessions.close()
        self._open.close()
