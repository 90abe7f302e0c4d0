"""The legitimate client of a flooded server: it tries to connect again and again."""

import socket
import time
from errno import EINPROGRESS
from select import select

from tcplab.analysis.flooding.report import Try
from tcplab.analysis.flooding.settings import TRY_EVERY_S
from tcplab.kernel import tcp_info
from tcplab.kernel.sock_diag import SockDiag
from tcplab.tcp.segment import Address
from tcplab.testbed.sockets import abort
from tcplab.wire.burst.path import Path

_NS = 1_000_000_000
_TRY_EVERY_NS = round(TRY_EVERY_S * _NS)
_TCP_INFO_OCTETS = 512
_NAMES = ((1, "Timestamp"), (2, "SAckOK"), (4, "WScale"))  # TCPI_OPT_*, linux/tcp.h


class Client:
    """Connects by its kernel along `path` to that port, every 200 ms with a fresh port of its own.

    A try that is served is reset at once, as is one that is not served by the time of the next:
    then its SYN is not sent again. `server` asks the server's kernel. `options` are those
    that the first served one kept, by the names of the timeline's JSON.
    """

    def __init__(self, path: Path, port: int, server: SockDiag) -> None:
        self.tries: list[Try] = []
        self.options: tuple[str, ...] | None = None
        self._path = path
        self._port = port
        self._server = server
        self._socket: socket.socket | None = None
        self._since_ns = 0
        self._began_ns = self._next_ns = time.monotonic_ns()

    @property
    def knocks(self) -> int:
        """How many tries have begun."""
        return len(self.tries) + (self._socket is not None)

    def begin(self, began_ns: int, *, first_ns: int) -> None:
        """Forget former tries. The times of tries count from there; the first one is then due."""
        self.tries.clear()
        self.options = None
        self._began_ns = began_ns
        self._next_ns = first_ns

    def due_ns(self) -> int:
        """When the next try begins, by the monotonic clock."""
        return self._next_ns

    def knock(self) -> None:
        """Give the last try up, if nobody has answered it, and begin the next."""
        self._finish(None)
        family = socket.AF_INET6 if ":" in self._path.destination else socket.AF_INET
        with self._path.inside():
            made = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self._socket = made
        self._path.permit.check_socket(made)
        self._path.permit.check(self._path.destination)
        self._since_ns = time.monotonic_ns()
        self._next_ns = max(self._next_ns, self._since_ns - _TRY_EVERY_NS) + _TRY_EVERY_NS
        refused = made.connect_ex((self._path.destination, self._port))
        if refused not in (0, EINPROGRESS):
            self._finish(None)

    def listen(self, timeout_s: float) -> bool:
        """Wait that long for an answer to this try: was it served?"""
        if self._socket is None:
            time.sleep(timeout_s)
            return False
        if not select([], [self._socket], [], timeout_s)[1]:
            return False
        now_ns = time.monotonic_ns()
        served = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
        if served and self.options is None:
            self.options = self._kept(self._socket)
        self._finish(now_ns if served else None)
        return served

    def knock_off(self) -> None:
        """Nobody waits any longer: the last try was not served, unless it was."""
        self._finish(None)

    def close(self) -> None:
        """Give the last try up; it does not count if nobody has answered it."""
        if self._socket is not None:
            abort(self._socket)
            self._socket = None

    def _finish(self, now_ns: int | None) -> None:
        if self._socket is None:
            return
        took_ns = None if now_ns is None else now_ns - self._since_ns
        self.tries.append(Try(at_ns=self._since_ns - self._began_ns, took_ns=took_ns))
        self.close()

    def _kept(self, served: socket.socket) -> tuple[str, ...]:
        """The options that this connection has."""
        own = tcp_info.parse(
            served.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_OCTETS)
        )
        ip, port = served.getsockname()[:2]
        there = self._server.get(
            Address(self._path.destination, self._port), Address(ip, port), info=True
        )
        names = [name for bit, name in _NAMES if own["options"] & bit]
        # Does the server's kernel send as much as was offered? Both are less what timestamps take.
        if there is not None and there.info.get("snd_mss") == own["advmss"]:
            names.insert(0, "MSS")
        return tuple(names)
