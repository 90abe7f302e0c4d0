"""Both kinds of testbed, with everything in them that can send."""

import contextlib
import errno
import socket
from array import array
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace

from tcplab.analysis.scanning.census import Census
from tcplab.errors import RefusedError
from tcplab.scenario.host_settings import HostSettings
from tcplab.tcp.flags import Flags
from tcplab.tcp.segment import Address, Segment
from tcplab.tcp.sequence import Seq
from tcplab.testbed.direct import DirectTestbed
from tcplab.testbed.namespace import NamespaceTestbed
from tcplab.testbed.plan import SEATS, Family
from tcplab.wire.burst.outlet import Outlet
from tcplab.wire.burst.path import Path
from tcplab.wire.codec import craft
from tcplab.wire.compose import ethernet
from tcplab.wire.connecting import ConnectProber
from tcplab.wire.frame import Frame
from tcplab.wire.packet_socket import PacketSocket
from tcplab.wire.pump import Arrival
from tcplab.wire.raw_socket import RawSocket

Attempt = Callable[[], object]


def syn(source: str, destination: str) -> Segment:
    return Segment(
        src=Address(source, 40000), dst=Address(destination, 80), seq=Seq(1), flags=Flags.SYN
    )


def frame(source: str, destination: str, to: str = "server") -> Frame:
    """From the client's MAC, by whatever addresses, to that host's."""
    return ethernet(syn(source, destination), src_mac=SEATS["client"].mac, dst_mac=SEATS[to].mac)


class Stepped:
    """The testbed with the stepped wire, and every way in which it sends."""

    ALL = tuple(HostSettings(name=name) for name in ("client", "server", "attacker"))

    def __init__(self, family: Family, rootless: bool) -> None:
        self.testbed = NamespaceTestbed(family=family, settings=self.ALL, rootless=rootless)
        self.middle = self.testbed._middle
        self.client = self.testbed._homes["client"].namespace
        self.permit = self.testbed._permit
        self._sockets = contextlib.ExitStack()
        with self.client.entered():
            self.raw = RawSocket(
                socket.AF_INET6 if family is Family.IPV6 else socket.AF_INET,
                self.permit,
                interface="eth0",
            )
            self.nic = PacketSocket("eth0", self.permit)
        self._sockets.callback(self.raw.close)
        self._sockets.callback(self.nic.close)

    def ip(self, host: str) -> str:
        return self.testbed.ip(host)

    def ways(self, to: str) -> dict[str, Attempt]:
        """Everything that can send, about to send one segment to that address."""
        source = self.ip("client")
        return {
            "wire to server": lambda: self.testbed.deliver(
                Arrival(sender="client", at_ns=0, frame=frame(source, to))
            ),
            "wire to client": lambda: self.testbed._put(frame(source, to, "client"), "client"),
            "client's raw socket": lambda: self.raw.send(craft(syn(source, to)), to),
            "client's packet socket": lambda: self.nic.send(frame(source, to), "eth0"),
        }

    def close(self) -> None:
        self._sockets.close()
        self.testbed.close()


class Direct:
    """The testbed with direct links, and every way in which it sends."""

    def __init__(self, family: Family, rootless: bool) -> None:
        self.testbed = DirectTestbed(
            family=family, rootless=rootless, others=("client", "attacker"), spoofer="attacker"
        )
        self.middle = self.testbed._homes["server"].namespace
        self.client = self.testbed._homes["client"].namespace
        self.permit = self.testbed._permit
        self._sockets = contextlib.ExitStack()
        self._family = socket.AF_INET6 if family is Family.IPV6 else socket.AF_INET
        with self.client.entered():
            self.raw = RawSocket(self._family, self.permit, interface="eth0")
            self.nic = PacketSocket("eth0", self.permit)
        with self.middle.entered():
            self.back = PacketSocket("w-client", self.permit)
        for each in (self.raw, self.nic, self.back):
            self._sockets.callback(each.close)
        self._outlets: dict[str, Outlet] = {}
        self._probers: dict[str, ConnectProber] = {}

    def ip(self, host: str) -> str:
        return self.testbed.ip(host)

    def path(self, to: str) -> Path:
        return replace(self.testbed.path(), destination=to)

    def ways(self, to: str) -> dict[str, Attempt]:
        """Everything that can send, about to send one segment to that address."""
        source = self.ip("client")
        return {
            "burst": lambda: self.burst(to),
            "connect": lambda: self.connect(to),
            "client's raw socket": lambda: self.raw.send(craft(syn(source, to)), to),
            "client's packet socket": lambda: self.nic.send(frame(source, to), "eth0"),
            "server's packet socket": lambda: self.back.send(
                frame(source, to, "client"), "w-client"
            ),
        }

    def burst(self, to: str) -> None:
        if to not in self._outlets:
            packet = craft(syn(self.ip("client"), to))
            with self.client.entered():
                self._outlets[to] = Outlet(self.path(to), packet, 8)
            self._sockets.callback(self._outlets[to].close)
        self._outlets[to].send(8, lambda: None)

    def connect(self, to: str) -> None:
        """By a descriptor that has asked before, if it could."""
        if to not in self._probers:
            self._probers[to] = ConnectProber(self.path(to), Census((range(81, 82),)))
            self._sockets.callback(self._probers[to].close)
        before = self._probers[to].sent
        self._probers[to].send(array("H", [81]))
        if self._probers[to].sent == before:  # it found no address to ask from
            raise OSError(errno.EADDRNOTAVAIL, "nothing was sent")

    def close(self) -> None:
        self._sockets.close()
        self.testbed.close()


KINDS = {"stepped": Stepped, "direct": Direct}
Lab = Stepped | Direct


@contextlib.contextmanager
def lab_of(kind: str, family: Family, rootless: bool) -> Iterator[Lab]:
    with closing(KINDS[kind](family, rootless)) as lab:
        yield lab


def tried(ways: dict[str, Attempt]) -> dict[str, str]:
    """What became of each attempt to send: "sent", or the refusal's or kernel's name for it."""
    said = {}
    for name, attempt in ways.items():
        try:
            attempt()
            said[name] = "sent"
        except RefusedError as refusal:
            said[name] = refusal.status.name
        except OSError as failure:
            said[name] = errno.errorcode[failure.errno]
    return said
