"""The shield: keeps this machine's kernel from resetting a connection that it does not know.

A kernel answers a segment for which it has no socket with RST. The shield gives it a socket: a
listener on the crafted connection's own address and port whose filter discards whatever it is
handed. It needs no firewall rule, reserves the port, and dies with the process.

Older kernels let anybody attach a filter to a socket. Newer ones ask for CAP_NET_ADMIN if it is a
TCP socket's (EPERM on Linux 6.18; not if it is a UDP socket's).
"""

import socket

from tcplab.wire.filters import DISCARD, attach_filter

_SO_LOCK_FILTER = 44


class Shield:
    """Holds (ip, port) in the network namespace in which this is made; port 0 lets the kernel
    choose.

    A link-local address means something on an `interface` only. Raises PermissionError where the
    kernel asks for CAP_NET_ADMIN, OSError if the address is not this machine's or the port taken.
    """

    def __init__(self, ip: str, port: int = 0, *, link: int = 0) -> None:
        family = socket.AF_INET6 if ":" in ip else socket.AF_INET
        address: tuple[str, int] | tuple[str, int, int, int] = (ip, port)
        if family == socket.AF_INET6:
            from ipaddress import ip_address  # not needed by IPv4, and slow to import

            if ip_address(ip).is_link_local:
                address = (ip, port, 0, link)
        self._socket = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            attach_filter(self._socket, DISCARD)
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_LOCK_FILTER, 1)
            self._socket.bind(address)
            self._socket.listen(1)
        except BaseException:
            self._socket.close()
            raise
        self.port: int = self._socket.getsockname()[1]

    def close(self) -> None:
        """Let go of the port."""
        self._socket.close()
