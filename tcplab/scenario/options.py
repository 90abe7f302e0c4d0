"""The socket options that a scenario can set, and what their values look like (man 7 tcp)."""

from enum import Enum, unique


@unique
class Shape(Enum):
    """What an option takes."""

    NUMBER = "number"
    """One int; a switch takes 0 or 1."""
    LINGER = "linger"
    """struct linger: on or off, and seconds."""
    NAME = "name"
    """A text, such as the name of a congestion control."""


OPTIONS = {
    "SO_KEEPALIVE": Shape.NUMBER,
    "SO_LINGER": Shape.LINGER,
    "SO_OOBINLINE": Shape.NUMBER,
    "SO_RCVBUF": Shape.NUMBER,
    "SO_RCVLOWAT": Shape.NUMBER,
    "SO_REUSEADDR": Shape.NUMBER,
    "SO_REUSEPORT": Shape.NUMBER,
    "SO_SNDBUF": Shape.NUMBER,
    "TCP_CONGESTION": Shape.NAME,
    "TCP_CORK": Shape.NUMBER,
    "TCP_DEFER_ACCEPT": Shape.NUMBER,
    "TCP_KEEPCNT": Shape.NUMBER,
    "TCP_KEEPIDLE": Shape.NUMBER,
    "TCP_KEEPINTVL": Shape.NUMBER,
    "TCP_LINGER2": Shape.NUMBER,
    "TCP_MAXSEG": Shape.NUMBER,
    "TCP_NODELAY": Shape.NUMBER,
    "TCP_QUICKACK": Shape.NUMBER,
    "TCP_SYNCNT": Shape.NUMBER,
    "TCP_USER_TIMEOUT": Shape.NUMBER,
    "TCP_WINDOW_CLAMP": Shape.NUMBER,
}
