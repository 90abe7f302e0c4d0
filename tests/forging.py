"""Somebody who answers the probes of a scan wrongly, as fast as it goes, from the server's end."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import suppress
from select import select
from struct import pack

from tcplab.kernel import links
from tcplab.tcp.flags import Flags
from tcplab.tcp.segment import Address, Segment
from tcplab.tcp.sequence import Seq
from tcplab.wire.codec import craft
from tcplab.wire.packet_socket import PacketSocket
from tests.links import DEADLINE_S, Host

_TEMPLATES = 64
"""Segments that are crafted beforehand, for one own port of the scan; then they are repeated."""
_KINDS = (Flags.SYN | Flags.ACK, Flags.RST | Flags.ACK)


class Forger:
    """A process on `host` that hears the scan's SYNs, and so learns where it asks from.

    To each own port it sends, again and again, SYN, ACK and RST, ACK in the name of some ports of
    `ip` that acknowledge what was not asked there. `stop` returns how many it has sent.
    """

    def __init__(self, host: Host, ip: str) -> None:
        self._reader, writer = os.pipe()
        ready, begun = os.pipe()
        self._child = os.fork()
        if self._child == 0:
            sent = 0
            try:
                sent = _forge(host, ip, begun)
            finally:
                os.write(writer, pack("=Q", sent))
                os._exit(0)
        os.close(writer)
        os.close(begun)
        assert select([ready], [], [], DEADLINE_S)[0], "the forger did not begin"
        os.close(ready)

    def stop(self) -> int:
        """Enough of it."""
        os.kill(self._child, signal.SIGTERM)
        sent = int.from_bytes(os.read(self._reader, 8), "little")
        self._wait()
        return sent

    def close(self) -> None:
        """Whatever has happened, it is gone."""
        if self._child:
            os.kill(self._child, signal.SIGKILL)
            self._wait()
        os.close(self._reader)

    def _wait(self) -> None:
        os.waitpid(self._child, 0)
        self._child = 0


def _forge(host: Host, ip: str, begun: int) -> int:
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: stopped.append(number))
    with host.namespace.entered():
        capture = PacketSocket("eth0", host.permit)
        raw = socket.socket(links.family(ip), socket.SOCK_RAW, socket.IPPROTO_RAW)
        if links.family(ip) == socket.AF_INET6:
            raw.setsockopt(socket.IPPROTO_IPV6, 36, 1)  # IPV6_HDRINCL
    raw.setblocking(False)
    os.write(begun, b"!")
    forged: dict[Address, list[bytes]] = {}
    sent = 0
    while not stopped:
        for seen in capture.take():
            segment = seen.frame.segment
            if segment is not None and segment.flags == Flags.SYN and segment.src not in forged:
                forged[segment.src] = list(_forgeries(ip, segment))
        for source, packets in forged.items():
            for packet in packets:
                with suppress(BlockingIOError):
                    raw.sendto(packet, (source.ip, 0))
                    sent += 1
        if not forged:
            select([capture], [], [], 0.01)
    return sent


def _forgeries(ip: str, probe: Segment) -> Iterator[bytes]:
    """From the right port with a guessed number, and from wrong ports with the right port's."""
    for number in range(_TEMPLATES):
        right = number % 2 == 0
        port = probe.dst.port if right else 100 + 5 * number
        guess = Seq(int.from_bytes(os.urandom(4)))
        for flags in _KINDS:
            yield craft(
                Segment(
                    src=Address(ip, port),
                    dst=probe.src,
                    seq=Seq(number),
                    ack=guess if right else probe.seq + 1,
                    flags=flags,
                )
            )
