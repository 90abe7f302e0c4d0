"""Which of a host's connections carry TLS."""

import errno
import socket
from typing import TYPE_CHECKING

from tcplab.errors import UnavailableError
from tcplab.testbed.activities import Activities, Channel
from tcplab.testbed.host import Outcome
from tcplab.testbed.securing import Flushing, Handshaking
from tcplab.testbed.sockets import os_error
from tcplab.text import Text

if TYPE_CHECKING:
    from tcplab.testbed.tls import TlsSocket


class Secured:
    """The ends under TLS, by connection; `server`: is this host who shows a certificate?"""

    def __init__(self, *, server: bool) -> None:
        self._server = server
        self._ends: dict[str, TlsSocket] = {}

    def start(self, conn: str, below: socket.socket, activities: Activities) -> Outcome:
        """From now on the connection's socket carries TLS; its handshake goes on by itself."""
        if conn in self._ends:
            raise os_error(errno.EISCONN)
        end = _tls(below, server=self._server)
        activities.cancel(conn)  # who reads octets now would take the handshake's
        self._ends[conn] = end
        handshaking = Handshaking(end)
        _read, _written, told = handshaking.progress()
        if told is not None:
            return told
        activities.begin(conn, handshaking)
        return Outcome(result=errno.errorcode[errno.EINPROGRESS])

    def channel(self, conn: str, below: socket.socket) -> Channel:
        """What the program reads and writes: the socket, or TLS over it."""
        return self._ends.get(conn, below)

    def flush_later(self, conn: str, activities: Activities) -> None:
        """The end of a record may still have to leave, when there is room."""
        end = self._ends.get(conn)
        if end is not None and end.unsent and not activities.writes(conn):
            activities.begin(conn, Flushing(end))

    def finish(self, conn: str) -> None:
        """The program will send no more: tell the peer so, under TLS."""
        if conn in self._ends:
            self._ends[conn].finish()

    def forget(self, conn: str) -> None:
        """The socket is closed."""
        self._ends.pop(conn, None)


def _tls(below: socket.socket, *, server: bool) -> "TlsSocket":
    """Only who starts TLS needs OpenSSL. Raises UnavailableError where there is none."""
    try:
        from tcplab.testbed.tls import TlsSocket
    except ImportError as missing:
        raise UnavailableError(
            Text("This Python cannot speak TLS: {why}.", why=str(missing)),
            remedy=Text("Install a Python that comes with the module {name}.", name="ssl"),
        ) from missing
    return TlsSocket(below, server=server)
