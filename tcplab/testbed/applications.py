"""The applications on a kernel host: ordinary sockets that never block, one set a connection."""

import errno
import os
import socket
from struct import pack
from typing import assert_never

from tcplab.scenario.steps import (
    Abort,
    Accept,
    Call,
    Close,
    Connect,
    Listen,
    Read,
    Send,
    Shutdown,
)
from tcplab.testbed.host import Flow, Outcome
from tcplab.testbed.netns import Namespace

_LINGER_0 = pack("=ii", 1, 0)  # struct linger: on, 0 seconds


class Applications:
    """Makes socket calls inside one namespace, on behalf of the host named `host`.

    They run in this thread: with applications in processes of their own, the order of calls and
    segments would be the scheduler's, and no run like another.
    """

    def __init__(self, host: str, namespace: Namespace) -> None:
        self._host = host
        self._namespace = namespace
        self._listeners: dict[int, socket.socket] = {}
        self._connections: dict[str, socket.socket] = {}

    def call(self, conn: str, flow: Flow, call: Call) -> Outcome:
        """Make the call; an errno becomes the outcome's result, by name."""
        try:
            return self._call(conn, flow, call)
        except OSError as refusal:
            number = refusal.errno or 0
            return Outcome(result=errno.errorcode.get(number, str(number)))

    def _call(self, conn: str, flow: Flow, call: Call) -> Outcome:
        local, remote = flow.seen_from(self._host)
        match call:
            case Listen(backlog):
                listener = self._socket(local.ip, local.port)
                listener.listen(backlog)
                self._listeners[local.port] = listener
            case Connect():
                self._connections[conn] = self._socket(local.ip, local.port)
                self._connections[conn].connect((remote.ip, remote.port))
            case Accept():
                accepted, _peer = self._listeners[local.port].accept()
                accepted.setblocking(False)
                self._connections[conn] = accepted
            case Send(data):
                return Outcome(result=str(self._open(conn).send(data)))
            case Read(octets):
                data = self._open(conn).recv(octets)
                return Outcome(result=str(len(data)), data=data)
            case Shutdown():
                self._open(conn).shutdown(socket.SHUT_WR)
            case Close():
                self._open(conn).close()
                del self._connections[conn]
            case Abort():
                aborted = self._open(conn)
                aborted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_0)
                aborted.close()
                del self._connections[conn]
            case _:
                assert_never(call)
        return Outcome(result="0")

    def _open(self, conn: str) -> socket.socket:
        """The connection's socket; EBADF if the application has none (accept gave it none)."""
        if conn not in self._connections:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return self._connections[conn]

    def _socket(self, ip: str, port: int) -> socket.socket:
        family = socket.AF_INET6 if ":" in ip else socket.AF_INET
        with self._namespace.entered():
            made = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        # The port was chosen for this run; a predecessor in TIME-WAIT must not spoil it.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((ip, port))
        return made

    def close(self) -> None:
        """Close whatever is still open."""
        for each in (*self._connections.values(), *self._listeners.values()):
            each.close()
        self._connections.clear()
        self._listeners.clear()
