"""What becomes of a SYN flood: shown on standard output, and summed up in a status."""

import sys
from collections.abc import Iterable, Sequence

from tcplab.analysis.flooding.report import FloodReport
from tcplab.cli import screen
from tcplab.cli.ending import finish, interrupted, is_interrupted
from tcplab.cli.options import Presentation
from tcplab.cli.terminal import plain
from tcplab.errors import Exit
from tcplab.render.flood_words import doubt
from tcplab.render.page import Line


def present(report: FloodReport, shown: Presentation) -> int:
    """Show one flood; returns the exit status."""
    finish()
    if shown.json:
        _print_json((report,), shown)
    else:
        from tcplab.render.flood import page

        ascii_only = shown.ascii or plain()
        _print(page(report, width=screen.width(), say=shown.say, ascii_only=ascii_only), shown)
    return _status((report,), whole=True)


def present_comparison(reports: Sequence[FloodReport], shown: Presentation) -> int:
    """Show the same flood against several defences; returns the exit status."""
    finish()
    if shown.json:
        _print_json(reports, shown)
    else:
        from tcplab.render.flood_table import table

        ascii_only = shown.ascii or plain()
        _print(table(reports, width=screen.width(), say=shown.say, ascii_only=ascii_only), shown)
    return _status(reports, whole=bool(reports))


def _print(lines: Iterable[Line], shown: Presentation) -> None:
    screen.show(lines, colour=screen.paints(no_color=shown.no_color))


def _print_json(reports: Sequence[FloodReport], shown: Presentation) -> None:
    from tcplab.cli.result import command_line
    from tcplab.cli.terminal import print_json
    from tcplab.render.flood_json import document

    print_json(document(reports, command=command_line(), say=shown.say))


def _status(reports: Sequence[FloodReport], *, whole: bool) -> int:
    """It is done whoever was served; who lost frames, or stopped it, knows nothing for sure."""
    sys.stdout.flush()
    if is_interrupted() or not whole or any(report.partial for report in reports):
        return interrupted()
    doubtful = any(doubt(report) is not None for report in reports)
    return Exit.INCONCLUSIVE if doubtful else Exit.DONE
