"""Scans as they come out: reports made by hand, for pictures of them and for their JSON."""

from collections.abc import Callable
from dataclasses import replace

from tcplab.analysis.scanning.census import Census, Proof, Rejection
from tcplab.analysis.scanning.report import (
    Method,
    PaceCause,
    PaceChange,
    Round,
    ScanReport,
    ServerSaw,
    Silence,
)
from tcplab.text import Text

OPEN, FILTERED, REJECTED = (22, 80, 443, 3306, 8080), (135, 137, 138, 139, 445), (23, 25)
NAMES = {22: "ssh", 23: "telnet", 25: "smtp", 80: "http", 135: "epmap", 443: "https", 3306: "mysql",
         8080: "http-alt", 33434: "traceroute"}  # fmt: skip
_EVERY = (range(1, 65536),)
_PROHIBITED = {
    4: Rejection(version=4, type=3, code=13, reporter="192.0.2.2"),
    6: Rejection(version=6, type=1, code=1, reporter="2001:db8::2"),
}


def _census(asked: tuple[range, ...], *, open_by: Proof, closed_by: Proof, version: int) -> Census:
    census = Census(asked)
    ttl = 64 if open_by is Proof.SYN_ACK else 0
    for n, port in enumerate(OPEN):
        if any(port in each for each in asked):
            census.note(port, open_by, ttl=ttl)
            census.rtts_ns[port] = 21_400 + 1_730 * n
    for port in REJECTED:
        if any(port in each for each in asked):
            census.reject(port, _PROHIBITED[version])
    for port in census.unanswered():
        if port not in FILTERED:
            census.note(port, closed_by, ttl=ttl)
    return census


def _rounds(*told: tuple[int, int], controls: int = 0) -> tuple[Round, ...]:
    """Rounds of (ports asked, answers), 40 ms each; after the first one with so many controls."""
    return tuple(
        Round(
            number=n,
            probes=asked + (controls if n else 0),
            controls=controls if n else 0,
            answers=answers,
            began_ns=n * 40_000_000,
            ended_ns=n * 40_000_000 + 39_000_000,
            rto_ns=20_000_000,
        )
        for n, (asked, answers) in enumerate(told)
    )


def syn(asked: tuple[range, ...] = _EVERY) -> ScanReport:
    """The testbed's server, every port."""
    census = _census(asked, open_by=Proof.SYN_ACK, closed_by=Proof.RST, version=4)
    return ScanReport(
        target="192.0.2.2",
        address="192.0.2.2",
        source="192.0.2.1",
        method=Method.SYN,
        testbed=True,
        interface="eth0",
        census=census,
        rate_pps=None,
        authorized=None,
        sent=65_582,
        received=65_562,
        drops=0,
        send_errors=0,
        rounds=_rounds((65_535, 65_530), (5, 0), (5, 0), controls=16),
        pace=(),
        seconds=0.2034,
        server_saw=ServerSaw(
            accepted=(),
            counters={"TcpAttemptFails": 5, "TcpPassiveOpens": 0},
            syn_received_peak=1,
        ),
    )


def connect() -> ScanReport:
    """The same by connect(), over IPv6."""
    census = _census(_EVERY, open_by=Proof.CONNECTED, closed_by=Proof.REFUSED, version=6)
    return replace(
        syn(),
        target="2001:db8::2",
        address="2001:db8::2",
        source="2001:db8::1",
        method=Method.CONNECT,
        census=census,
        server_saw=ServerSaw(
            accepted=tuple(("2001:db8::1", 40_000 + n, port) for n, port in enumerate(OPEN)),
            counters={"TcpAttemptFails": 0, "TcpPassiveOpens": 5},
        ),
    )


def few() -> ScanReport:
    """A handful of ports."""
    return replace(
        syn((range(22, 26), range(80, 82), range(135, 136))),
        sent=23,
        received=20,
        rounds=_rounds((7, 6), (1, 0), (1, 0), controls=6),
        seconds=0.0812,
    )


def host() -> ScanReport:
    """A named host behind a router, with a rate, and somebody who said that it may be."""
    return replace(
        syn((range(1, 1025),)),
        target="scanme.example",
        address="198.51.100.7",
        source="192.0.2.1",
        testbed=False,
        rate_pps=1000,
        authorized="R. Stevens\x1b[31m",
        sent=1_071,
        received=1_054,
        rounds=_rounds((1_024, 1_019), (5, 0), (5, 0), controls=16),
        seconds=1.31,
        server_saw=None,
    )


def troubled() -> ScanReport:
    """Drops, and a rate that fell and rose; nothing could be made good."""
    report = syn()
    report.census.forged = 3
    return replace(
        report,
        drops=12_345,
        send_errors=7,
        pace=(
            PaceChange(at_ns=20_000_000, pps=131_072, cause=PaceCause.DROPS),
            PaceChange(at_ns=31_000_000, pps=65_536, cause=PaceCause.DROPS),
            PaceChange(at_ns=90_000_000, pps=90_000, cause=PaceCause.RECOVERY),
            PaceChange(at_ns=140_000_000, pps=None, cause=PaceCause.RECOVERY),
        ),
        doubt=Text("the ring had no room, and {count} ports stay without an answer.", count=12),
    )


def ever_changing() -> ScanReport:
    """A rate that changed more often than anybody wants to read."""
    changes = [
        PaceChange(
            at_ns=n * 10_000_000,
            pps=200_000 - 1_000 * n,
            cause=PaceCause.RECOVERY if n % 3 else PaceCause.DROPS,
        )
        for n in range(1, 61)
    ]
    return replace(
        syn(), pace=tuple(changes), drops=12_345, rounds=_rounds(*[(65_535, 6_000)] * 11)
    )


def partial() -> ScanReport:
    """Ctrl-C."""
    census = Census(_EVERY)
    for port in range(1, 40_000):
        if port in OPEN:
            census.note(port, Proof.SYN_ACK, ttl=64)
        elif port not in FILTERED:
            census.note(port, Proof.RST, ttl=64)
    return replace(
        syn(),
        census=census,
        sent=40_100,
        received=39_994,
        partial=True,
        rounds=(),
        cut_round=True,
    )


def hurried() -> ScanReport:
    """At "max", where nobody waited for ICMP errors."""
    return replace(
        host(), rate_pps=None, caveat=Text("somebody may have had no {what} left.", what="token")
    )


def fallen_silent() -> ScanReport:
    """Nobody answers any more, not even those who did."""
    return replace(
        partial(),
        sent=65_535 + 25_541 + 4 * 16,
        rounds=_rounds((65_535, 39_994), (25_541, 0), (0, 0), (0, 0), (0, 0), controls=16),
        cut_round=False,
        doubt=Text("the host has fallen silent."),
    )


def silent(silence: Silence = Silence.DOWN_OR_FILTERED) -> ScanReport:
    """Nothing at all came back."""
    return replace(
        host(),
        census=Census((range(1, 1025),)),
        silence=silence,
        sent=2_048,
        received=0,
        rounds=_rounds((1_024, 0), (1_024, 0)),
    )


def unreachable() -> ScanReport:
    """A router says that there is no way."""
    census = Census((range(1, 1025),))
    for port in range(1, 1025):
        census.reject(port, Rejection(version=4, type=3, code=1, reporter="192.0.2.254"))
    return replace(silent(Silence.UNREACHABLE), census=census, received=1_024)


def closed() -> ScanReport:
    """No port is open."""
    census = Census((range(1, 101),))
    for port in range(1, 101):
        census.note(port, Proof.RST, ttl=63)
    return replace(host(), census=census, sent=100, received=100, rounds=_rounds((100, 100)))


ALL: dict[str, Callable[[], ScanReport]] = {
    "syn": syn,
    "connect": connect,
    "few": few,
    "host": host,
    "troubled": troubled,
    "ever-changing": ever_changing,
    "partial": partial,
    "hurried": hurried,
    "fallen-silent": fallen_silent,
    "silent": silent,
    "unreachable": unreachable,
    "closed": closed,
}
