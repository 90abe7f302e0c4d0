"""The testbed for what needs speed: hosts on plain veth links, with no wire between them.

The server stands in the middle, and each other host has a cable of its own to it. Kernels hand each
other segments as fast as they can, with their offloads on, so a frame is not always what would be
on a wire: the sender leaves checksums unfinished, and data may be cut up late. Nothing is stepped.

As with the stepped wire, nothing has a name or a file, no process stands behind it, there is no
default route, and every address is a documentation address.
"""

import contextlib
import os
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from tcplab.analysis.scanning.report import ServerSaw, peak_by_counters
from tcplab.kernel import links
from tcplab.kernel.counters import Counters, delta
from tcplab.kernel.netlink import ROUTE, Netlink
from tcplab.scenario.host_settings import HostSettings
from tcplab.scenario.services import SERVICES, Services
from tcplab.testbed.confinement import Confinement
from tcplab.testbed.doorway import Doorway
from tcplab.testbed.home import Home
from tcplab.testbed.netns import Namespace
from tcplab.testbed.plan import (
    NOBODY_MAC,
    SEATS,
    SPOOFED,
    Family,
    Nic,
    at_far_end,
    in_the_middle,
    nobody,
)
from tcplab.testbed.rootless import not_built, prepare_process
from tcplab.wire.burst.path import Path

if TYPE_CHECKING:
    from tcplab.timeline import timeline

_SERVER = "server"


class DirectTestbed:
    """A server with `services`, and `others` ("client", "attacker") with a cable each to it.

    With `rootless` None a user namespace is entered only if this process may not make network
    namespaces without; that cannot be undone, and needs a process with one thread. Where ports are
    to be rejected a second thread answers for the server until `close`.

    `settings` are those of the hosts that need any; `backlogs` are the lengths of the accept queues
    of ports that are not to have a long one. With a `spoofer`, the server routes the blocks that
    forged source addresses are from back by that host's cable, to a neighbour that nobody owns: its
    answers leave, and vanish. (Were such addresses on the link itself, nobody would answer the
    server's ARP for them, and its kernel would forget half-open connections for that reason.)

    Raises PrivilegeError, UnavailableError or, for a setting of the whole machine, RefusedError.
    """

    def __init__(
        self,
        *,
        family: Family = Family.IPV4,
        services: Services = SERVICES,
        rootless: bool | None = None,
        others: tuple[str, ...] = ("client",),
        settings: tuple[HostSettings, ...] = (),
        backlogs: Mapping[int, int] | None = None,
        spoofer: str | None = None,
    ) -> None:
        self._family = family
        self._settings = {each.name: each for each in settings}
        self._open = contextlib.ExitStack()
        self._confinement = Confinement()
        self._permit = self._confinement.permit
        self._open.callback(self._confinement.close)
        self._homes: dict[str, Home] = {}
        with contextlib.ExitStack() as undo:
            undo.callback(self.close)
            self._entered = prepare_process(rootless)
            try:
                self._build(others, spoofer)
                self._move_in(services, backlogs)
            except OSError as refusal:
                raise not_built(refusal) from refusal
            undo.pop_all()

    @cached_property
    def facts(self) -> "timeline.Testbed":
        """Where this runs."""
        from tcplab.timeline import timeline  # a scan has none, and is in a hurry

        return timeline.Testbed(kind="namespace", kernel=os.uname().release, rootless=self._entered)

    # --- building ---------------------------------------------------------------------------

    def _build(self, others: tuple[str, ...], spoofer: str | None) -> None:
        server = self._home(_SERVER, in_the_middle(others))
        homes = [self._home(name, at_far_end(name, _SERVER)) for name in others]
        self._confinement.lay(server.namespace, homes)
        # The server first: until the other ends are up its links have no carrier, and IPv6 nothing
        # to say.
        server.furnish(homes)
        for home in homes:
            home.furnish([server])
        if spoofer is not None:
            self._lead_astray(server, SEATS[spoofer].far_index)
        # A NIC drops what it should send until its kernel has noticed the cable, in the background.
        for home in self._homes.values():
            home.wait_for_carrier(there=True)

    def _lead_astray(self, server: Home, index: int) -> None:
        """The server's way to forged source addresses."""
        gateway = nobody(self._family)
        routes = [links.block_route(index, each, gateway) for each in SPOOFED[self._family]]
        with server.namespace.entered(), contextlib.closing(Netlink(ROUTE)) as netlink:
            netlink.tell([links.neighbour(index, gateway, NOBODY_MAC), *routes])
        for each in SPOOFED[self._family]:
            self._permit.route(each)

    def _home(self, name: str, nics: tuple[Nic, ...]) -> Home:
        namespace = Namespace()
        self._open.callback(namespace.close)
        self._confinement.admit(namespace)
        self._open.callback(self._confinement.dismiss, namespace)
        settings = self._settings.get(name) or HostSettings(name=name)
        home = Home(namespace, SEATS[name], settings, self._family, nics, bursts=True)
        self._homes[name] = home
        return home

    def _move_in(self, services: Services, backlogs: Mapping[int, int] | None) -> None:
        with self.inside(_SERVER):
            self._doorway = Doorway(self.ip(_SERVER), services, self._permit, backlogs=backlogs)
            self._open.callback(self._doorway.close)
            self._counters = Counters()
            self._open.callback(self._counters.close)
        self._before = self._counters.read()
        self._log: tuple[tuple[str, int, int], ...] = ()

    # --- what a run needs -------------------------------------------------------------------

    def ip(self, host: str) -> str:
        """The host's address."""
        return self._homes[host].ip

    def inside(self, host: str) -> contextlib.AbstractContextManager[None]:
        """The host's namespace: sockets and processes made in it belong to the host."""
        return self._homes[host].namespace.entered()

    def path(self, host: str = "client") -> Path:
        """From that host, which is not the server, to the server."""
        home = self._homes[host]
        (nic,) = home.nics
        return Path(
            source=home.ip,
            destination=self.ip(_SERVER),
            interface=nic.name,
            link_index=nic.index,
            local=False,
            inside=home.namespace.entered,
            permit=self._permit,
        )

    def look(self) -> None:
        """Raise RefusedError if somebody else has got at its links."""
        self._permit.look()

    def server_saw(self) -> ServerSaw:
        """What the server's applications have accepted, and its kernel has counted, since the
        beginning. Nobody looked between two segments: there is no peak but what those leave.
        """
        counted = delta(self._before, self._counters.read())  # before anything is closed
        self._log += self._doorway.accepted()
        return ServerSaw(
            accepted=self._log, counters=counted, syn_received_peak=peak_by_counters(counted)
        )

    def cut(self, host: str, *, at: str = _SERVER) -> None:
        """Set down the NIC `at` one end of the host's cable, for good.

        At the server's end the host's own NIC loses its carrier: what it sends vanishes. At the
        host's own end its routes go, and it cannot send. Both have happened when this returns.
        """
        home = self._homes[host]
        seat = home.seat
        with self.inside(at), contextlib.closing(Netlink(ROUTE)) as netlink:
            index = seat.far_index if at == _SERVER else home.nics[0].index
            netlink.tell([links.set_up(index, up=False)])
        if at == _SERVER:
            home.wait_for_carrier(there=False)

    def close(self) -> None:
        """Give everything back. Closing twice is fine."""
        self._open.close()
