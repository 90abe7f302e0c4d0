"""How connect() has ended, read off the socket: what that says of the port goes into the census."""

import socket
from _thread import allocate_lock
from collections.abc import Iterable
from struct import unpack_from

from tcplab.analysis.scanning.census import Census, Proof, Rejection
from tcplab.wire.burst.path import Path
from tcplab.wire.error_queue import take_errors

_UNREACHABLE = {4: 3, 6: 1}  # the ICMP type, by version
_TCP_INFO_OCTETS, _RTT_US, _TOTAL_RETRANS = 104, 68, 100  # struct tcp_info (linux/tcp.h)


class Outcomes:
    """Writes into the census, from any thread. `received` counts what has come of all connects."""

    def __init__(self, path: Path, census: Census) -> None:
        self._path = path
        self._census = census
        self._lock = allocate_lock()
        self.received = 0
        self.own_errors: list[Rejection] = []

    def refused(self, by: socket.socket, ports: Iterable[int]) -> None:
        """connect() to each of these failed with ECONNREFUSED: an RST has come, unless an ICMP
        error is there that says the same.
        """
        rejected = self.rejected(by)
        note = self._census.note
        with self._lock:
            for port in ports:
                if port not in rejected:
                    note(port, Proof.REFUSED)
                    self.received += 1

    def rejected(self, by: socket.socket) -> set[int]:
        """The ports that cannot be reached, as ICMP errors about this socket's SYNs say.

        Those that the own kernel reports are no answers: it has no neighbour to send to.
        """
        ports: set[int] = set()
        for error in take_errors(by):
            if error.type != _UNREACHABLE[error.version]:
                continue
            rejection = Rejection(
                version=error.version, type=error.type, code=error.code, reporter=error.reporter
            )
            ports.add(error.port)
            with self._lock:
                self.received += 1
                if error.reporter == self._path.source and not self._path.local:
                    self.own_errors.append(rejection)
                else:
                    self._census.reject(error.port, rejection)
        return ports

    def connected(self, by: socket.socket, port: int) -> bool:
        """The port is open. False if nobody has answered but the socket itself: on loopback the
        kernel may choose the port for the source, too (RFC 9293, 3.5: simultaneous open).
        """
        if self._path.local and by.getsockname() == by.getpeername():
            return False
        info = by.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_OCTETS)
        (rtt_us,) = unpack_from("=I", info, _RTT_US)
        (sent_again,) = unpack_from("=I", info, _TOTAL_RETRANS)
        with self._lock:
            self.received += 1
            # The kernel's own measurement, from SYN to SYN, ACK; of a SYN that left once.
            if self._census.note(port, Proof.CONNECTED) and rtt_us and not sent_again:
                self._census.rtts_ns[port] = rtt_us * 1000
        return True
