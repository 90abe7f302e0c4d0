"""Whom a test plays itself on a network of `tests.links`: servers, middleboxes, a tunnel's end."""

import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from fcntl import ioctl
from secrets import randbits
from select import select
from struct import pack
from typing import Protocol

from tcplab.kernel import links
from tcplab.tcp.endpoint import Endpoint
from tcplab.tcp.segment import Address, Segment
from tcplab.tcp.sequence import Seq
from tcplab.tcp.states import State
from tcplab.wire.codec import craft
from tcplab.wire.filters import conversation
from tcplab.wire.frame import Link, decode
from tcplab.wire.packet_socket import PacketSocket
from tcplab.wire.raw_socket import RawSocket
from tcplab.wire.shield import Shield
from tests.links import DEADLINE_S, PORT, PREFIX, Host, Run, is_own, until

_TUNSETIFF, _TUNSETLINK = 0x400454CA, 0x400454CD  # linux/if_tun.h
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000

Answer = Callable[[Segment], Iterable[Segment]]
"""A TCP, or what pretends to be one: the segments that answer one."""


class Actor(Protocol):
    """Whom a test plays."""

    def fileno(self) -> int:
        """Readable when something has come."""

    def hear(self) -> list[Segment]:
        """What has come."""

    def say(self, segment: Segment) -> None:
        """Send it."""


class OnLink:
    """Hears what comes to eth0 of a host and speaks from there, under whatever address it likes.

    Where `ip` is the host's own, a shield keeps its kernel silent.
    """

    def __init__(self, host: Host, ip: str) -> None:
        with host.namespace.entered():
            self._capture = PacketSocket("eth0", host.permit, filter_=conversation(PORT))
            self._raw = RawSocket(links.family(ip), host.permit)
            self._shield = Shield(ip, PORT) if ip in host.ip.values() else None
        self.fileno = self._capture.fileno

    def hear(self) -> list[Segment]:
        """The segments that came in."""
        return [seen.frame.segment for seen in self._capture.take() if seen.frame.segment]

    def say(self, segment: Segment) -> None:
        """With a TTL of 64, and a wrong checksum if it is to have one."""
        octets = bytearray(craft(segment))
        if segment.checksum_ok is False:
            octets[(40 if ":" in segment.dst.ip else 20) + 16] ^= 0xFF
        self._raw.send(bytes(octets), segment.dst.ip)


def play(run: Run, actor: Actor, answer: Answer) -> None:
    """Answer everything that the actor hears, until the program ends."""
    ended = os.pidfd_open(run.process.pid)
    try:
        while True:
            ready, _, _ = select([ended, actor], [], [], DEADLINE_S)
            assert ready, "the program neither speaks nor ends"
            if ended in ready:
                return
            for segment in actor.hear():
                for reply in answer(segment):
                    actor.say(reply)
    finally:
        os.close(ended)


def server(ip: str) -> Answer:
    """A whole TCP that listens at PORT of `ip`, and closes when its peer has."""
    endpoint = Endpoint(
        local=Address(ip, PORT), remote=None, isn=Seq(randbits(32)), mss_octets=1200
    )
    endpoint.listen()

    def answer(segment: Segment) -> Iterator[Segment]:
        now_ns = time.monotonic_ns()
        endpoint.receive(segment, now_ns)
        yield from endpoint.take()
        if endpoint.state is State.CLOSE_WAIT:
            endpoint.read(1 << 16)
            endpoint.close(now_ns)
            yield from endpoint.take()

    return answer


class Tun:
    """A tun interface on a host, with nothing behind it but the test."""

    def __init__(self, host: Host, addresses: dict[int, str], *, hardware_type: int | None = None):
        with host.namespace.entered():
            self._fd = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
            request = pack("16sH22x", b"tun0", _IFF_TUN | _IFF_NO_PI)
            ioctl(self._fd, _TUNSETIFF, request)
            if hardware_type is not None:
                ioctl(self._fd, _TUNSETLINK, hardware_type)
            index = socket.if_nametoindex("tun0")
        host.set("ipv6/conf/tun0/router_solicitations", "0")
        host.tell(
            links.set_up(index),
            *(links.address(index, ip, PREFIX[version]) for version, ip in addresses.items()),
        )
        with host.namespace.entered():
            until(lambda: is_own(addresses[6]))

    def fileno(self) -> int:
        """The device's descriptor."""
        return self._fd

    def hear(self) -> list[Segment]:
        """The segments among the packets that the kernel sent out of it."""
        heard = []
        with contextlib.suppress(BlockingIOError):
            while True:
                frame = decode(os.read(self._fd, 1 << 16), link=Link.NONE)
                if frame.segment is not None:
                    heard.append(frame.segment)
        return heard

    def say(self, segment: Segment) -> None:
        """Let the kernel have received it."""
        os.write(self._fd, craft(segment))
