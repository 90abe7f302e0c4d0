"""Small networks for tests of the NIC path: hosts in namespaces, joined by plain veth links.

Nothing is stepped here. The kernels forward, resolve neighbours and answer as they do anywhere, and
the installed `tcplab` runs inside the client's namespace like on any machine. It all happens in a
process of its own with a user namespace (`apart`), so no root is needed.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from select import select
from struct import pack
from typing import Any, TypeVar

import pytest

from tcplab.kernel import links, offloads
from tcplab.kernel.netlink import ACK, CREATE, ROUTE, Netlink, attribute, attributes
from tcplab.kernel.routes import RouteType, route_to
from tcplab.tcp.flags import Flags
from tcplab.tcp.segment import Address, Segment
from tcplab.testbed.netns import Namespace, enter_user_namespace
from tcplab.wire.frame import Frame, Link
from tcplab.wire.packet_socket import PacketSocket
from tests.live import forked
from tests.permits import permit_for

T = TypeVar("T")

PROGRAM = Path(sys.executable).parent / "tcplab"
PORT = 80
DEADLINE_S = 40.0
"""For anything here: far more than it needs, so that a hang fails instead of lasting."""
BUDGET = 20
"""The packets that `handshake HOST` may send."""
VERSIONS = (4, 6)
every_version = pytest.mark.parametrize("version", VERSIONS, ids="IPv{}".format)

_NEAR = {4: "192.0.2.{}", 6: "2001:db8:1::{}"}
_FAR = {4: "198.51.100.{}", 6: "2001:db8:2::{}"}
PREFIX = {4: 24, 6: 64}
_LOOPBACK = 1
_OPERATIONAL, _UP = 16, 6  # IFLA_OPERSTATE, IF_OPER_UP


def apart(function: Callable[..., T], *args: Any) -> T:
    """`function(*args)`, computed in a process of its own that may make network namespaces."""
    return forked(_entered, function, args)


def _entered(function: Callable[..., T], args: tuple[Any, ...]) -> T:
    enter_user_namespace()
    return function(*args)


def until(true: Callable[[], bool]) -> None:
    """Wait for the kernel to have done something in the background."""
    deadline_s = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < deadline_s, "it never became true"
        time.sleep(0.0005)


def heeding_signals() -> None:
    """For a program that is to be disturbed: whoever runs the tests may ignore these (nohup)."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


# --- hosts and cables ---------------------------------------------------------------------------


class Host:
    """A namespace with loopback up. `ip` holds its addresses, by version; `permit` allows sockets
    to send inside it.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.namespace = Namespace()
        self.interfaces = 0
        self.ip: dict[int, str] = {}
        self.permit = permit_for(self.namespace)
        self.tell(links.set_up(_LOOPBACK))

    def tell(self, *requests: links.Request) -> None:
        """Change its links, addresses or routes."""
        with self.namespace.entered(), contextlib.closing(Netlink(ROUTE)) as netlink:
            netlink.tell(requests)

    def set(self, setting: str, value: str) -> None:
        """Write a sysctl of its namespace."""
        with self.namespace.entered():
            Path("/proc/sys/net", setting).write_text(value)

    def route(
        self, destination: str, prefix: int, *, via: str | None = None, kind: int = 1
    ) -> None:
        """A route by a gateway, or of a `kind` that rejects (RTN_* of linux/rtnetlink.h)."""
        family = links.family(destination)
        body = pack("=BBBBBBBBI", family, prefix, 0, 0, 254, 3, 0, kind, 0)
        body += attribute(1, socket.inet_pton(family, destination))
        if via is not None:
            body += attribute(5, socket.inet_pton(family, via))
        self.tell((24, CREATE | ACK, body))

    def reject(self, ip: str, kind: int) -> None:
        """Treat packets to `ip` as BLACKHOLE, UNREACHABLE or PROHIBIT says."""
        self.route(ip, 128 if ":" in ip else 32, kind=kind)

    def listen(self, ip: str, port: int = PORT) -> socket.socket:
        """A server's socket. Its calls fail when they take longer than any test should."""
        with self.namespace.entered():
            listener = socket.socket(links.family(ip), socket.SOCK_STREAM)
        listener.settimeout(DEADLINE_S)
        listener.bind((ip, port))
        listener.listen()
        return listener

    def capture(self, interface: str = "eth0", **how: Any) -> PacketSocket:
        """What passes one of its interfaces, in both directions."""
        with self.namespace.entered():
            return PacketSocket(interface, self.permit, ignore_outgoing=False, **how)


BLACKHOLE, UNREACHABLE, PROHIBIT = 6, 7, 8


def join(one: Host, other: Host, addresses: dict[int, str], numbers: tuple[int, int]) -> None:
    """Lay a cable between them: eth0 at each end, or eth1 where there is an eth0."""
    ends = [_End(host, number) for host, number in zip((one, other), numbers, strict=True)]
    mine, theirs = ends
    one.tell(
        links.veth(
            name=mine.interface,
            mac=mine.mac,
            index=mine.index,
            peer=theirs.interface,
            peer_mac=theirs.mac,
            peer_index=theirs.index,
            peer_netns=other.namespace.fd,
        )
    )
    for end in ends:
        end.furnish(addresses)
    for end in ends:
        with end.host.namespace.entered():
            until(end.works)


class _End:
    """A cable's end at a host, which is number so-and-so in the subnet."""

    def __init__(self, host: Host, number: int) -> None:
        self.host, self.number = host, number
        self.index = 2 + host.interfaces
        self.interface = f"eth{host.interfaces}"
        self.mac = f"02:00:00:00:{self.index:02x}:{number:02x}"
        self.ip: dict[int, str] = {}
        host.interfaces += 1

    def furnish(self, addresses: dict[int, str]) -> None:
        for setting in ("accept_dad", "dad_transmits", "router_solicitations"):
            self.host.set(f"ipv6/conf/{self.interface}/{setting}", "0")
        self.ip = {version: text.format(self.number) for version, text in addresses.items()}
        self.host.ip = self.ip | self.host.ip
        # What passes is what would be on a cable: whole sums, and nothing longer than the MTU.
        with self.host.namespace.entered(), socket.socket() as control:
            offloads.turn_off(control, self.interface)
        self.host.tell(
            links.set_up(self.index),
            *(links.address(self.index, ip, PREFIX[v]) for v, ip in self.ip.items()),
        )

    def works(self) -> bool:
        """Has the kernel, in the background, noticed cable and IPv6 address?

        Before that a veth drops what it should send, and IPv6 packets to the host are not its own.
        """
        return _operational(self.index) and is_own(self.ip[6])


def is_own(ip: str) -> bool:
    """Does the kernel take packets to `ip` as this host's?"""
    return route_to(ip).type is RouteType.LOCAL


def _operational(index: int) -> bool:
    with contextlib.closing(Netlink(ROUTE)) as netlink:
        answer = netlink.ask(18, pack("=BxHiII", 0, 0, index, 0, 0))
    return dict(attributes(answer[16:]))[_OPERATIONAL][0] == _UP


@dataclass
class Network:
    """The hosts by their names."""

    client: Host
    server: Host
    router: Host | None = None


def on_link() -> Network:
    """Client and server on one cable."""
    net = Network(client=Host("client"), server=Host("server"))
    join(net.client, net.server, _NEAR, (1, 2))
    return net


def routed() -> Network:
    """Client and server on two cables, and a router between them."""
    router = Host("router")
    net = Network(client=Host("client"), server=Host("server"), router=router)
    join(net.client, router, _NEAR, (1, 254))
    join(net.server, router, _FAR, (2, 254))
    router.set("ipv4/ip_forward", "1")
    router.set("ipv6/conf/all/forwarding", "1")
    for version in VERSIONS:
        for host, near, far in ((net.client, _NEAR, _FAR), (net.server, _FAR, _NEAR)):
            host.route(far[version].format(0), PREFIX[version], via=near[version].format(254))
    return net


# --- the program --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Result:
    """How the program ended, what it said, and what left the client's interface meanwhile."""

    status: int
    out: str
    err: str
    left: tuple[Frame, ...]

    @cached_property
    def document(self) -> dict[str, Any]:
        """What --json printed."""
        return json.loads(self.out)

    @property
    def sent(self) -> list[Segment]:
        """The segments that left."""
        return [frame.segment for frame in self.left if frame.segment is not None]

    @property
    def flags_told(self) -> list[str]:
        """The flags of the client's segments, as told: to be compared with `sent`."""
        return [event["flags"] for event in self.told("segment") if event["from"] == "client"]

    def told(self, kind: str) -> list[dict[str, Any]]:
        """The events of that kind."""
        return [event for event in self.document["events"] if event["kind"] == kind]

    @property
    def findings(self) -> dict[str, dict[str, Any]]:
        """The findings by id."""
        return {finding["id"]: finding for finding in self.document["findings"]}

    def found(self, id_: str) -> list[str]:
        """The sentences of the findings with that id."""
        return [each["sentence"] for each in self.document["findings"] if each["id"] == id_]


class Run:
    """One `tcplab ARGUMENTS` on a host. It begins at once; `result` waits for its end."""

    def __init__(
        self,
        host: Host,
        *arguments: str,
        interface: str = "eth0",
        link: Link = Link.ETHERNET,
        before_exec: Callable[[], None] = heeding_signals,
    ) -> None:
        self._capture = host.capture(interface, link=link)
        self._left: list[Frame] = []
        with host.namespace.entered():
            self.process = subprocess.Popen(
                [PROGRAM, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
                preexec_fn=before_exec,
            )

    def accepted_by(self, listener: socket.socket) -> tuple[socket.socket, Address]:
        """The connection that it opens there, and from where. Its end before that fails."""
        ended = os.pidfd_open(self.process.pid)
        ready, _, _ = select([listener, ended], [], [], DEADLINE_S)
        os.close(ended)
        assert listener in ready, f"nobody connected: {self.result().err}"
        accepted, peer = listener.accept()
        accepted.settimeout(DEADLINE_S)
        return accepted, Address(peer[0], peer[1])

    def wait_for(self, flags: Flags) -> None:
        """Wait until a segment with exactly these flags has left."""
        deadline_s = time.monotonic() + DEADLINE_S
        while True:
            fresh = self._take()
            if any(frame.segment and frame.segment.flags == flags for frame in fresh):
                return
            left_s = deadline_s - time.monotonic()
            assert left_s > 0, f"no {flags} was sent"
            select([self._capture], [], [], left_s)

    def result(self) -> Result:
        """How it ended. A hang fails, and so does more than the packets that it may send."""
        try:
            out, err = self.process.communicate(timeout=DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        self._take()
        assert self._capture.lost() == 0
        self._capture.close()
        result = Result(self.process.returncode, out, err, tuple(self._left))
        assert len(result.sent) <= BUDGET
        return result

    def _take(self) -> list[Frame]:
        fresh = [seen.frame for seen in self._capture.take() if seen.outgoing]
        self._left += fresh
        return fresh
