"""The errors that ICMP reports about what a socket has sent (man 7 ip, IP_RECVERR)."""

import socket
from dataclasses import dataclass
from struct import unpack_from

_RECEIVE_ERRORS = {  # IP_RECVERR, IPV6_RECVERR
    socket.AF_INET: (socket.IPPROTO_IP, 11),
    socket.AF_INET6: (socket.IPPROTO_IPV6, 25),
}
_EXTENDED_ERROR = 16  # octets of struct sock_extended_err
_ORIGINS = {2: 4, 3: 6}  # SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6 (linux/errqueue.h)
_LONGEST_QUOTE, _LONGEST_ANCILLARY = 2048, 512


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedError:
    """One ICMP error: of IP `version`, from `reporter`, and how its quote begins, which is where
    the socket's own part of a packet does. `port` is where the packet was going, where it is known.
    """

    version: int
    type: int
    code: int
    reporter: str
    port: int
    quoted: bytes


def keep_errors(of: socket.socket) -> None:
    """Have the kernel queue the errors from now on."""
    of.setsockopt(*_RECEIVE_ERRORS[of.family], 1)


def take_errors(of: socket.socket) -> list[ReportedError]:
    """Those that are queued, oldest first. The socket does not block."""
    errors: list[ReportedError] = []
    while True:
        try:
            quoted, ancillary, _flags, to = of.recvmsg(
                _LONGEST_QUOTE, _LONGEST_ANCILLARY, socket.MSG_ERRQUEUE
            )
        except BlockingIOError:
            return errors
        for _level, _kind, data in ancillary:
            error = _read(quoted, to, data)
            if error is not None:
                errors.append(error)


def _read(quoted: bytes, to: tuple[str, int] | None, data: bytes) -> ReportedError | None:
    """struct sock_extended_err, and behind it the socket address of whoever reports."""
    if len(data) < _EXTENDED_ERROR:
        return None
    _errno, origin, kind, code = unpack_from("=IBBB", data)
    if origin not in _ORIGINS:
        return None
    (family,) = unpack_from("=H", data, _EXTENDED_ERROR)
    at, octets = (4, 4) if family == socket.AF_INET else (8, 16)
    at += _EXTENDED_ERROR
    return ReportedError(
        version=_ORIGINS[origin],
        type=kind,
        code=code,
        reporter=socket.inet_ntop(family, data[at : at + octets]),
        port=to[1] if to else 0,
        quoted=quoted,
    )
