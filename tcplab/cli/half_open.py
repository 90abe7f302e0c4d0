"""`tcplab half-open`: SYNs without an ACK, one of them or thousands, and the SYN cookie."""

from typing import TYPE_CHECKING, Any

import click

from tcplab.cli import half_open_rules
from tcplab.cli.flood_types import FramesType, SecondsType, WholeType, places
from tcplab.cli.given import given
from tcplab.cli.half_open_rules import COOKIE, FLOOD, WAYS
from tcplab.cli.options import Presentation, presentation, run_options, trace_option
from tcplab.cli.translated import Command, option
from tcplab.text import Text

if TYPE_CHECKING:
    from tcplab.analysis.flooding.settings import FloodSettings
    from tcplab.scenario.steps import Scenario

_COOKIES = ("off", "on", "always")
_MOST_RETRIES = 5
"""Linux's own default: the server then waits for 63 s."""
_FLOOD_OPTIONS = (
    *("compare", "backlog", "max_syn_backlog", "rate_limit", "frames", "seconds", "no_timestamps"),
)


@click.command(
    "half-open",
    cls=Command,
    help=Text(
        "Show connections that stay half-open, in a testbed that tcplab makes and nowhere else: "
        "there is no HOST. no-ack: one SYN and never the third segment; the server repeats its "
        "SYN, ACK, waits longer and longer, and gives up. flood: forged SYNs from addresses that "
        "nobody has, and a client that tries to connect every 200 ms meanwhile; which of the "
        "conditions for denial held. cookie: the SYN cookie taken apart. Other half-open "
        "connections are scenarios: the peer forgot the connection (tcplab run half-open), it "
        "rebooted (peer-rebooted), the accept queue is full (accept-queue-full), and connections "
        "held open until the server has no descriptor left (descriptor-exhaustion). Exit status "
        "0 if it ran, whoever was served; 5 if that cannot be told; 6 for a flood beyond the "
        "limits."
    ),
    examples=(
        ("tcplab half-open", Text("one SYN, and how long the server waits for its ACK")),
        ("tcplab half-open --how flood", Text("a flood that denies, and why it does")),
        (
            "tcplab half-open --how flood --cookies on",
            Text("the same flood, and the client is served"),
        ),
        (
            "tcplab half-open --how flood --compare",
            Text("no cookies, cookies, cookies always and a limited rate, in one table"),
        ),
        ("tcplab half-open --how cookie", Text("what is in a cookie, and what it cannot keep")),
    ),
)
@option(
    "--how",
    type=click.Choice(WAYS),
    help=Text("What to show. Default: no-ack, and flood with an option that only a flood has."),
)
@option(
    "--synack-retries",
    type=WholeType("--synack-retries", least=0, most=_MOST_RETRIES),
    default="2",
    show_default=True,
    metavar="N",
    help=Text(
        "For no-ack: how often the server repeats its SYN, ACK. 2 takes 7 s; 5, Linux's default, "
        "63 s."
    ),
)
@option(
    "--cookies",
    type=click.Choice(_COOKIES),
    help=Text(
        "For flood and cookie: tcp_syncookies of the server. Default: off for flood, on for cookie."
    ),
)
@option("--compare", is_flag=True, help=Text("For flood: every defence, and one table of them."))
@option(
    "--backlog",
    type=places("--backlog"),
    default="16",
    show_default=True,
    metavar="N",
    help=Text("For flood: the backlog of the server's listen()."),
)
@option(
    "--max-syn-backlog",
    type=places("--max-syn-backlog"),
    default="16",
    show_default=True,
    metavar="N",
    help=Text("For flood: tcp_max_syn_backlog of the server."),
)
@option(
    "--rate-limit",
    type=places("--rate-limit"),
    metavar="N",
    help=Text("For flood: let the wire carry at most N of its frames a second."),
)
@option(
    "--frames",
    type=FramesType(),
    default="400",
    show_default=True,
    metavar="N",
    help=Text("For flood: how many forged SYNs, at most 20000."),
)
@option(
    "--seconds",
    type=SecondsType(),
    default="3",
    show_default=True,
    metavar="S",
    help=Text("For flood: how long it is watched, at most 10 s."),
)
@option(
    "--no-timestamps",
    is_flag=True,
    help=Text("For flood: the client offers no timestamps, so that a cookie keeps only the MSS."),
)
@option("-6", "ipv6", is_flag=True, help=Text("IPv6 instead of IPv4."))
@trace_option
@run_options
@click.pass_context
def half_open(
    ctx: click.Context,
    /,
    how: str | None,
    synack_retries: int,
    cookies: str | None,
    ipv6: bool,
    trace: bool,
    **options: Any,
) -> int:
    """Run it and show it; returns the exit status."""
    chosen = half_open_rules.way(how, given(ctx))
    flood = {name: options.pop(name) for name in _FLOOD_OPTIONS}
    shown = presentation(ctx, options)
    if chosen == FLOOD:
        return _flood(flood, cookies, shown, ipv6=ipv6)
    from tcplab.cli.playing import play_in_testbed

    if chosen == COOKIE:
        half_open_rules.check_cookies(cookies)
        return play_in_testbed(_cookie(cookies, ipv6=ipv6), shown, ipv6=ipv6, trace=trace)
    from tcplab.scenario.half_open import no_ack

    scenario = no_ack(synack_retries, version=_version(ipv6=ipv6))
    return play_in_testbed(scenario, shown, ipv6=ipv6, trace=trace)


def _version(*, ipv6: bool) -> int:
    return 6 if ipv6 else 4


# --- on the stepped wire ------------------------------------------------------------------------


def _cookie(cookies: str | None, *, ipv6: bool) -> "Scenario":
    from tcplab.scenario.half_open import Cookies, cookie

    when = Cookies.ALWAYS if cookies == "always" else Cookies.ON
    return cookie(when, version=_version(ipv6=ipv6))


# --- the flood ----------------------------------------------------------------------------------


def _flood(asked: dict[str, Any], cookies: str | None, shown: Presentation, *, ipv6: bool) -> int:
    """One flood, or the same one against every defence."""
    from tcplab.cli.flood_result import present, present_comparison
    from tcplab.cli.flood_view import FloodView
    from tcplab.experiment.flood import compare, flood

    settings = _settings(asked, cookies, ipv6=ipv6)
    with FloodView(shown.say, no_color=shown.no_color, ascii_only=shown.ascii) as view:
        if asked["compare"]:
            reports = compare(settings, heed=view.heed)
        else:
            reports = (flood(settings, heed=lambda look: view.heed(settings, look)),)
    if asked["compare"]:
        return present_comparison(reports, shown)
    return present(reports[0], shown)


def _settings(asked: dict[str, Any], cookies: str | None, *, ipv6: bool) -> "FloodSettings":
    from tcplab.analysis.flooding.settings import Cookies, FloodSettings

    return FloodSettings(
        cookies=Cookies(cookies or "off"),
        backlog=asked["backlog"],
        max_syn_backlog=asked["max_syn_backlog"],
        rate_limit_pps=asked["rate_limit"],
        frames=asked["frames"],
        seconds=asked["seconds"],
        timestamps=not asked["no_timestamps"],
        version=_version(ipv6=ipv6),
    )
