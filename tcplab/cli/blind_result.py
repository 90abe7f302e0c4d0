"""What becomes of an attack from off the path: shown on standard output, and summed up."""

import sys

from tcplab.analysis.blind import BlindReport
from tcplab.cli.ending import finish, interrupted, is_interrupted
from tcplab.cli.options import Presentation
from tcplab.cli.terminal import plain
from tcplab.errors import Exit

EPHEMERAL_PORTS = 28_232
"""32768 to 60999, Linux's default ip_local_port_range: from these a client takes its own."""


def present(report: BlindReport, shown: Presentation) -> int:
    """Show it; returns the exit status: 0 if it failed, as is to be expected."""
    finish()
    if shown.json:
        from tcplab.cli.result import command_line
        from tcplab.cli.terminal import print_json
        from tcplab.render.blind_json import document

        print_json(document(report, command=command_line(), ports=EPHEMERAL_PORTS))
    else:
        from tcplab.cli import screen
        from tcplab.render.blind import page

        lines = page(
            report,
            width=screen.width(),
            ports=EPHEMERAL_PORTS,
            say=shown.say,
            ascii_only=shown.ascii or plain(),
        )
        screen.show(lines, colour=screen.paints(no_color=shown.no_color))
    sys.stdout.flush()
    if report.partial or is_interrupted():
        return interrupted()
    return Exit.NO if report.succeeded else Exit.DONE
