"""`tcplab scan`: which ports are open, closed, filtered or rejected, and what proves it.

Nothing is imported before it is needed: a scan of all ports of the testbed takes as long as half of
what other commands import.
"""

from typing import TYPE_CHECKING, Any

import click

from tcplab.cli import scan_rules
from tcplab.cli.given import given
from tcplab.cli.options import PortType, Presentation, picture_options, presentation
from tcplab.cli.scan_types import MAX, PortsType, RateType, SlotsType
from tcplab.cli.translated import Command, option
from tcplab.scenario.ports import ALL
from tcplab.text import Text

if TYPE_CHECKING:
    from tcplab.analysis.scanning.comparison import Exchange
    from tcplab.analysis.scanning.report import Method, ScanReport
    from tcplab.cli.output_file import OutputFile
    from tcplab.testbed.plan import Family

_IN_TESTBED, _ON_HOST = (ALL,), (range(1, 1025),)
_TO_COMPARE = (80, 81, 135, 25)
"""One open, one closed, one filtered and one rejected: see tcplab/scenario/services.py."""
_WORTH_ANNOUNCING_S = 5


@click.command(
    cls=Command,
    help=Text(
        "Find out which ports are open, closed, filtered or rejected, and what proves it. Without "
        "HOST: the server of a disposable testbed, no root needed. With HOST: that host on the "
        "real network, politely; scan only what you may scan. Exit status 0 if the scan is "
        "complete, whatever it found; 1 if the host does not answer at all; 5 if answers may have "
        "been missed."
    ),
    examples=(
        ("tcplab scan", Text("every port of the testbed's server, by SYN")),
        ("tcplab scan --connect -p 22,80,1-1024", Text("by connect(), some ports")),
        ("tcplab scan --compare", Text("both ways side by side, and what the server saw of each")),
        ("sudo tcplab scan 192.0.2.10 -p 1-65535", Text("every port of a host that you may scan")),
    ),
)
@click.argument("host", required=False)
@option(
    "-p",
    "--ports",
    type=PortsType(),
    metavar="PORTS",
    help=Text(
        "Ports and ranges, as in 22,80,1-1024,https; - is all of them. Default: all, with HOST "
        "1-1024."
    ),
)
@option("--syn", is_flag=True, help=Text("Send SYNs and never open a connection. The default."))
@option("--connect", is_flag=True, help=Text("Open a connection to every port, and reset it."))
@option(
    "--compare",
    is_flag=True,
    help=Text("Both ways, for a few ports of the testbed, on the stepped wire, side by side."),
)
@option(
    "--rate",
    type=RateType(),
    metavar="N|max",
    help=Text(
        "With HOST: packets a second, at most. Default: 1000; 100 for a global address. More needs "
        "--authorized."
    ),
)
@option(
    "--authorized",
    metavar="WHO",
    help=Text("With HOST: who said that it may be scanned. It is part of the output."),
)
@option("--all", "all_ports", is_flag=True, help=Text("A row for every port, not only open ones."))
@option("--reason", is_flag=True, help=Text("For each state: which ports, and what it proves."))
@option(
    "--ladder",
    type=PortType(),
    metavar="PORT",
    help=Text("Also the exchange with this port of the scan, segment by segment."),
)
@option(
    "--ring-slots",
    type=SlotsType(),
    metavar="N",
    help=Text("For --syn: how many answers the receive ring holds."),
)
@option("-4", "ipv4", is_flag=True, help=Text("IPv4 only."))
@option("-6", "ipv6", is_flag=True, help=Text("IPv6 only."))
@option(
    "--pcap",
    type=click.Path(path_type=str),
    metavar="FILE",
    help=Text("Write probes and answers as pcapng, in nanoseconds."),
)
@option("--force", is_flag=True, help=Text("Replace output files that exist."))
@picture_options
@click.pass_context
def scan(
    ctx: click.Context,
    /,
    host: str | None,
    ports: tuple[range, ...] | None,
    compare: bool,
    connect: bool,
    ladder: int | None,
    all_ports: bool,
    reason: bool,
    **options: Any,
) -> int:
    """Run it and show it; returns the exit status."""
    scan_rules.check(given(ctx, host))
    scan_rules.check_authorized(options["authorized"])
    how = {name: options.pop(name) for name in ("ipv4", "ipv6", "rate", "authorized", "ring_slots")}
    options.pop("syn")
    unused = {"filter": None, "seq": "relative", "verbose": False, "save": None, "svg": None}
    shown = presentation(ctx, options | unused)
    if compare:
        return _compare(ports, shown, ipv6=how["ipv6"])
    asked = ports or (_IN_TESTBED if host is None else _ON_HOST)
    if ladder is not None:
        scan_rules.check_ladder(ladder, asked)
    from tcplab.analysis.scanning.report import Method

    method = Method.CONNECT if connect else Method.SYN
    recording = None if shown.pcap is None else _recording(shown.pcap, force=shown.force)
    try:
        report, exchange = _scan(host, asked, method, ladder, how, shown, recording)
    finally:
        if recording is not None:
            recording.close()
    from tcplab.cli.scan_result import present
    from tcplab.render.scan import Wanted

    wanted = Wanted(all_ports=all_ports, reason=reason)
    return present(report, shown, wanted, exchange, recording)


def _recording(path: str, *, force: bool) -> "OutputFile":
    from tcplab.cli.output_file import OutputFile

    return OutputFile(path, force=force)


def _scan(
    host: str | None,
    ports: tuple[range, ...],
    method: "Method",
    ladder: int | None,
    how: dict[str, Any],
    shown: Presentation,
    recording: "OutputFile | None",
) -> "tuple[ScanReport, Exchange | None]":
    """The scan, with a bar on standard error if it lasts; and the exchange with the port of the
    ladder: of a real host as it was heard, even if the scan was ended early; of the testbed's
    server played on the stepped wire. Of a port that was never asked there is none.
    """
    from tcplab.cli.scan_progress import ScanBar
    from tcplab.experiment.scan import scan_host, scan_testbed

    bar = ScanBar(shown.say, no_color=shown.no_color, ascii_only=shown.ascii)
    common: dict[str, Any] = {
        "method": method,
        "record": recording,
        "ring_slots": how["ring_slots"],
        "heed": bar.heed,
    }
    timeline = None
    try:
        if host is None:
            report = scan_testbed(ports, family=_family(ipv6=how["ipv6"]), **common)
        else:
            report, timeline = scan_host(
                host,
                ports,
                version=4 if how["ipv4"] else 6 if how["ipv6"] else None,
                rate=None if how["rate"] == MAX else how["rate"],
                unlimited=how["rate"] == MAX,
                authorized=how["authorized"],
                ladder=ladder,
                command=() if ladder is None else _command(),
                announce=lambda count, pps: announce(count, pps, shown),
                **common,
            )
    finally:
        bar.clear()
    if ladder is None:
        return report, None
    if host is None and not report.partial:
        from tcplab.experiment.compare import exchange as play

        family = _family(ipv6=how["ipv6"])
        timeline = play(ladder, method, command=_command(), family=family)
    if timeline is None or next(timeline.segments(), None) is None:
        return report, None
    from tcplab.analysis.scanning.comparison import exchange

    return report, exchange(timeline, ladder, method)


def announce(ports: int, pps: int | None, shown: Presentation) -> None:
    """Before the first probe to a host: how long so many ports take at that rate, if it is long."""
    from tcplab.analysis.scanning.guess import estimate

    seconds = estimate(ports, pps)
    if pps is None or seconds is None or seconds <= _WORTH_ANNOUNCING_S:
        return
    from tcplab.cli.ending import remark
    from tcplab.cli.scan_progress import duration

    remark(
        Text(
            "{ports} ports at {pps} packets a second: at least {time}. Ctrl-C shows what is known "
            "by then.",
            ports=f"{ports:,}",
            pps=f"{pps:,}",
            time=duration(seconds),
        ),
        shown.say,
    )


def _compare(ports: tuple[range, ...] | None, shown: Presentation, *, ipv6: bool) -> int:
    """Both scans of a few ports, side by side."""
    from tcplab.cli.scan_result import present_comparison
    from tcplab.experiment.compare import compare

    chosen = _TO_COMPARE if ports is None else [port for each in ports for port in each]
    comparison = compare(chosen, command=_command(), family=_family(ipv6=ipv6))
    return present_comparison(comparison, shown)


def _command() -> tuple[str, ...]:
    """The command line, which timelines keep; only they need what else is imported with it."""
    from tcplab.cli.result import command_line

    return command_line()


def _family(*, ipv6: bool) -> "Family":
    from tcplab.testbed.plan import Family

    return Family.IPV6 if ipv6 else Family.IPV4
