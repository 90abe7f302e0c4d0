"""What keeps a testbed closed: its namespaces, the links that are meant to be in them, its permit.

Whatever a testbed does to its own links it announces here first. What is not announced was done by
somebody else, and then nothing more is sent.
"""

import contextlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from tcplab.kernel import links
from tcplab.kernel.link_watch import LinkWatch, OwnLink
from tcplab.kernel.netlink import ROUTE, Netlink
from tcplab.testbed.plan import NETWORKS
from tcplab.wire.testbed_permit import TestbedPermit

if TYPE_CHECKING:
    from tcplab.testbed.home import Home
    from tcplab.testbed.netns import Namespace


class Confinement:
    """Of one testbed, which has to close it. `permit` is what its senders ask."""

    def __init__(self) -> None:
        self.permit = TestbedPermit(*NETWORKS)
        self._watches: dict[Namespace, LinkWatch] = {}

    def admit(self, namespace: "Namespace") -> None:
        """A namespace that was just made belongs to the testbed, and is watched from now on."""
        with namespace.entered():
            watch = LinkWatch()
        self.permit.include(namespace.fd, watch)
        self._watches[namespace] = watch

    def dismiss(self, namespace: "Namespace") -> None:
        """It does not any more. Before the namespace is closed."""
        del self._watches[namespace]
        self.permit.exclude(namespace.fd)

    def lay(self, middle: "Namespace", homes: Iterable["Home"]) -> None:
        """Lay the cables from the namespace in the middle to these hosts.

        Raises RefusedError if the testbed is not closed when they are there.
        """
        homes = tuple(homes)
        for home in homes:
            (nic,) = home.nics
            seat = home.seat
            self._watches[middle].expect(
                OwnLink(index=seat.far_index, name=seat.cable, peer_index=nic.index)
            )
            self._watches[home.namespace].expect(
                OwnLink(index=nic.index, name=nic.name, peer_index=seat.far_index)
            )
        with middle.entered(), contextlib.closing(Netlink(ROUTE)) as netlink:
            netlink.tell(home.cable() for home in homes)
        self.permit.look()

    def remove(self, middle: "Namespace", home: "Home") -> None:
        """Take that host's cable away, both ends of it.

        Raises RefusedError if anything else has happened until then.
        """
        (nic,) = home.nics
        self._watches[middle].release(home.seat.far_index)
        self._watches[home.namespace].release(nic.index)
        with middle.entered(), contextlib.closing(Netlink(ROUTE)) as netlink:
            netlink.tell([links.delete(home.seat.far_index)])
        self.permit.look()

    def close(self) -> None:
        """Nothing may be sent any more. Closing twice is fine."""
        self.permit.close()
        self._watches.clear()
