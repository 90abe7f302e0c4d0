"""A SYN that is never acknowledged, and the SYN cookie, as scenarios for the stepped wire.

Their SYNs and ACKs are crafted in the client's name, and a shield keeps the client's kernel silent:
else it would answer the SYN, ACK of a connection that it does not know with RST, and nothing would
be half-open.
"""

from enum import Enum, unique
from itertools import chain

from tcplab.scenario.calls import Accept, Connect, Listen
from tcplab.scenario.host_settings import HostSettings, Sysctl
from tcplab.scenario.predicate import Predicate, Sum, parse, parse_sum
from tcplab.scenario.steps import At, Await, Connection, Expect, On, Scenario, Step
from tcplab.scenario.wire import Craft
from tcplab.tcp.flags import Flags
from tcplab.tcp.options import (
    MaximumSegmentSize,
    NoOperation,
    Option,
    SackPermitted,
    WindowScale,
)
from tcplab.text import Text

FILLERS = ("queue-1", "queue-2")
PROBE, BARE, FULL = "probe", "bare", "full"
"""The connections of `cookie`: those that fill the queue, one that is asked for cookies, one whose
SYN has no timestamps, and a real client's, with all the options that there are.
"""
_ISN = 1_000_000_000
_FURTHER = 1000
"""So much higher is the ISN of one SYN of the probe."""
_WRONG = 1 << 20
"""So far beside the cookie is the forged ACK: further than the MSS in it could reach."""
_PATIENCE_S = 10.0
_DEFAULT_RETRIES = 5
"""Linux's tcp_synack_retries."""
_UNHURRIED_MS = 10_000
_ALL_OPTIONS = 1 | 2 | 4 | 8
"""Timestamps, SACK, window scale and ECN, as tcpi_options has them (TCPI_OPT_… in linux/tcp.h)."""

_MSS = {4: (1460, 536, 1400, 1300), 6: (1440, 1220, 1430, 1420)}
"""By version of IP: a usual MSS, the lowest that a cookie can hold, one that it cannot, and what it
makes of that (net/ipv4/syncookies.c and net/ipv6/syncookies.c, msstab).
"""


@unique
class Cookies(Enum):
    """When a server sends SYN cookies; the value is net.ipv4.tcp_syncookies."""

    ON = "1"
    """When its queue of half-open connections is full: Linux's default."""
    ALWAYS = "2"


def lasts_s(retries: int) -> int:
    """How long the server waits for the ACK: 1 s, and after each SYN, ACK twice as long again."""
    return (2 << retries) - 1


def no_ack(retries: int = 2, *, version: int = 4) -> Scenario:
    """A SYN, and never the third segment. `retries` is the server's tcp_synack_retries."""
    return Scenario(
        name="no-ack",
        title=Text("A SYN that is never acknowledged"),
        story=Text(
            "A SYN is crafted in the client's name, and the client says nothing more: a shield "
            "keeps its kernel silent. The server's SYN, ACK arrives and gets no answer. How often "
            "it is sent again is tcp_synack_retries: {retries} here. Then the server gives up.",
            retries=retries,
        )
        if retries == _DEFAULT_RETRIES
        else Text(
            "A SYN is crafted in the client's name, and the client says nothing more: a shield "
            "keeps its kernel silent. The server's SYN, ACK arrives and gets no answer. How often "
            "it is sent again is tcp_synack_retries: {retries} here, for Linux's default of "
            "{default} takes {seconds} s. Then the server gives up.",
            retries=retries,
            default=_DEFAULT_RETRIES,
            seconds=lasts_s(_DEFAULT_RETRIES),
        ),
        notice=Text(
            "One small segment occupies the server for {seconds} s. What it holds meanwhile is not "
            "a socket but a request socket, a few hundred octets, and its place in the SYN queue: "
            "that is what a SYN flood uses up.",
            seconds=lasts_s(retries),
        ),
        steps=(
            At(host="server", call=Listen()),
            _syn("a", MaximumSegmentSize(_MSS[version][0])),
            _expect("server.state == SYN-RECEIVED"),
            Await(
                predicate=_parsed("server.state == CLOSED"),
                within_s=lasts_s(retries) + _PATIENCE_S,
            ),
            _expect(f"server.sent.syn == {retries + 1} and server.sent.rst == 0"),
        ),
        hosts=(
            HostSettings(name="client"),
            HostSettings(
                name="server",
                sysctls=(Sysctl(name="net.ipv4.tcp_synack_retries", value=str(retries)),),
            ),
        ),
        timed=True,
    )


def cookie(cookies: Cookies = Cookies.ON, *, version: int = 4) -> Scenario:
    """The SYN cookie taken apart: what is in it, what it needs, and what it cannot keep."""
    fillers = FILLERS if cookies is Cookies.ON else ()
    usual, lowest, between, kept = _MSS[version]
    probe = (
        _syn(PROBE, MaximumSegmentSize(usual)),
        _syn(PROBE, MaximumSegmentSize(usual)),
        _syn(PROBE, MaximumSegmentSize(usual), isn=_ISN + _FURTHER),
        _syn(PROBE, MaximumSegmentSize(lowest)),
        _expect("server.state == LISTEN", PROBE),
        _ack(PROBE, beside=_WRONG),
        _expect("server.counter.SyncookiesFailed == 1", PROBE),
    )
    bare = (
        _syn(BARE, MaximumSegmentSize(between), SackPermitted(), NoOperation(), WindowScale(7)),
        _expect("server.state == LISTEN", BARE),
        _ack(BARE),
        _expect("server.state == ESTABLISHED", BARE),
        At(host="server", call=Accept(), conn=BARE),
        _expect(f"server.info.snd_mss == {kept} and server.info.options == 0", BARE),
    )
    full = (
        At(host="client", call=Connect(), conn=FULL),
        At(host="server", call=Accept(), conn=FULL),
        _expect(f"server.info.options == {_ALL_OPTIONS}", FULL),
        _expect("server.counter.SyncookiesRecv == 2", FULL),
    )
    return Scenario(
        name="syn-cookie",
        title=Text("The SYN cookie, taken apart"),
        story=_story(cookies),
        notice=Text(
            "A server that sends cookies has no SYN queue that a flood could fill, though a flood "
            "still costs it time and its link. It pays with what does not fit into 32 bits: the "
            "lowest six bits of its timestamp hold the rest, if the client sends timestamps."
        ),
        steps=(
            At(host="server", call=Listen(backlog=1), conn=(*fillers, PROBE)[0]),
            *chain.from_iterable(map(_filled, fillers)),
            *probe,
            *bare,
            *full,
        ),
        hosts=(
            HostSettings(
                name="client",
                quickack=True,
                rto_min_ms=_UNHURRIED_MS,
                sysctls=(Sysctl(name="net.ipv4.tcp_ecn", value="1"),),
            ),
            HostSettings(
                name="server",
                quickack=True,
                rto_min_ms=_UNHURRIED_MS,
                sysctls=(
                    Sysctl(name="net.ipv4.tcp_syncookies", value=cookies.value),
                    # 2: timestamps without a random offset, so that the bits in them can be read.
                    Sysctl(name="net.ipv4.tcp_timestamps", value="2"),
                ),
            ),
        ),
        conns=tuple(Connection(name=name) for name in (*fillers, PROBE, BARE, FULL)),
    )


def _story(cookies: Cookies) -> Text:
    match cookies:
        case Cookies.ON:
            return Text(
                "Two SYNs fill the server's short queue. From then on it answers with cookies: the "
                "same client asks four times, an ACK is forged, a SYN without timestamps gets its "
                "ACK, and a real client connects."
            )
        case Cookies.ALWAYS:
            return Text(
                "The server answers every SYN with a cookie. The same client asks four times, an "
                "ACK is forged, a SYN without timestamps gets its ACK, and a real client connects."
            )


def _filled(conn: str) -> tuple[Step, ...]:
    """One place in the queue of half-open connections, taken by a SYN without an ACK."""
    usual = MaximumSegmentSize(_MSS[4][0])
    return _syn(conn, usual), _expect("server.state == SYN-RECEIVED", conn)


def _syn(conn: str, *options: Option, isn: int = _ISN) -> On:
    return On(
        Craft(
            host="client",
            conn=conn,
            flags=Flags.SYN,
            seq=_number(isn),
            ack=None,
            options=options,
            shielded=True,
        )
    )


def _ack(conn: str, *, beside: int = 0) -> Step:
    """The third segment; `beside` is how far it misses the server's ISN + 1."""
    return On(
        Craft(
            host="client",
            conn=conn,
            flags=Flags.ACK,
            seq=_number(_ISN + 1),
            ack=parse_sum(f"server.isn + {1 + beside}", hosts=("server",), conns=()),
            shielded=True,
        )
    )


def _expect(predicate: str, conn: str = "a") -> Expect:
    return Expect(predicate=_parsed(predicate), conn=conn)


def _parsed(predicate: str) -> Predicate:
    return parse(predicate, hosts=("client", "server"), conns=(), segment=False)


def _number(number: int) -> Sum:
    return parse_sum(str(number), hosts=(), conns=())
