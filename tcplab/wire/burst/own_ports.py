"""A block of ports that are the scan's alone.

Bound, and never listening: nobody else can have them, and the own kernel answers every SYN, ACK to
them with RST, so that no half-open connection is left at the other end.
"""

import errno
import os
import socket

from tcplab.errors import UnavailableError
from tcplab.text import Text
from tcplab.wire.burst.path import Path

PORTS = 32
TIMING = 4
"""The last ones of a block, one for each try to time a round trip by itself."""
_FIRST, _LAST = 1024, 32768  # below Linux's ip_local_port_range: others take theirs from there
_TRIES = 64


class OwnPorts:
    """`PORTS` neighbouring ports of the path's source address, from a multiple of `PORTS` on.

    Raises UnavailableError if there are none to be had, and the kernel's OSError.
    """

    def __init__(self, path: Path) -> None:
        self._held: list[socket.socket] = []
        for _ in range(_TRIES):
            first = random_block()
            if self._bind(path, first):
                self.block = range(first, first + PORTS)
                return
        raise UnavailableError(
            Text(
                "{tries} blocks of {ports} ports of {address} were tried and each had one in use: "
                "other scans may be running.",
                tries=_TRIES,
                ports=PORTS,
                address=path.source,
            ),
            remedy=Text(
                "Let them end, or see who has the ports below {last}: {command}",
                last=_LAST,
                command="ss -tan",
            ),
        )

    def _bind(self, path: Path, first: int) -> bool:
        family = socket.AF_INET6 if ":" in path.source else socket.AF_INET
        try:
            for port in range(first, first + PORTS):
                held = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
                self._held.append(held)
                if family == socket.AF_INET6:
                    held.bind((path.source, port, 0, path.scope))
                else:
                    held.bind((path.source, port))
        except OSError as refusal:
            self.close()
            if refusal.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            return False
        return True

    def close(self) -> None:
        """Let go of them."""
        for held in self._held:
            held.close()
        self._held.clear()


def is_for_timing(own_port: int) -> bool:
    """Is it one of those, whichever block it is of? Each begins at a multiple of `PORTS`."""
    return own_port % PORTS >= PORTS - TIMING


def random_block() -> int:
    """Where a block begins."""
    return _FIRST + int.from_bytes(os.urandom(2)) % ((_LAST - _FIRST) // PORTS) * PORTS
