"""Which of the conditions held without which a SYN flood denies nothing.

Other people's labs fail silently here: with cookies, with a queue that is too long for the flood,
with a client that the server knows, or with sources whose owners answer, everything looks like a
flood, and the client is served.
"""

from collections.abc import Iterator
from typing import assert_never

from tcplab.analysis.flooding.report import Condition, ConditionId, FloodReport
from tcplab.analysis.flooding.settings import Cookies
from tcplab.text import Text

_EARLY_S = 7
"""A SYN, ACK is repeated after 1 s and 2 s; 4 s later it is given up (tcp_synack_retries 2)."""
_LATE_S = 63
"""... and with five repetitions, Linux's default."""
_LEAST_BACKLOG = 8
_YOUNG = 8
"""The kernel takes one repetition off for each doubling of those that have not timed out yet which
still leaves them no more than all: from five to two at 2^3 (reqsk_timer_handler).
"""


def conditions(report: FloodReport) -> tuple[Condition, ...]:
    """All of them, in the order in which they matter."""
    return tuple(_conditions(report))


def _conditions(report: FloodReport) -> Iterator[Condition]:
    yield _calm(report)
    yield _cookies_off(report)
    yield _queue_full(report)
    yield _last_quarter(report)
    yield _unproven(report)
    yield _vanishing(report)
    yield _lasting(report)


def _calm(report: FloodReport) -> Condition:
    if report.calm_ns is None:
        sentence = Text("Even before the flood the server did not serve the client.")
    else:
        sentence = Text(
            "Before the flood the server served the client within {ms} ms.",
            ms=f"{report.calm_ns / 1e6:.1f}",
        )
    return Condition(id=ConditionId.CALM, held=report.calm_ns is not None, sentence=sentence)


def _cookies_off(report: FloodReport) -> Condition:
    match report.settings.cookies:
        case Cookies.OFF:
            sentence = Text(
                "tcp_syncookies is 0: a SYN that finds no place in the SYN queue is dropped."
            )
        case Cookies.ON:
            sentence = Text(
                "tcp_syncookies is 1: what finds the SYN queue full is answered with a cookie."
            )
        case Cookies.ALWAYS:
            sentence = Text("tcp_syncookies is 2: every SYN is answered with a cookie.")
        case _:
            assert_never(report.settings.cookies)
    held = report.settings.cookies is Cookies.OFF
    return Condition(id=ConditionId.COOKIES_OFF, held=held, sentence=sentence)


def _queue_full(report: FloodReport) -> Condition:
    peak, turned_away = report.syn_received_peak, _turned_away(report)
    if report.settings.cookies is Cookies.ALWAYS:
        held, sentence = False, Text("There is no SYN queue to fill: no half-open one is kept.")
    elif turned_away:
        held = True
        sentence = Text(
            "The SYN queue took no more than {peak} half-open connections, and {count} SYNs found "
            "no place in it.",
            peak=peak,
            count=f"{turned_away:,}",
        )
    else:
        held = False
        sentence = Text(
            "The SYN queue was never full: there were {peak} half-open connections at most.",
            peak=peak,
        )
    return Condition(id=ConditionId.QUEUE_FULL, held=held, sentence=sentence)


def _turned_away(report: FloodReport) -> int:
    """The SYNs that found no place: the queue was full, or its rest reserved."""
    counters = report.counters
    return counters["TcpExtTCPReqQFullDoCookies"] or counters["TcpExtListenDrops"]


def _last_quarter(report: FloodReport) -> Condition:
    settings, counters = report.settings, report.counters
    dropped, full = counters["TcpExtListenDrops"], counters["TcpExtTCPReqQFullDrop"]
    reserved = settings.max_syn_backlog // 4
    held = settings.cookies is Cookies.OFF and dropped > full
    if held:
        sentence = Text(
            "Strangers were turned away at {peak} half-open connections: the last quarter of "
            "tcp_max_syn_backlog ({most}) is reserved for peers that the kernel knows.",
            peak=report.syn_received_peak,
            most=settings.max_syn_backlog,
        )
    elif settings.cookies is not Cookies.OFF:
        sentence = Text("With cookies nothing is reserved: tcp_max_syn_backlog does not count.")
    elif full:
        sentence = Text(
            "The backlog of listen({backlog}) was full before the last quarter of "
            "tcp_max_syn_backlog ({most}).",
            backlog=settings.backlog,
            most=settings.max_syn_backlog,
        )
    else:
        sentence = Text(
            "tcp_max_syn_backlog is {most}: before the last {reserved} places nobody is turned "
            "away.",
            most=settings.max_syn_backlog,
            reserved=reserved,
        )
    return Condition(id=ConditionId.LAST_QUARTER, held=held, sentence=sentence)


def _unproven(report: FloodReport) -> Condition:
    if report.known:
        sentence = Text(
            "The server's kernel knows the client from an earlier connection (tcp_metrics): it may "
            "have the reserved places."
        )
    else:
        sentence = Text("The server's kernel does not know the client (tcp_metrics): a stranger.")
    return Condition(id=ConditionId.UNPROVEN, held=not report.known, sentence=sentence)


def _vanishing(report: FloodReport) -> Condition:
    resets = report.counters["TcpExtEmbryonicRsts"]
    if resets:
        sentence = Text(
            "Somebody answered: RST ended {count} half-open connections.", count=f"{resets:,}"
        )
    else:
        sentence = Text(
            "The SYN, ACKs vanished: no RST came back from the forged addresses, and none ended a "
            "half-open connection."
        )
    return Condition(id=ConditionId.VANISHING, held=not resets, sentence=sentence)


def _lasting(report: FloodReport) -> Condition:
    peak, backlog = report.syn_received_peak, report.settings.backlog
    # net/ipv4/inet_connection_sock.c, reqsk_timer_handler.
    held = 0 < 2 * peak <= max(_LEAST_BACKLOG, backlog)
    if held:
        sentence = Text(
            "At most half of listen({backlog}) was half-open, so the kernel keeps them for "
            "{late} s.",
            backlog=backlog,
            late=_LATE_S,
        )
    elif peak:
        sentence = Text(
            "More than half of listen({backlog}) was half-open: then the kernel gives them up "
            "after {early} s instead of {late} s, unless more than one in {share} of them came "
            "within the last second.",
            backlog=backlog,
            early=_EARLY_S,
            late=_LATE_S,
            share=_YOUNG,
        )
    else:
        sentence = Text("No half-open connection was kept.")
    return Condition(id=ConditionId.LASTING, held=held, sentence=sentence)
