"""Floods as they come out: reports made by hand, for pictures of them and for their JSON."""

from dataclasses import replace

from tcplab.analysis.flooding.conditions import conditions
from tcplab.analysis.flooding.report import COUNTERS, FloodLook, FloodReport, Try
from tcplab.analysis.flooding.settings import Cookies, FloodSettings

_EVERY_NS = 200_000_000
_TRIES = 15
_OPTIONS = ("MSS", "SAckOK", "Timestamp", "WScale")


def _report(settings: FloodSettings, *, served: bool, half_open: int, **grown: int) -> FloodReport:
    """A flood of three seconds; counters by their short names."""
    counters = {name: grown.get(name.removeprefix("TcpExt"), 0) for name in COUNTERS}
    tries = tuple(
        Try(at_ns=n * _EVERY_NS, took_ns=120_000 + 5_000 * n if served else None)
        for n in range(_TRIES)
    )
    looks = tuple(
        FloodLook(
            at_ns=n * _EVERY_NS // 2,
            sent=settings.frames,
            listen_queue=0,
            syn_received=half_open,
            counters=counters,
            client_tries=n // 2,
            client_served=n // 2 if served else 0,
        )
        for n in range(2 * _TRIES + 1)
    )
    report = FloodReport(
        settings=settings,
        kernel="6.18.44",
        rootless=True,
        looks=looks,
        tries=tries,
        calm_ns=90_000,
        known=False,
        sent=settings.frames,
        drops=0,
        seconds=3.0,
        counters=counters,
        options_kept=_OPTIONS if served else None,
    )
    return replace(report, conditions=conditions(report))


def _served_in(report: FloodReport, chosen: set[int]) -> FloodReport:
    """The same, and served only in those tries."""
    tries = tuple(
        replace(each, took_ns=each.took_ns if n in chosen else None)
        for n, each in enumerate(report.tries)
    )
    looks = tuple(
        replace(look, client_served=len(chosen & {*range(look.client_tries)}))
        for look in report.looks
    )
    return replace(report, tries=tries, looks=looks)


def denied() -> FloodReport:
    """Cookies off, and a short queue."""
    return _report(FloodSettings(), served=False, half_open=13, ListenDrops=402, TCPSynRetrans=13)


def by_cookie() -> FloodReport:
    """Cookies on."""
    return _report(
        FloodSettings(cookies=Cookies.ON),
        served=True,
        half_open=17,
        TCPReqQFullDoCookies=398,
        SyncookiesSent=398,
        SyncookiesRecv=15,
        TCPSynRetrans=17,
    )


def always() -> FloodReport:
    """Cookies for every SYN."""
    return _report(
        FloodSettings(cookies=Cookies.ALWAYS),
        served=True,
        half_open=0,
        TCPReqQFullDoCookies=415,
        SyncookiesSent=415,
        SyncookiesRecv=15,
    )


def limited() -> FloodReport:
    """No cookies, and one frame a second."""
    settings = FloodSettings(rate_limit_pps=1)
    return replace(_report(settings, served=True, half_open=3), sent=3)


def limited_in_vain() -> FloodReport:
    """The same, and a queue for which that is too much."""
    settings = FloodSettings(rate_limit_pps=1, backlog=1)
    report = _report(settings, served=True, half_open=2, ListenDrops=11, TCPReqQFullDrop=11)
    return replace(_served_in(report, {0, 1, 2, 3, 4}), sent=3)


def bare() -> FloodReport:
    """A cookie for a client without timestamps."""
    settings = FloodSettings(cookies=Cookies.ON, timestamps=False)
    return replace(by_cookie(), settings=settings, options_kept=("MSS",))


def late() -> FloodReport:
    """Served after a while, over IPv6, as root."""
    settings = FloodSettings(backlog=16, max_syn_backlog=1024, version=6, seconds=10.0)
    report = _report(settings, served=True, half_open=17, ListenDrops=383, TCPReqQFullDrop=383)
    return replace(_served_in(report, {13, 14}), rootless=False)


def _slowly() -> FloodReport:
    """At 20 frames a second it takes its time until the queue is full."""
    settings = FloodSettings(rate_limit_pps=20)
    report = _report(settings, served=True, half_open=13, ListenDrops=58, TCPSynRetrans=13)
    return replace(report, sent=60)


def partly() -> FloodReport:
    """Served, and then not any more."""
    return _served_in(_slowly(), {0, 1, 2, 3})


def sometimes() -> FloodReport:
    """Served now and then."""
    return _served_in(_slowly(), {0, 1, 5, 9})


def partial() -> FloodReport:
    """Ctrl-C, at once."""
    report = denied()
    return replace(report, tries=(), looks=report.looks[:2], seconds=0.1, partial=True)


def doubtful() -> FloodReport:
    """Frames were lost on the way."""
    return replace(denied(), drops=7)


def unserved_before() -> FloodReport:
    """It does not even work without a flood."""
    report = replace(denied(), calm_ns=None)
    return replace(report, conditions=conditions(report))


COMPARED = (denied(), by_cookie(), always(), limited())
ALL = {
    each.__name__: each
    for each in (
        *(denied, by_cookie, always, limited, limited_in_vain, bare),
        *(late, partly, sometimes, partial, doubtful, unserved_before),
    )
}
