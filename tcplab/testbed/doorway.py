"""What is behind a host's ports: applications that listen, and a firewall that drops or refuses."""

import socket
from collections.abc import Mapping
from contextlib import ExitStack, suppress

from tcplab.scenario.services import Services
from tcplab.testbed.sockets import abort
from tcplab.wire.permit import TestbedPermit
from tcplab.wire.prohibition import Prohibition
from tcplab.wire.shield import Shield

_BACKLOG = 4096
"""As long as an accept queue may be without a word to the kernel (net.core.somaxconn)."""


class Doorway:
    """`services` at `ip`, in the network namespace in which this is made.

    A dropped port has a socket that discards what comes, so that the kernel answers nothing. The
    accept queue of an open port is as long as the kernel allows, unless `backlogs` names the port.
    Raises OSError as the kernel does: EMFILE where there are more ports than descriptors.
    """

    def __init__(
        self,
        ip: str,
        services: Services,
        permit: TestbedPermit,
        *,
        backlogs: Mapping[int, int] | None = None,
    ) -> None:
        self._open = ExitStack()
        self._backlogs = backlogs or {}
        self._listeners: dict[int, socket.socket] = {}
        with ExitStack() as undo:
            undo.callback(self.close)
            for port in services.open:
                self._listeners[port] = self._listener(ip, port)
            for port in (*services.filtered, *services.rejected):
                self._open.callback(Shield(ip, port).close)
            if services.rejected:
                self._open.callback(Prohibition(ip, services.rejected, permit).close)
            undo.pop_all()

    def _listener(self, ip: str, port: int) -> socket.socket:
        family = socket.AF_INET6 if ":" in ip else socket.AF_INET
        made = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self._open.callback(made.close)
        made.bind((ip, port))
        made.listen(self._backlogs.get(port, _BACKLOG))
        return made

    def accepted(self) -> tuple[tuple[str, int, int], ...]:
        """The application's log since the last call: the peer's address and port, and its own port,
        of each connection, by its own port and then in the order of the accept queue.

        A connection that its peer has reset meanwhile was accepted all the same. All are reset.
        """
        log: list[tuple[str, int, int]] = []
        for port, listener in self._listeners.items():
            with suppress(BlockingIOError):
                while True:
                    connection, peer = listener.accept()
                    abort(connection)
                    log.append((peer[0], peer[1], port))
        return tuple(log)

    def close(self) -> None:
        """Let go of all ports. Closing twice is fine."""
        self._open.close()
