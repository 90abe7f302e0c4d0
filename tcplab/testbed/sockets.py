"""The sockets of one host's applications: one a connection, and listeners."""

import errno
import os
import resource
import socket
from collections.abc import Iterator
from contextlib import suppress
from struct import pack

from tcplab.kernel.socket_options import Values, set_option
from tcplab.tcp.segment import Address
from tcplab.testbed.netns import Namespace

_LINGER_0 = pack("=ii", 1, 0)  # struct linger: on, 0 seconds
_MANY, _DESCRIPTORS = 100, 4096


class Sockets:
    """What the applications on a host have open, in its namespace.

    A connection of an earlier incarnation that nobody closed is `left_open`. `options` are those
    that a connection's next socket is to have.
    """

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self._roomy = False
        self.connections: dict[str, socket.socket] = {}
        self.listeners: dict[Address, Listener] = {}
        self.left_open: list[socket.socket] = []
        self.options: dict[str, dict[str, Values]] = {}

    def make(self, conn: str, ip: str, bind: Address | None) -> socket.socket:
        """A socket with the connection's options, bound if that is wanted."""
        # The port was chosen for this run; a predecessor in TIME-WAIT must not spoil it.
        first: dict[str, Values] = {"SO_REUSEADDR": (1,)} if bind is not None else {}
        made = self.bare(ip)
        try:
            for option, values in (first | self.options.get(conn, {})).items():
                set_option(made, option, values)
            if bind is not None:
                made.bind((bind.ip, bind.port))
        except BaseException:
            made.close()
            raise
        return made

    def bare(self, ip: str) -> socket.socket:
        """A new socket of that address's family."""
        self._make_room()
        family = socket.AF_INET6 if ":" in ip else socket.AF_INET
        with self._namespace.entered():
            return socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)

    def _make_room(self) -> None:
        """Let this process have more descriptors, once there are many."""
        if self._roomy or self.descriptors() < _MANY:
            return
        self._roomy = True
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
        if resource.RLIM_INFINITY != soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))

    def listen(self, conn: str, local: Address, backlog: int) -> None:
        """A listener there, which belongs to the connection."""
        listening = self.make(conn, local.ip, local)
        try:
            listening.listen(backlog)
        except OSError:
            listening.close()
            raise
        self.options.pop(conn, None)
        self.listeners[local] = Listener(conn, listening)

    def accept(self, conn: str, local: Address, remote: Address) -> None:
        """Take the connection out of the listener's queue, and set its options."""
        if local not in self.listeners:
            raise os_error(errno.EBADF)
        accepted = self.listeners[local].accept(remote)
        accepted.setblocking(False)
        if conn in self.connections:
            self.left_open.append(self.connections[conn])
        self.connections[conn] = accepted
        self._make_room()
        for option, values in self.options.pop(conn, {}).items():
            set_option(accepted, option, values)

    def open(self, conn: str) -> socket.socket:
        """The connection's socket; EBADF if the application has none (accept gave it none)."""
        if conn not in self.connections:
            raise os_error(errno.EBADF)
        return self.connections[conn]

    def _listening(self, conn: str) -> Address | None:
        """Where the connection's listener is, if the connection did the Listen."""
        for address, listener in self.listeners.items():
            if listener.owner == conn:
                return address
        return None

    def of(self, conn: str) -> socket.socket:
        """The connection's socket, else the listener that it made; EBADF without either."""
        address = self._listening(conn)
        if conn in self.connections or address is None:
            return self.open(conn)
        return self.listeners[address].socket

    def take(self, conn: str) -> socket.socket:
        """As `of`, for somebody who closes it."""
        found = self.of(conn)
        if conn in self.connections:
            del self.connections[conn]
        elif (address := self._listening(conn)) is not None:
            self.listeners.pop(address).drop_queue()
        return found

    def descriptors(self) -> int:
        """How many sockets are open."""
        return sum(1 for _ in self._all())

    def _all(self) -> Iterator[socket.socket]:
        yield from self.connections.values()
        yield from self.left_open
        for listener in self.listeners.values():
            yield listener.socket
            yield from listener.queue.values()

    def close(self) -> None:
        """Abort whatever is still open: an orphan in FIN-WAIT-1 would keep its namespace for
        minutes.
        """
        for each in list(self._all()):
            abort(each)
        self.connections.clear()
        self.listeners.clear()
        self.left_open.clear()


class Listener:
    """A listening socket, made by the connection `owner`, and what has been accepted from it out of
    turn.
    """

    def __init__(self, owner: str, listening: socket.socket) -> None:
        self.owner = owner
        self.socket = listening
        self.queue: dict[Address, socket.socket] = {}

    def accept(self, remote: Address) -> socket.socket:
        """The connection from `remote`; those before it in the queue wait here for theirs.

        Raises BlockingIOError if it is not there.
        """
        while remote not in self.queue:
            accepted, peer = self.socket.accept()
            former = self.queue.pop(address_of(peer), None)
            if former is not None:
                former.close()
            self.queue[address_of(peer)] = accepted
        return self.queue.pop(remote)

    def drop_queue(self) -> None:
        """Nobody will accept them: they are reset, as a closed listener's queue is."""
        while self.queue:
            abort(self.queue.popitem()[1])


def os_error(number: int) -> OSError:
    """The error that the kernel would raise."""
    return OSError(number, os.strerror(number))


def abort(aborted: socket.socket) -> None:
    """Close it with RST instead of FIN."""
    with suppress(OSError):  # it is closed already
        aborted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_0)
    aborted.close()


def address_of(name: tuple[str, int]) -> Address:
    """The address in what Python calls a socket's name."""
    return Address(name[0], name[1])
