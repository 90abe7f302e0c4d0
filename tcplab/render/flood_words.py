"""What is said of a SYN flood: what it was, who was served, and what each counter counts."""

from collections.abc import Iterator
from typing import assert_never

from tcplab.analysis.flooding.report import ConditionId, FloodReport
from tcplab.analysis.flooding.settings import Cookies, FloodSettings
from tcplab.text import Text, verbatim

COUNTERS = {
    "TcpExtListenDrops": Text("SYNs and third segments that the listener dropped"),
    "TcpExtListenOverflows": Text("of these because the accept queue was full"),
    "TcpExtTCPReqQFullDrop": Text("of these because the SYN queue was full"),
    "TcpExtTCPReqQFullDoCookies": Text(
        "SYNs answered with a cookie: the SYN queue full, or cookies always on"
    ),
    "TcpExtSyncookiesSent": Text("cookies sent"),
    "TcpExtSyncookiesRecv": Text("cookies that came back, and made a connection"),
    "TcpExtSyncookiesFailed": Text("ACKs that were no cookie"),
    "TcpExtTCPSynRetrans": Text("SYN, ACKs sent again"),
    "TcpExtEmbryonicRsts": Text("half-open connections that an RST ended"),
}


def short(counter: str) -> str:
    """The counter's name without the group that nstat puts before it."""
    return counter.removeprefix("TcpExt")


def cookies(setting: Cookies) -> Text:
    """The setting in words."""
    match setting:
        case Cookies.OFF:
            return Text("cookies off")
        case Cookies.ON:
            return Text("cookies on")
        case Cookies.ALWAYS:
            return Text("cookies always")
        case _:
            assert_never(setting)


def defence(settings: FloodSettings) -> Text:
    """How the server, or the wire before it, meets the flood."""
    if settings.rate_limit_pps is None:
        return cookies(settings.cookies)
    return Text(
        "{cookies}, at most {pps}/s",
        cookies=cookies(settings.cookies),
        pps=f"{settings.rate_limit_pps:,}",
    )


def title(report: FloodReport) -> Text:
    """What was done."""
    return Text("SYN flood against listen(): {defence}", defence=defence(report.settings))


def circumstances(report: FloodReport) -> Iterator[Text]:
    """Where, how much and for how long."""
    settings = report.settings
    yield verbatim(f"IPv{settings.version}")
    yield Text("{sent} of {frames} forged SYNs", sent=f"{report.sent:,}", frames=_frames(settings))
    yield verbatim(f"listen({settings.backlog})")
    yield verbatim(f"tcp_max_syn_backlog {settings.max_syn_backlog}")
    if not settings.timestamps:
        yield Text("a client without timestamps")
    yield Text("watched for {seconds} s", seconds=f"{report.seconds:.1f}")
    yield verbatim(f"Linux {report.kernel}")
    yield Text("rootless") if report.rootless else Text("as root")


def _frames(settings: FloodSettings) -> str:
    return f"{settings.frames:,}"


def verdict(report: FloodReport) -> Text:
    """Was the client served, and after how long?"""
    tries, served = len(report.tries), report.tries_served
    if not tries:
        return Text("The client had no time to try.")
    if report.served_after_ns is None:
        return Text(
            "The client was not served: {tries} tries in {seconds} s, one every 200 ms, and no "
            "answer.",
            tries=tries,
            seconds=f"{report.seconds:.1f}",
        )
    if served == tries:
        return Text(
            "The client was served: all of its {tries} tries, the first after {time}.",
            tries=tries,
            time=duration(report.served_after_ns),
        )
    return _partly(report)


def _partly(report: FloodReport) -> Text:
    """Of a client that was served in some of its tries: when, and when not."""
    served = [each.at_ns for each in report.tries if each.took_ns is not None]
    denied = [each.at_ns for each in report.tries if each.took_ns is None]
    if served[-1] < denied[0]:
        return Text(
            "The client was served in {served} of {tries} tries: served until {last} s after the "
            "flood began, and denied from {denied} s on.",
            served=len(served),
            tries=len(report.tries),
            last=_seconds(served[-1]),
            denied=_seconds(denied[0]),
        )
    if denied[-1] < served[0]:
        return Text(
            "The client was served in {served} of {tries} tries: denied until {denied} s after the "
            "flood began, and served from {first} s on.",
            served=len(served),
            tries=len(report.tries),
            denied=_seconds(denied[-1]),
            first=_seconds(served[0]),
        )
    return Text(
        "The client was served in {served} of {tries} tries, now and then: denied first {denied} s "
        "after the flood began, and served last at {last} s.",
        served=len(served),
        tries=len(report.tries),
        denied=_seconds(denied[0]),
        last=_seconds(served[-1]),
    )


def _seconds(ns: int) -> str:
    return f"{ns / 1e9:.1f}"


def options(report: FloodReport) -> Text | None:
    """Which TCP options the client's connection has; None if it got none."""
    kept = report.options_kept
    if kept is None:
        return None
    if report.counters.get("TcpExtSyncookiesRecv", 0):
        return Text("TCP options that survived the cookie: {options}", options=names(kept))
    return Text("TCP options of the client's connection: {options}", options=names(kept))


def names(kept: tuple[str, ...]) -> Text:
    """Options as the timeline spells them."""
    return verbatim(", ".join(kept)) if kept else Text("none")


def duration(ns: int) -> str:
    """In milliseconds, and from one second on in seconds."""
    return f"{ns / 1e6:.1f} ms" if ns < 1_000_000_000 else f"{ns / 1e9:.1f} s"


def doubt(report: FloodReport) -> Text | None:
    """Why this proves nothing, if so."""
    if report.drops:
        return Text(
            "Inconclusive: {drops} forged SYNs were lost on the way to the server.",
            drops=f"{report.drops:,}",
        )
    if report.calm_ns is None:
        return Text("Inconclusive: the client was not served even before the flood.")
    return None


def too_fast(report: FloodReport) -> Text | None:
    """That the rate was limited in vain, where it was."""
    limit = report.settings.rate_limit_pps
    filled = any(each.id is ConditionId.QUEUE_FULL and each.held for each in report.conditions)
    if limit is None or not filled:
        return None
    if limit == 1:
        return Text(
            "Even one SYN a second, the lowest limit that there is, filled a queue as small as "
            "this within {seconds} s: there a limit on the rate does not help.",
            seconds=f"{report.seconds:.1f}",
        )
    return Text(
        "At most {pps} SYNs a second still filled the queue within {seconds} s: the limit was too "
        "high for it.",
        pps=f"{limit:,}",
        seconds=f"{report.seconds:.1f}",
    )


def reservations(report: FloodReport) -> Iterator[Text]:
    """The same, and that it was stopped, where several floods stand side by side."""
    whose = defence(report.settings)
    if report.drops:
        yield Text(
            "{defence}: inconclusive, {drops} forged SYNs were lost on the way to the server.",
            defence=whose,
            drops=f"{report.drops:,}",
        )
    elif report.calm_ns is None:
        yield Text(
            "{defence}: inconclusive, the client was not served even before the flood.",
            defence=whose,
        )
    if report.partial:
        yield Text(
            "{defence}: stopped before its end; this is what was seen by then.", defence=whose
        )
