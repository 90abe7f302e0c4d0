"""`tcplab handshake`: one connection from its SYN to its last ACK."""

import os
from typing import Any

import click

from tcplab.cli.options import client_option, port_option, presentation, run_options, trace_option
from tcplab.cli.translated import Command, option
from tcplab.errors import UsageError
from tcplab.text import Text

_LONGEST_LINE = 32_767
"""Octets; with its end 32 KiB. A send buffer holds them, and one run is stepped like the next."""


@click.command(
    cls=Command,
    help=Text(
        "Open a connection, exchange one line, close it, and see every segment with the state of "
        "both ends. Without HOST: in a disposable testbed, no root needed. With HOST: against that "
        "host on the real network (root); no data is sent unless you ask for it."
    ),
    examples=(
        ("tcplab handshake", Text("in the testbed, the client crafted with Scapy")),
        ("tcplab handshake --client kernel", Text("both ends real kernels, both lanes observed")),
        ("tcplab handshake -6 --svg ladder.svg", Text("IPv6, and the ladder as a picture")),
        ("sudo tcplab handshake 192.0.2.10 -p ssh", Text("a real host on a real NIC")),
    ),
)
@click.argument("host", required=False)
@port_option
@client_option()
@option(
    "--send", metavar="TEXT", help=Text("Send this line. With HOST, no data is sent without it.")
)
@option("-4", "ipv4", is_flag=True, help=Text("IPv4 only."))
@option("-6", "ipv6", is_flag=True, help=Text("IPv6 only."))
@trace_option
@run_options
@click.pass_context
def handshake(
    ctx: click.Context,
    /,
    host: str | None,
    port: int,
    client: str | None,
    send: str | None,
    ipv4: bool,
    ipv6: bool,
    trace: bool,
    **options: Any,
) -> int:
    """Run it and show it; returns the exit status."""
    if ipv4 and ipv6:
        raise UsageError(
            Text("-4 and -6 cannot be used together."), remedy=Text("Give one of them, or neither.")
        )
    shown = presentation(ctx, options, met=False)
    if host is None:
        from tcplab.cli.playing import play_in_testbed
        from tcplab.scenario.shipped import handshake as scenario

        played = scenario(_line("hello" if send is None else send))
        client = client or "crafted"
        return play_in_testbed(played, shown, ipv6=ipv6, trace=trace, client=client, port=port)
    _refuse_on_host(client, trace=trace)
    from tcplab.cli.playing import play_and_present
    from tcplab.cli.progress import Progress
    from tcplab.cli.result import command_line
    from tcplab.experiment.on_host import play as play_on_host

    return play_and_present(
        lambda heed: play_on_host(
            host,
            port,
            version=4 if ipv4 else 6 if ipv6 else None,
            send=None if send is None else _line(send),
            command=command_line(),
            heed=heed,
        ),
        shown,
        progress=Progress(shown.say),
    )


def _line(text: str) -> bytes:
    """The octets that were typed. Raises UsageError for more than a stepped run takes at once."""
    octets = os.fsencode(text)
    if len(octets) > _LONGEST_LINE:
        raise UsageError(
            Text("The line to send has {octets} octets.", octets=len(octets)),
            remedy=Text("Send at most {octets}.", octets=_LONGEST_LINE),
        )
    return octets + b"\n"


def _refuse_on_host(client: str | None, *, trace: bool) -> None:
    """Options that mean something in the testbed only."""
    if client == "kernel":
        raise UsageError(
            Text("With a HOST the client is always crafted."),
            remedy=Text("Omit --client kernel, or omit HOST to use the testbed."),
        )
    if trace:
        raise UsageError(
            Text("--trace watches the testbed's kernels; no tracepoint sees inside HOST."),
            remedy=Text("Omit --trace, or omit HOST to use the testbed."),
        )
