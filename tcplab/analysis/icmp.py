"""What ICMP errors mean, in words (RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1, RFC 4443 §3)."""

from enum import Enum, unique
from typing import Final, Protocol

from tcplab.text import Text


class Coded(Protocol):
    """What has an ICMP type and code: an event of a timeline, a rejected port of a scan."""

    @property
    def version(self) -> int:
        """4 or 6."""

    @property
    def type(self) -> int:
        """As in the header."""

    @property
    def code(self) -> int:
        """As in the header."""


@unique
class Report(Enum):
    """What kind of news it is for a SYN."""

    PROHIBITED = "open.prohibited"
    """Somebody decided that it must not pass."""
    UNREACHABLE = "open.unreachable"
    """It cannot get there."""
    ADVICE = "advice"
    """It says how to send, not that it cannot be sent."""


_UNREACHABLE_4, _TIME_4, _PARAMETER_4 = 3, 11, 12
_UNREACHABLE_6, _TOO_BIG_6, _TIME_6, _PARAMETER_6 = 1, 2, 3, 4

_WORDS: Final = {
    (4, _UNREACHABLE_4, 0): Text("network unreachable"),
    (4, _UNREACHABLE_4, 1): Text("host unreachable"),
    (4, _UNREACHABLE_4, 2): Text("protocol unreachable"),
    (4, _UNREACHABLE_4, 3): Text("port unreachable"),
    (4, _UNREACHABLE_4, 4): Text("fragmentation needed"),
    (4, _UNREACHABLE_4, 5): Text("source route failed"),
    (4, _UNREACHABLE_4, 6): Text("network unknown"),
    (4, _UNREACHABLE_4, 7): Text("host unknown"),
    (4, _UNREACHABLE_4, 9): Text("network administratively prohibited"),
    (4, _UNREACHABLE_4, 10): Text("host administratively prohibited"),
    (4, _UNREACHABLE_4, 13): Text("communication administratively prohibited"),
    (4, _TIME_4, 0): Text("TTL exceeded on the way"),
    (4, _TIME_4, 1): Text("fragments not complete in time"),
    (4, _PARAMETER_4, 0): Text("bad IP header"),
    (6, _UNREACHABLE_6, 0): Text("no route to destination"),
    (6, _UNREACHABLE_6, 1): Text("communication administratively prohibited"),
    (6, _UNREACHABLE_6, 2): Text("beyond the scope of the source address"),
    (6, _UNREACHABLE_6, 3): Text("address unreachable"),
    (6, _UNREACHABLE_6, 4): Text("port unreachable"),
    (6, _UNREACHABLE_6, 5): Text("source address failed ingress/egress policy"),
    (6, _UNREACHABLE_6, 6): Text("route rejected"),
    (6, _TOO_BIG_6, 0): Text("packet too big"),
    (6, _TIME_6, 0): Text("hop limit exceeded on the way"),
    (6, _TIME_6, 1): Text("fragments not complete in time"),
    (6, _PARAMETER_6, 0): Text("bad IPv6 header"),
}

_PROHIBITED = frozenset(
    {(4, _UNREACHABLE_4, code) for code in (9, 10, 13)}
    # "Codes 5 and 6 are more informative subsets of code 1" (RFC 4443 §3.1).
    | {(6, _UNREACHABLE_6, code) for code in (1, 5, 6)}
)
_ADVICE = frozenset({(4, _UNREACHABLE_4, 4)})
_ADVISING_TYPES = frozenset({(4, 4), (6, _TOO_BIG_6)})  # source quench; packet too big


_NO_HOST = frozenset({(4, _UNREACHABLE_4, 1), (6, _UNREACHABLE_6, 3)})
_NO_PORT = frozenset({(4, _UNREACHABLE_4, 3), (6, _UNREACHABLE_6, 4)})


def words(error: Coded) -> Text:
    """The error in words, with its type and code."""
    known = _WORDS.get(_key(error))
    if known is None:
        return Text("type {type}, code {code}", type=error.type, code=error.code)
    return Text("{words} (type {type}, code {code})", words=known, type=error.type, code=error.code)


def report(error: Coded) -> Report:
    """What it means for a connection that is not open yet."""
    key = _key(error)
    if key in _ADVICE or key[:2] in _ADVISING_TYPES:
        return Report.ADVICE
    return Report.PROHIBITED if key in _PROHIBITED else Report.UNREACHABLE


def names_host(error: Coded) -> bool:
    """Does it say that nobody there has the address?"""
    return _key(error) in _NO_HOST


def betrays_firewall(error: Coded) -> bool:
    """Would a host's TCP never send it? It answers with RST where no port listens."""
    return _key(error) in _NO_PORT or report(error) is Report.PROHIBITED


def _key(error: Coded) -> tuple[int, int, int]:
    return error.version, error.type, error.code
