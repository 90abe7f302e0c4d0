"""The ends of a testbed's connections: which addresses, and which ports nobody has had yet."""

import os
from collections.abc import Callable

from tcplab.scenario.steps import Connection
from tcplab.tcp.segment import Address
from tcplab.testbed.host import Flow

UNCHOSEN = 0
"""No port, and no connection's: what bind() takes for "any"."""
_FIRST_PORT, _PORTS = 32768, 28232  # Linux's default ip_local_port_range ends at 60999


class Flows:
    """Connections between client and server. `ip` tells the address that a host has now."""

    def __init__(self, ip: Callable[[str], str]) -> None:
        self._ip = ip
        self._ports: set[int] = set()

    def reserve(self, server_port: int) -> Flow:
        """A connection to that port from a random one, which no other has had."""
        client_port = 0
        while not client_port or client_port in self._ports:
            client_port = _FIRST_PORT + int.from_bytes(os.urandom(4)) % _PORTS
        return self._between(client_port, server_port)

    def flow(self, conn: Connection, like: Flow | None, *, chosen: bool = True) -> Flow:
        """The ends of a connection that a scenario names. `like` is the one whose client port it
        has, if it names one. Not `chosen`: its client's kernel will choose the port, which is
        UNCHOSEN until then; any other might be one that the kernel gives to another connection.
        """
        if not chosen:
            return self._between(UNCHOSEN, conn.server_port)
        if like is not None:
            return self._between(like.client.port, conn.server_port)
        if isinstance(conn.client_port, int):
            return self._between(conn.client_port, conn.server_port)
        return self.reserve(conn.server_port)

    def _between(self, client_port: int, server_port: int) -> Flow:
        self._ports.add(client_port)
        return Flow(
            client=Address(self._ip("client"), client_port),
            server=Address(self._ip("server"), server_port),
        )
