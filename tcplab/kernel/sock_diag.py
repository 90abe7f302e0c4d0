"""What a kernel knows of one TCP socket, asked by its exact addresses (man 7 sock_diag).

An exact GET takes some 9 µs (a dump 300 µs), so both ends are asked before and after every frame.
The kernel looks a segment's addresses up in the order established, listening: a GET for a
connection that has no socket yet finds the listener, and says so.
"""

from dataclasses import dataclass
from socket import AF_INET, AF_INET6, IPPROTO_TCP, inet_pton
from struct import Struct, unpack_from

from tcplab.kernel import tcp_info
from tcplab.kernel.netlink import SOCK_DIAG, Netlink, attributes
from tcplab.kernel.states import bits_of, from_number
from tcplab.tcp.segment import Address
from tcplab.tcp.states import State

_BY_FAMILY = 20  # SOCK_DIAG_BY_FAMILY
_DESTROY = 21  # SOCK_DESTROY
_REQUEST = Struct("=BBBxI")
_IDENTITY = 48  # octets of struct inet_diag_sockid
_ANY_COOKIE = b"\xff" * 8
_ALL_STATES = 0xFFFFFFFF
_INFO, _SHUTDOWN = 2, 8  # INET_DIAG_INFO, INET_DIAG_SHUTDOWN
_TIMERS = ("off", "retransmit", "keepalive", "timewait", "probe")


@dataclass(frozen=True, slots=True, kw_only=True)
class Socket:
    """One socket as the kernel describes it.

    `timer` is "off", "retransmit", "keepalive", "timewait" or "probe", due in `expires_ms`. The
    queues are in octets (for a listener: connections waiting, and the backlog). `info` is tcp_info
    (`tcplab.kernel.tcp_info`) and empty for request and TIME-WAIT sockets, which have none.
    """

    state: State
    timer: str
    expires_ms: int
    retransmits: int
    receive_queue: int
    send_queue: int
    inode: int
    info: dict[str, int]


class SockDiag:
    """Asks the kernel of the network namespace in which it was made."""

    def __init__(self) -> None:
        self._netlink = Netlink(SOCK_DIAG)

    def close(self) -> None:
        """Give the socket back."""
        self._netlink.close()

    def get(self, local: Address, remote: Address, *, info: bool = False) -> Socket | None:
        """The socket with exactly these addresses, else the listener at `local`, else None."""
        wanted = 1 << (_INFO - 1) if info else 0
        body = _REQUEST.pack(_family(local), IPPROTO_TCP, wanted, _ALL_STATES)
        try:
            return _parse(self._netlink.ask(_BY_FAMILY, body + _identity(local, remote)))
        except FileNotFoundError:
            return None

    def in_state(self, state: State, port: int, *, version: int) -> list[Socket]:
        """All sockets of that IP version in that state with that own port: a dump, some 0.3 ms."""
        family = AF_INET6 if version == 6 else AF_INET
        body = _REQUEST.pack(family, IPPROTO_TCP, 0, bits_of(state)) + port.to_bytes(2, "big")
        # A dump filters by what comes first in struct inet_diag_sockid: the own port.
        answers = self._netlink.dump(_BY_FAMILY, body.ljust(_REQUEST.size + _IDENTITY, b"\0"))
        return list(map(_parse, answers))

    def destroy(self, local: Address, remote: Address) -> None:
        """Abort the socket as `ss -K` does. Raises OSError if there is none or it is not
        allowed.
        """
        body = _REQUEST.pack(_family(local), IPPROTO_TCP, 0, _ALL_STATES)
        self._netlink.tell([(_DESTROY, 0, body + _identity(local, remote))])


def _family(address: Address) -> int:
    return AF_INET6 if ":" in address.ip else AF_INET


def _identity(local: Address, remote: Address) -> bytes:
    """struct inet_diag_sockid: ports, addresses, no interface, any cookie."""
    family = _family(local)
    return b"".join(
        (
            local.port.to_bytes(2, "big"),
            remote.port.to_bytes(2, "big"),
            inet_pton(family, local.ip).ljust(16, b"\0"),
            inet_pton(family, remote.ip).ljust(16, b"\0"),
            b"\0\0\0\0",
            _ANY_COOKIE,
        )
    )


def _parse(body: bytes) -> Socket:
    """struct inet_diag_msg and the attributes behind it."""
    _family, state, timer, retransmits = unpack_from("=BBBB", body)
    expires_ms, receive_queue, send_queue, _uid, inode = unpack_from("=5I", body, 52)
    info: dict[str, int] = {}
    for kind, data in attributes(body[72:]):
        if kind == _INFO:
            info = tcp_info.parse(data)
    return Socket(
        state=from_number(state),
        timer=_TIMERS[timer] if timer < len(_TIMERS) else str(timer),
        expires_ms=expires_ms,
        retransmits=retransmits,
        receive_queue=receive_queue,
        send_queue=send_queue,
        inode=inode,
        info=info,
    )
