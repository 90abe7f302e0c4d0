"""Sends crafted IP packets by the kernel's own routing (man 7 raw).

The kernel chooses route and neighbour, so every kind of link works, loopback and tunnels
included; it fills in the IP header's checksum and identification and leaves the TCP segment as it
was crafted.
"""

import socket
from struct import pack

from tcplab.wire.error_queue import ReportedError, keep_errors, take_errors
from tcplab.wire.filters import DISCARD, attach_filter
from tcplab.wire.frame import FrameError, IcmpError, Link, decode
from tcplab.wire.permit import Permit

_HEADER_INCLUDED: dict[int, tuple[int, int]] = {  # IP_HDRINCL, IPV6_HDRINCL
    socket.AF_INET: (socket.IPPROTO_IP, 3),
    socket.AF_INET6: (socket.IPPROTO_IPV6, 36),
}
_LEAVE_BY: dict[int, tuple[int, int]] = {  # IP_UNICAST_IF, IPV6_UNICAST_IF
    socket.AF_INET: (socket.IPPROTO_IP, 50),
    socket.AF_INET6: (socket.IPPROTO_IPV6, 76),
}


class RawSocket:
    """Sends whole TCP/IP packets of one family, in the network namespace in which this is made.

    They leave by `interface`; None for packets to this machine itself, which may have no other one
    named, not even loopback: the route to an own address leads to the interface that has it.

    A raw socket of protocol TCP, not of IPPROTO_RAW: only that one is told of ICMP errors about
    TCP packets (net/ipv4/raw.c, raw_icmp_error). What it would receive, a filter discards.
    """

    def __init__(self, family: int, permit: Permit, *, interface: str | None = None) -> None:
        self._permit = permit
        self._socket = socket.socket(
            family, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, socket.IPPROTO_TCP
        )
        try:
            permit.check_socket(self._socket)
            attach_filter(self._socket, DISCARD)
            self._socket.setsockopt(*_HEADER_INCLUDED[family], 1)
            keep_errors(self._socket)
            if interface is not None:
                # Not SO_BINDTODEVICE: what the kernel itself reports, where no neighbour answers,
                # comes by way of loopback.
                index = pack("!I", socket.if_nametoindex(interface))
                self._socket.setsockopt(*_LEAVE_BY[family], index)
        except BaseException:
            self._socket.close()
            raise

    def send(self, packet: bytes, destination: str) -> None:
        """Send one IP packet.

        Raises RefusedError if the permit forbids it, and the kernel's OSError. An error that an
        earlier packet met is not this one's: it waits in `own_errors`.
        """
        self._permit.check(destination)
        # Reading SO_ERROR takes a pending error off the socket, which send would report instead.
        self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        self._socket.sendto(packet, (destination, 0))

    def own_errors(self, own_ip: str) -> list[IcmpError]:
        """What this machine's own kernel has reported of packets sent here, oldest first.

        Where no neighbour answers, the kernel sends itself an ICMP error, which never is on a link.
        """
        reported = [each for each in take_errors(self._socket) if each.reporter == own_ip]
        return [error for each in reported if (error := _about_tcp(each)) is not None]

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()


def _about_tcp(reported: ReportedError) -> IcmpError | None:
    """With what its quote says; None if that is no TCP."""
    try:
        segment = decode(reported.quoted, link=Link.NONE).segment
    except FrameError:
        return None
    if segment is None:
        return None
    return IcmpError(
        version=reported.version,
        type=reported.type,
        code=reported.code,
        quoted_src=segment.src,
        quoted_dst=segment.dst,
        quoted_seq=segment.seq,
    )
