"""`tcplab teardown`: the ways to end a connection."""

from typing import Any

import click

from tcplab.cli.options import client_option, port_option, presentation, run_options, trace_option
from tcplab.cli.translated import Command, option
from tcplab.text import Text

_WAYS = ("client-first", "server-first", "three-segment", "half-close", "simultaneous", "abort")


@click.command(
    cls=Command,
    help=Text(
        "End a connection in the disposable testbed, and see which end goes through which states. "
        "client-first and server-first: four segments, and TIME-WAIT stays with whoever closed "
        "first. three-segment: the second ACK rides on the second FIN. half-close: data still "
        "flows to the side that has closed. simultaneous: both FINs cross, CLOSING at both ends. "
        "abort: RST instead of FIN, and no TIME-WAIT."
    ),
    examples=(
        ("tcplab teardown", Text("the client closes first: the four segments of the textbook")),
        (
            "tcplab teardown --how simultaneous --client kernel",
            Text("CLOSING, seen in two real kernels"),
        ),
        ("tcplab teardown --how abort --json", Text("the RST, for a program to read")),
    ),
)
@option(
    "--how",
    type=click.Choice(_WAYS),
    default="client-first",
    show_default=True,
    help=Text("The way to end it."),
)
@port_option
@client_option(default="kernel")
@option("-6", "ipv6", is_flag=True, help=Text("IPv6 instead of IPv4."))
@trace_option
@run_options
@click.pass_context
def teardown(
    ctx: click.Context,
    /,
    how: str,
    port: int,
    client: str,
    ipv6: bool,
    trace: bool,
    **options: Any,
) -> int:
    """Run it and show it; returns the exit status."""
    shown = presentation(ctx, options, met=False)
    from tcplab.cli.playing import play_in_testbed
    from tcplab.scenario.shipped import How
    from tcplab.scenario.shipped import teardown as scenario

    played = scenario(How(how))
    return play_in_testbed(played, shown, ipv6=ipv6, trace=trace, client=client, port=port)
