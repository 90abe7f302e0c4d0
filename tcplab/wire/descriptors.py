"""TCP sockets to connect with: as many as this process may have, used again and again."""

import errno
import os
import resource
import socket
from _thread import allocate_lock
from struct import pack

from tcplab.errors import LinkLostError, UnavailableError
from tcplab.text import Text
from tcplab.wire.burst.path import Path
from tcplab.wire.error_queue import keep_errors

_KIND = socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
_RESET_ON_CLOSE = pack("=ii", 1, 0)  # struct linger
_BIND_ADDRESS_NO_PORT = 24  # IP_BIND_ADDRESS_NO_PORT (linux/in.h)
_KEPT_FREE = 16
"""For whatever else the process opens meanwhile."""
_NONE_LEFT = (errno.EMFILE, errno.ENFILE)


class Descriptors:
    """Sockets of one family, bound to the path's source address. At most `most` are open at once.

    Closing one leaves no TIME-WAIT behind, but resets what is connected. Any thread that is inside
    the path's namespace may take one.
    """

    def __init__(self, path: Path, most: int) -> None:
        self._path = path
        self._family = socket.AF_INET6 if ":" in path.destination else socket.AF_INET
        self._source = (path.source, 0, 0, path.scope) if path.scope else (path.source, 0)
        self._room = _room(most)
        self._open = 0
        self._idle: list[socket.socket] = []
        self._lock = allocate_lock()

    @property
    def left(self) -> int:
        """How many can be taken now."""
        return self._room - self._open + len(self._idle)

    def take(self) -> socket.socket | None:
        """One that connects nowhere; None if all are in use.

        Raises LinkLostError if the source address is gone, and RefusedError.
        """
        with self._lock:
            if self._idle:
                return self._idle.pop()
            if self._open >= self._room:
                return None
            self._open += 1
        try:
            return self._make()
        except BaseException as failure:
            with self._lock:
                self._open -= 1
            if not isinstance(failure, OSError):
                raise
            if failure.errno == errno.EADDRNOTAVAIL:
                raise lost(self._path) from failure
            if failure.errno not in _NONE_LEFT:
                raise
            self._room = self._open  # others have taken what was free
            if not self._room:
                raise _none_left() from failure
            return None

    def _make(self) -> socket.socket:
        made = socket.socket(self._family, _KIND)
        try:
            self._path.permit.check_socket(made)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            keep_errors(made)
            # The address now, the port with each connect(): many may share one that go elsewhere.
            made.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
            made.bind(self._source)
        except BaseException:
            made.close()
            raise
        return made

    def give_back(self, idle: socket.socket) -> None:
        """Its connect() has failed, and it may connect again."""
        self._idle.append(idle)

    def discard(self, used: socket.socket) -> None:
        """Close it, connected or connecting."""
        used.close()
        with self._lock:
            self._open -= 1

    def close(self) -> None:
        """Close those that are idle."""
        for each in self._idle:
            each.close()
        self._idle.clear()


def lost(path: Path) -> LinkLostError:
    """The kernel knows no way out any more."""
    return LinkLostError(
        Text(
            "The way to {host} by {interface} is gone.",
            host=path.destination,
            interface=path.interface,
        ),
        remedy=Text("See the link: ip link show {interface}", interface=path.interface),
    )


def _room(most: int) -> int:
    """How many descriptors may be opened, at most `most`. For that the soft limit is raised.

    Raises UnavailableError if there is next to none.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        taken = len(os.listdir("/proc/self/fd")) + _KEPT_FREE
    except OSError as failure:  # not even one for the listing
        raise _none_left() from failure
    limit = min(hard, taken + most) if hard != resource.RLIM_INFINITY else taken + most
    if soft < limit and soft != resource.RLIM_INFINITY:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        except (OSError, ValueError):
            limit = soft
    if limit <= taken:
        raise _none_left()
    return min(limit - taken, most)


def _none_left() -> UnavailableError:
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return UnavailableError(
        Text(
            "This process may have {limit} files open, which leaves none for connections.",
            limit=limit,
        ),
        remedy=Text("Raise the limit (ulimit -n 1024), or ask by --syn, which needs no more."),
    )
