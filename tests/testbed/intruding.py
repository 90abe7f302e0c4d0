"""Somebody with the power to do so meddles with a testbed's links, from a namespace beside it."""

import contextlib
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from struct import pack

from tcplab.kernel import links
from tcplab.kernel.netlink import CREATE, EXCLUSIVE, ROUTE, Netlink, attribute, integer
from tcplab.testbed.netns import Namespace
from tcplab.wire.frame import decode

STRANGER, EAR = 50, 51
"""The indexes of the strange interface, and of that to which all leads that leaves by it."""
_NEW_LINK = 16
_NEW_INDEX = 49  # IFLA_NEW_IFINDEX
_UP = 1
_EVERY_PROTOCOL = 0x0003


def moved(
    index: int, netns: int, *, to: int = 0, name: str | None = None, up: bool = False
) -> links.Request:
    """Into the namespace behind that descriptor, in one request: to an index, by a name, up."""
    body = pack("=BxHiII", 0, 0, index, _UP if up else 0, _UP) + attribute(28, pack("=i", netns))
    if to:
        body += attribute(_NEW_INDEX, integer(to))
    if name is not None:
        body += attribute(3, name)
    return _NEW_LINK, 0, body


def renamed(index: int, name: str) -> links.Request:
    """Set down first: not every kernel renames what is up."""
    return _NEW_LINK, 0, pack("=BxHiII", 0, 0, index, 0, _UP) + attribute(3, name)


def resized(index: int, mtu_octets: int) -> links.Request:
    """A change that the kernel tells everybody of, and that is none of a link's identity."""
    return _NEW_LINK, 0, pack("=BxHiII", 0, 0, index, 0, 0) + attribute(4, integer(mtu_octets))


def bridge(index: int, name: str) -> links.Request:
    """A bridge."""
    body = pack("=BxHiII", 0, 0, index, 0, 0) + attribute(3, name)
    return _NEW_LINK, CREATE | EXCLUSIVE, body + attribute(18, attribute(1, "bridge"))


def pair(index: int, name: str, other: Namespace, other_index: int, other_name: str):
    """A veth pair: one end here and up, the other in the namespace `other`."""
    return links.veth(
        name=name,
        mac="02:00:00:00:ee:01",
        index=index,
        peer=other_name,
        peer_mac="02:00:00:00:ee:02",
        peer_index=other_index,
        peer_netns=other.fd,
    )


def tell(namespace: Namespace, *requests: links.Request) -> None:
    """Change the links of that namespace."""
    with namespace.entered(), contextlib.closing(Netlink(ROUTE)) as netlink:
        netlink.tell(requests)


@dataclass
class Intruder:
    """Owns an interface named evil0, with the index STRANGER, in `outside`, and hears what leaves
    by it, wherever it is.
    """

    outside: Namespace
    behind: Namespace
    ear: socket.socket

    def move_in(self, where: Namespace, **how) -> None:
        """As `ip link set evil0 netns /proc/PID/fd/N` does it."""
        reached = os.open(f"/proc/{os.getpid()}/fd/{where.fd}", os.O_RDONLY)
        try:
            tell(self.outside, moved(STRANGER, reached, **how))
        finally:
            os.close(reached)

    def heard(self) -> list[bytes]:
        """The frames that have left by the strange interface, but for what it says of itself when
        it comes up: IGMP, MLD and neighbour discovery, from no address of a testbed's.
        """
        found = []
        with contextlib.suppress(BlockingIOError):
            while True:
                found.append(self.ear.recv(4096))
        return [each for each in found if not _is_its_own(each)]


def _is_its_own(octets: bytes) -> bool:
    source = decode(octets).src_ip
    return octets[0] & 1 == 1 and (source in ("0.0.0.0", "::") or source.startswith("fe80::"))


@contextlib.contextmanager
def intruder() -> Iterator[Intruder]:
    """After the testbed was made: rootless, that is when this process may make namespaces."""
    with contextlib.ExitStack() as opened:
        outside, behind = Namespace(), Namespace()
        for each in (outside, behind):
            opened.callback(each.close)
        for each in (outside, behind):
            with each.entered(), contextlib.suppress(FileNotFoundError):
                for conf in ("all", "default"):  # it says nothing of its own accord
                    with open(f"/proc/sys/net/ipv6/conf/{conf}/disable_ipv6", "w") as setting:
                        setting.write("1")
        tell(behind, pair(EAR, "ear0", outside, STRANGER, "evil0"))
        with behind.entered():
            ear = opened.enter_context(
                socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
            )
            ear.bind(("ear0", _EVERY_PROTOCOL))
        yield Intruder(outside, behind, ear)
