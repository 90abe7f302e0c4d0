"""TCP_REPAIR: what the kernel allows to whoever moves a live connection to another machine, as CRIU
does. It takes CAP_NET_ADMIN in the socket's namespace.
"""

import socket
from struct import pack, unpack

_TCP_REPAIR, _TCP_REPAIR_QUEUE, _TCP_QUEUE_SEQ = 19, 20, 21  # linux/tcp.h
_ON, _OFF_WITHOUT_PROBE = 1, -1
_RECEIVE_QUEUE, _SEND_QUEUE = 1, 2


def forget(of: socket.socket) -> None:
    """Its end will be gone without a word: a socket under repair is closed so (net/ipv4/tcp.c,
    __tcp_close).
    """
    of.setsockopt(socket.IPPROTO_TCP, _TCP_REPAIR, _ON)


def begin_at(of: socket.socket, isn: int) -> None:
    """Its connect() will use this ISN (1 to 2^32 - 1). The kernel chooses one only where it finds 0
    (net/ipv4/tcp_ipv4.c, tcp_v4_connect).
    """
    of.setsockopt(socket.IPPROTO_TCP, _TCP_REPAIR, _ON)
    of.setsockopt(socket.IPPROTO_TCP, _TCP_REPAIR_QUEUE, _SEND_QUEUE)
    of.setsockopt(socket.IPPROTO_TCP, _TCP_QUEUE_SEQ, pack("=I", isn))
    of.setsockopt(socket.IPPROTO_TCP, _TCP_REPAIR, _OFF_WITHOUT_PROBE)


def next_numbers(of: socket.socket) -> tuple[int, int]:
    """The next number that its program's octets will get, and the one that it expects of its peer:
    where nothing waits to be sent, snd_nxt and rcv_nxt. The connection goes on as if never asked.
    """
    of.setsockopt(socket.IPPROTO_TCP, _TCP_REPAIR, _ON)
    try:
        return _next_number(of, _SEND_QUEUE), _next_number(of, _RECEIVE_QUEUE)
    finally:
        of.setsockopt(socket.IPPROTO_TCP, _TCP_REPAIR, _OFF_WITHOUT_PROBE)


def _next_number(of: socket.socket, queue: int) -> int:
    of.setsockopt(socket.IPPROTO_TCP, _TCP_REPAIR_QUEUE, queue)
    (number,) = unpack("=I", of.getsockopt(socket.IPPROTO_TCP, _TCP_QUEUE_SEQ, 4))
    return int(number)
