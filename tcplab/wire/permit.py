"""The one check that every packet and every connect() passes before it leaves (safety tiers).

A `Permit` is made when it is known where a run may reach, and goes with it to the sockets that
send: either a testbed that tcplab made, in whose namespaces a socket is then confined for ever, or
the one host that the user named, resolved once.
"""

import os
from dataclasses import dataclass, field
from fcntl import ioctl
from socket import socket
from typing import ClassVar

from tcplab.errors import RefusedError
from tcplab.text import Text

_SIOCGSKNS = 0x894C  # the network namespace of a socket, as a descriptor (linux/sockios.h)
_METADATA_SERVICES = ("169.254.169.254", "fd00:ec2::254")


class TestbedPermit:
    """Anything may be sent inside the namespaces that belong to one testbed, and nothing
    outside.
    """

    __test__ = False  # no test class, whatever its name

    def __init__(self) -> None:
        self._namespaces: set[tuple[int, int]] = set()

    def include(self, netns: int) -> None:
        """The namespace behind the descriptor `netns` belongs to the testbed."""
        status = os.fstat(netns)
        self._namespaces.add((status.st_dev, status.st_ino))

    def check_socket(self, sender: socket) -> None:
        """Raise RefusedError unless `sender` lives in one of the testbed's namespaces."""
        netns = ioctl(sender, _SIOCGSKNS)
        try:
            status = os.fstat(netns)
        finally:
            os.close(netns)
        if (status.st_dev, status.st_ino) not in self._namespaces:
            raise RefusedError(
                Text("A socket outside the testbed was about to send the testbed's frames."),
                remedy=Text("This is a bug in tcplab: please report it."),
            )

    @property
    def last(self) -> bool:
        """Nobody counts."""
        return False

    def check(self, destination: str) -> None:
        """Where the socket is confined, every destination is."""


@dataclass(slots=True)
class HostPermit:
    """At most `budget` packets, to one host, by one interface.

    Raises RefusedError when it is made for an address that names more than one host, or cloud
    metadata, and when anything else than that host is about to be sent to.
    """

    BUDGET: ClassVar = 20

    destination: str
    interface: str
    budget: int = BUDGET
    sent: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        refuse_unless_one_host(self.destination)

    @property
    def last(self) -> bool:
        """Is one packet left? It is kept for an RST, so that the host is not left hanging."""
        return self.sent == self.budget - 1

    def check_socket(self, sender: socket) -> None:
        """Every socket may listen. One that sends is tied to the interface by whoever makes it
        (`RawSocket`), or names it with each frame (`PacketSocket`).
        """

    def check(self, destination: str) -> None:
        """Count one packet to `destination`; raise RefusedError if it may not be sent."""
        if destination != self.destination:
            raise RefusedError(
                Text(
                    "A packet to {found} was about to be sent; this run may reach {named} only.",
                    found=destination,
                    named=self.destination,
                ),
                remedy=Text("This is a bug in tcplab: please report it."),
            )
        if self.sent >= self.budget:
            raise RefusedError(
                Text(
                    "This run has sent {budget} packets to {host}, the most that it may.",
                    budget=self.budget,
                    host=self.destination,
                ),
                remedy=Text("A host that talks this much is better watched with a capture."),
            )
        self.sent += 1


Permit = TestbedPermit | HostPermit


def refuse_unless_one_host(destination: str) -> None:
    """Raise RefusedError for multicast, broadcast, the unspecified address, and cloud metadata."""
    from ipaddress import IPv4Address, ip_address  # 1 ms that the testbed need not pay

    address = ip_address(destination)
    if address.version == 6 and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address.is_multicast or address == IPv4Address("255.255.255.255"):
        why = Text("{address} is not one host but a group of hosts.", address=destination)
    elif address.is_unspecified or (address.version == 4 and address.packed[0] == 0):
        why = Text("{address} is no host's address.", address=destination)
    elif address in map(ip_address, _METADATA_SERVICES):
        why = Text("{address} is a cloud's metadata service.", address=destination)
    else:
        return
    raise RefusedError(why, remedy=Text("Name one host that you may talk to."))
