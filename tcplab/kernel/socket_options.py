"""Socket options by their names in C (man 7 socket, man 7 tcp)."""

import errno
import os
import socket
from struct import calcsize, pack, unpack

_LEVELS = {
    "SO": socket.SOL_SOCKET,
    "TCP": socket.IPPROTO_TCP,
    "IP": socket.IPPROTO_IP,
    "IPV6": socket.IPPROTO_IPV6,
}
_UNKNOWN_TO_PYTHON = {  # linux/tcp.h
    "TCP_THIN_LINEAR_TIMEOUTS": 16,
    "TCP_THIN_DUPACK": 17,
    "TCP_USER_TIMEOUT": 18,
    "TCP_SAVE_SYN": 27,
    "TCP_FASTOPEN_CONNECT": 30,
    "TCP_INQ": 36,
    "TCP_TX_DELAY": 37,
}
_PAIR = "=ii"  # struct linger
_LONGEST_NAME = 16  # TCP_CA_NAME_MAX

Values = tuple[int | str, ...]


def set_option(of: socket.socket, option: str, values: Values) -> None:
    """Set it: one int, two (SO_LINGER's), or a name (TCP_CONGESTION's).

    Raises the kernel's OSError, ENOPROTOOPT also for a name that is not known here.
    """
    match values:
        case (int(number),):
            of.setsockopt(*_known(option), number)
        case (int(first), int(second)):
            of.setsockopt(*_known(option), pack(_PAIR, first, second))
        case (str(name),):
            of.setsockopt(*_known(option), name.encode())
        case _:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))


def option_of(of: socket.socket, option: str, like: Values) -> Values:
    """What it is now, in the shape of `like`. Raises as `set_option`."""
    match like:
        case (str(),):
            return (of.getsockopt(*_known(option), _LONGEST_NAME).partition(b"\0")[0].decode(),)
        case (_, _):
            return unpack(_PAIR, of.getsockopt(*_known(option), calcsize(_PAIR)))
        case _:
            return (of.getsockopt(*_known(option)),)


def written(values: Values) -> str:
    """The values as C would write them."""
    words = ", ".join(map(str, values))
    return words if len(values) == 1 else f"{{{words}}}"


def _known(option: str) -> tuple[int, int]:
    level = _LEVELS.get(option.partition("_")[0])
    number = _UNKNOWN_TO_PYTHON.get(option, getattr(socket, option, None))
    if level is None or not isinstance(number, int):
        raise OSError(errno.ENOPROTOOPT, os.strerror(errno.ENOPROTOOPT))
    return level, number
