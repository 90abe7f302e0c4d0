"""Where packets leave: one socket, and a buffer of them that one system call sends."""

import ctypes
import errno
import os
import socket
import time
from array import array
from collections.abc import Callable
from struct import pack

from tcplab.errors import RefusedError
from tcplab.text import Text
from tcplab.wire.aside import close_aside
from tcplab.wire.burst.columns import Columns
from tcplab.wire.burst.path import Path
from tcplab.wire.filters import DISCARD, attach_filter

# The header is ours (IP_HDRINCL 3, IPV6_HDRINCL 36); a packet that found a queue full is an error,
# not silence (*_RECVERR 11, 25).
_OPTIONS: dict[int, tuple[tuple[int, int], ...]] = {
    socket.AF_INET: ((socket.IPPROTO_IP, 3), (socket.IPPROTO_IP, 11)),
    socket.AF_INET6: ((socket.IPPROTO_IPV6, 36), (socket.IPPROTO_IPV6, 25)),
}
_LEAVE_BY: dict[int, tuple[int, int]] = {  # IP_UNICAST_IF, IPV6_UNICAST_IF
    socket.AF_INET: (socket.IPPROTO_IP, 50),
    socket.AF_INET6: (socket.IPPROTO_IPV6, 76),
}
_SOL_PACKET, _QDISC_BYPASS = 263, 20
_ETHERTYPE: dict[int, int] = {socket.AF_INET: 0x0800, socket.AF_INET6: 0x86DD}
_DESTINATION: dict[int, int] = {socket.AF_INET: 16, socket.AF_INET6: 24}
"""Where it is in the header (RFC 791 §3.1, RFC 8200 §3)."""
_SEND_TIMEOUT = pack("@ll", 0, 100_000)  # struct timeval: 0.1 s
_AT_ONCE = 1024  # UIO_MAXIOV: more messages sendmmsg does not take
_MESSAGE_OCTETS = 64  # struct mmsghdr
_FULL = frozenset({errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM})
_PAUSE_S, _PATIENCE_S = 0.0005, 1.0

_libc = ctypes.CDLL(None, use_errno=True)
_sendmmsg = _libc.sendmmsg
_sendmmsg.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int]


class Outlet:
    """Sends up to `rows` copies of a packet at once, in the network namespace in which it is made.

    The kernel routes them, unless the path knows its neighbour: then they go right to the link,
    past its queue if they may. It waits while the device's queue is full, so that no more is sent
    than the link takes. Raises RefusedError unless the path's permit allows the socket,
    PermissionError without CAP_NET_RAW, and the kernel's OSError.
    """

    def __init__(self, path: Path, packet: bytes, rows: int, *, tapped: bool = False) -> None:
        """`tapped`: a capture is to see the packets, which it cannot when they pass the queue."""
        self.columns = Columns(packet, rows)
        self._path = path
        self._to_at = _DESTINATION[_family(path)]
        self._to = socket.inet_pton(_family(path), path.destination)
        if path.neighbour is None or path.local:
            self._socket = _routed(path)
            self._address = array("B")
        else:
            self._socket = _on_link(path, bypass=not tapped)
            self._address = array("B", _link_address(path, path.neighbour))
        base = ctypes.addressof(ctypes.c_char.from_buffer(self.columns.buffer))
        size = self.columns.size
        vectors = array("Q", [0]) * (2 * rows)  # struct iovec
        vectors[0::2] = array("Q", range(base, base + rows * size, size))
        vectors[1::2] = array("Q", [size]) * rows
        first = vectors.buffer_info()[0]
        # struct msghdr: address, its length (0 where connected), the vector at 16, how many.
        to = self._address.buffer_info()[0] if self._address else 0
        messages = array("Q", [to, len(self._address), 0, 1, 0, 0, 0, 0]) * rows
        messages[2::8] = array("Q", range(first, first + 16 * rows, 16))
        self._vectors, self._messages = vectors, messages

    def send(self, count: int, leaving: Callable[[], None]) -> tuple[int, int]:
        """Send the first `count` rows: (how many were sent, how often the kernel did not take one).

        `leaving` is called when they are about to be. A full queue is tried again for a second;
        what a local filter forbids is left out. Raises RefusedError if the permit forbids them, or
        one is not for the path's destination; and the kernel's OSError.
        """
        self._path.permit.check(self._path.destination, count)
        if not self.columns.all_have(self._to_at, self._to, count):
            raise _astray(self._path)
        at = sent = errors = 0
        messages = self._messages.buffer_info()[0]
        until_s = 0.0
        leaving()
        while at < count:
            done = _sendmmsg(
                self._socket.fileno(),
                messages + at * _MESSAGE_OCTETS,
                min(count - at, _AT_ONCE),
                0,
            )
            if done > 0:
                at += done
                sent += done
                until_s = 0.0
                continue
            number = ctypes.get_errno()
            if number == errno.EINTR:
                continue
            errors += 1
            if number == errno.EPERM:  # netfilter's verdict on this one packet
                at += 1
            elif number not in _FULL:
                raise OSError(number, os.strerror(number))
            elif not until_s:
                until_s = time.monotonic() + _PATIENCE_S
                time.sleep(_PAUSE_S)
            elif time.monotonic() > until_s:
                break
            else:
                time.sleep(_PAUSE_S)
        return sent, errors

    def close(self) -> None:
        """Give the socket back; a packet socket without waiting for the kernel's grace period."""
        if self._address:
            close_aside(self._socket.close)
        else:
            self._socket.close()


def _astray(path: Path) -> RefusedError:
    return RefusedError(
        Text(
            "A packet to another address was about to be sent; it may go to {address} only.",
            address=path.destination,
        ),
        remedy=Text("This is a bug in tcplab: please report it."),
    )


def _routed(path: Path) -> socket.socket:
    """A raw socket, of IPPROTO_RAW, which is told of no ICMP errors: those would be reported in
    place of the next packet.
    """
    family = _family(path)
    made = socket.socket(family, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.IPPROTO_RAW)
    try:
        path.permit.check_socket(made)
        attach_filter(made, DISCARD)
        for level, name in _OPTIONS[family]:
            made.setsockopt(level, name, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _SEND_TIMEOUT)
        if not path.local:  # the way to an own address has an interface of its own
            made.setsockopt(*_LEAVE_BY[family], pack("!I", path.link_index))
        if family == socket.AF_INET6:
            made.connect((path.destination, 0, 0, path.scope))
        else:
            made.connect((path.destination, 0))
    except BaseException:
        made.close()
        raise
    return made


def _on_link(path: Path, *, bypass: bool) -> socket.socket:
    """A cooked packet socket: the kernel puts the link's header before what is sent."""
    made = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, 0)
    try:
        path.permit.check_socket(made)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _SEND_TIMEOUT)
        made.setsockopt(_SOL_PACKET, _QDISC_BYPASS, int(bypass))
    except BaseException:
        made.close()
        raise
    return made


def _link_address(path: Path, neighbour: bytes) -> bytes:
    """struct sockaddr_ll."""
    protocol = socket.htons(_ETHERTYPE[_family(path)])
    return pack(
        "=HHiHBB8s",
        socket.AF_PACKET, protocol, path.link_index, 0, 0, len(neighbour), neighbour,
    )  # fmt: skip


def _family(path: Path) -> int:
    return socket.AF_INET6 if ":" in path.destination else socket.AF_INET
