"""Netlink: the socket on which a kernel answers questions about its sockets, links and routes.

Written by hand because pyroute2 takes 0.4 s to import, some forty times what a whole testbed needs.
Messages and attributes as in linux/netlink.h; everything is in host byte order but what TCP/IP
itself orders.
"""

import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import suppress
from struct import Struct, pack, unpack_from

ROUTE, SOCK_DIAG = 0, 4
REQUEST, ACK, ROOT_DUMP, REPLACE, EXCLUSIVE, CREATE = 1, 4, 0x300, 0x100, 0x200, 0x400

_HEADER = Struct("=IHHII")
_ATTRIBUTE = Struct("=HH")
_ERROR, _DONE = 2, 3
_NESTED_BITS = 0xC000


def attribute(kind: int, data: bytes | str = b"") -> bytes:
    """One attribute, padded to four octets. A string is sent with its terminating zero."""
    if isinstance(data, str):
        data = data.encode() + b"\0"
    return _ATTRIBUTE.pack(4 + len(data), kind) + data + b"\0" * (-len(data) % 4)


def attributes(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """The (kind, data) pairs of an attribute list."""
    at = 0
    while at + 4 <= len(octets):
        size, kind = _ATTRIBUTE.unpack_from(octets, at)
        if size < 4:
            return
        yield kind & ~_NESTED_BITS, octets[at + 4 : at + size]
        at += size + 3 & ~3


class Netlink:
    """A netlink socket. It talks to the network namespace in which it was made, for ever.

    `groups` are the multicast groups that it belongs to, a bit each: their messages make it
    readable, and a request skips them.
    """

    def __init__(self, protocol: int, *, groups: int = 0) -> None:
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol
        )
        self._socket.bind((0, groups))
        self._sequence = 0

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()

    def fileno(self) -> int:
        """The descriptor, for poll."""
        return self._socket.fileno()

    def skip(self) -> None:
        """Throw away what has come unasked."""
        with suppress(BlockingIOError):
            while self._socket.recv(65536, socket.MSG_DONTWAIT):
                pass

    def ask(self, kind: int, body: bytes, *, flags: int = 0) -> bytes:
        """Send one request and return the body of its one answer. Raises the kernel's OSError."""
        self._sequence += 1
        message = _HEADER.pack(16 + len(body), kind, flags | REQUEST, self._sequence, 0) + body
        self._socket.send(message)
        while True:
            answer = self._socket.recv(65536)
            size, kind, _flags, sequence, _port = _HEADER.unpack_from(answer)
            if sequence != self._sequence:
                continue  # late answer to a request that was interrupted
            if kind == _ERROR:
                _raise_if(unpack_from("=i", answer, 16)[0])
            return answer[16:size]

    def dump(self, kind: int, body: bytes) -> list[bytes]:
        """Send one dump request and return the bodies of all its answers."""
        self._sequence += 1
        size = 16 + len(body)
        flags = REQUEST | ROOT_DUMP
        self._socket.send(_HEADER.pack(size, kind, flags, self._sequence, 0) + body)
        bodies: list[bytes] = []
        while True:
            for answer, answer_kind, sequence in _messages(self._socket.recv(1 << 18)):
                if sequence != self._sequence:
                    continue
                if answer_kind == _DONE:
                    return bodies
                if answer_kind == _ERROR:
                    _raise_if(unpack_from("=i", answer)[0])
                bodies.append(answer)

    def tell(self, requests: Iterable[tuple[int, int, bytes]]) -> None:
        """Send (kind, flags, body) requests in one go; raises OSError for the first that fails.

        One send for all of them is what brings a testbed up in milliseconds.
        """
        first = self._sequence + 1
        batch = b""
        for kind, flags, body in requests:
            self._sequence += 1
            size = 16 + len(body)
            batch += _HEADER.pack(size, kind, flags | REQUEST | ACK, self._sequence, 0)
            batch += body + b"\0" * (-size % 4)
        if not batch:
            return
        self._socket.send(batch)
        waiting = self._sequence - first + 1
        failure = 0
        while waiting:
            for answer, kind, sequence in _messages(self._socket.recv(65536)):
                if kind == _ERROR and sequence >= first:
                    failure = failure or unpack_from("=i", answer)[0]
                    waiting -= 1
        _raise_if(failure)


def _messages(octets: bytes) -> Iterator[tuple[bytes, int, int]]:
    at = 0
    while at + 16 <= len(octets):
        size, kind, _flags, sequence, _port = _HEADER.unpack_from(octets, at)
        yield octets[at + 16 : at + size], kind, sequence
        at += size + 3 & ~3


def _raise_if(error: int) -> None:
    if error:
        raise OSError(-error, os.strerror(-error))


def integer(value: int) -> bytes:
    """A 32-bit attribute's data."""
    return pack("=I", value & 0xFFFFFFFF)
