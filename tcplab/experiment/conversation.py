"""A live connection between two hosts of a testbed, whose applications talk all the time."""

import socket
from contextlib import ExitStack

from tcplab.kernel import repair, tcp_info
from tcplab.kernel.sock_diag import SockDiag
from tcplab.tcp.segment import Address
from tcplab.tcp.states import State
from tcplab.testbed.direct import DirectTestbed
from tcplab.testbed.sockets import abort, address_of

_PATIENCE_S = 2.0
_TCP_INFO_OCTETS = 512
_UNSCALED = 65535
"""The largest window without a scale: what a kernel before 5.4 does not tell."""


class Conversation:
    """The client asks, the server answers with the same words.

    Raises OSError where the connection cannot be made. `forged_octets` is how much the server has
    read that the client had not written; `exchanges` are questions that were answered.
    """

    def __init__(self, testbed: DirectTestbed, port: int) -> None:
        path = testbed.path("client")
        family = socket.AF_INET6 if ":" in path.destination else socket.AF_INET
        self.exchanges = 0
        self.forged_octets = 0
        self._open = ExitStack()
        with ExitStack() as undo:
            undo.callback(self.close)
            with testbed.inside("server"):
                self._there = SockDiag()
                self._open.callback(self._there.close)
                listener = socket.create_server((path.destination, port), family=family)
            self._open.callback(listener.close)
            with path.inside():
                self._here = SockDiag()
                self._open.callback(self._here.close)
                self._client = socket.socket(family, socket.SOCK_STREAM)
            self._open.callback(abort, self._client)
            path.permit.check_socket(self._client)
            path.permit.check(path.destination)
            self._client.settimeout(_PATIENCE_S)
            self._client.connect((path.destination, port))
            listener.settimeout(_PATIENCE_S)
            self._server, _ = listener.accept()
            self._open.callback(abort, self._server)
            self._server.settimeout(_PATIENCE_S)
            self.client = address_of(self._client.getsockname()[:2])
            self.server = Address(path.destination, port)
            undo.pop_all()

    def exchange(self, octets: int = 64) -> bool:
        """One question of so many octets and its answer. False: the connection is of no use now."""
        said = bytes(range(32, 96)) * (octets // 64 + 1)
        said = said[:octets]
        try:
            self._client.sendall(said)
            heard = self._read(self._server, octets)
            self._server.sendall(heard)
            self._read(self._client, len(heard))
        except OSError:
            return False
        if heard != said:
            self.forged_octets += sum(a != b for a, b in zip(heard, said, strict=False))
            return False
        self.exchanges += 1
        return True

    def _read(self, end: socket.socket, octets: int) -> bytes:
        heard = b""
        while len(heard) < octets:
            more = end.recv(octets - len(heard))
            if not more:
                raise ConnectionResetError
            heard += more
        return heard

    def windows(self) -> tuple[int, int]:
        """The windows that the server and the client have offered, in octets."""
        return _offered_to(self._client), _offered_to(self._server)

    def acknowledged(self) -> int:
        """How many octets the server has sent and had acknowledged."""
        return _info(self._server).get("bytes_acked", 0)

    def expected(self) -> tuple[int, int]:
        """The number that the server expects next of the client, and the client of the server."""
        sent, received = repair.next_numbers(self._server)
        return received, sent

    def states(self) -> tuple[State, State]:
        """The client's and the server's, as their kernels have them; CLOSED: there is none."""
        client = self._here.get(self.client, self.server)
        server = self._there.get(self.server, self.client)
        # Without a connection the kernel finds the listener.
        states = (each.state if each is not None else State.CLOSED for each in (client, server))
        first, second = (State.CLOSED if each is State.LISTEN else each for each in states)
        return first, second

    def close(self) -> None:
        """Reset it, and give everything back."""
        self._open.close()


def _offered_to(end: socket.socket) -> int:
    return _info(end).get("snd_wnd") or _UNSCALED


def _info(end: socket.socket) -> dict[str, int]:
    return tcp_info.parse(end.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_OCTETS))
