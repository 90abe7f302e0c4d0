"""What is said on the connection (IMAP, RFC 9051), and how far off a number is that misses."""

from dataclasses import dataclass
from functools import cache

from tcplab.scenario.attacks.attack import Attack
from tcplab.scenario.predicate import Predicate, Sum, parse, parse_sum
from tcplab.scenario.steps import Expect
from tcplab.scenario.tls import application_data

CONN = "a"
GAP_OCTETS = 1000
"""An in-window segment is so far beyond the next number: less than any window here, and more than
either end says before the gap is to be filled.
"""
OUTSIDE_OCTETS = 1 << 30
"""Beyond every window that there can be: 65,535 shifted by at most 14 (RFC 7323 §2.3)."""
_HOSTS = ("client", "server", "attacker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """`forged` is what the attacker says to the victim. `first` and `second` are what the end says
    whose name it used: together they are longer than `forged`, and the first alone is shorter.
    `answer` is what the victim says at last.
    """

    login: bytes
    welcome: bytes
    forged: bytes
    first: bytes
    second: bytes
    answer: bytes


def lines(of: Attack) -> Lines:
    """What is said in that attack."""
    if of.at == "server":
        forged, first, second = b"a2 DELETE INBOX\r\n", b"a2 NOOP\r\n", b"a3 LOGOUT\r\n"
        answer = b"a2 OK done\r\n"
    else:
        forged, first, second = b"* OK [ALERT] pay me\r\n", b"* 2 EXISTS\r\n", b"* 1 RECENT\r\n"
        answer = b"a2 LOGOUT\r\n"
    return Lines(
        login=b"a1 LOGIN alice s3cret\r\n",
        welcome=b"a1 OK LOGIN completed\r\n",
        forged=application_data(forged) if of.tls else forged,
        first=first,
        second=second,
        answer=answer,
    )


@cache
def number(text: str) -> Sum:
    """A sequence number, in symbols."""
    return parse_sum(text, hosts=_HOSTS, conns=(CONN,))


@cache
def _predicate(text: str) -> Predicate:
    return parse(text, hosts=_HOSTS, conns=(CONN,), segment=False)


def said(text: str) -> Expect:
    """This is so now."""
    return Expect(predicate=_predicate(text), conn=CONN)
