"""What becomes of a scan: shown on standard output, and summed up in a status."""

import sys
from typing import TYPE_CHECKING

from tcplab.analysis.scanning.report import ScanReport
from tcplab.cli.ending import finish, interrupted, is_interrupted, tell
from tcplab.cli.options import Presentation
from tcplab.cli.terminal import plain
from tcplab.errors import Exit
from tcplab.render.scan import Wanted

if TYPE_CHECKING:
    from tcplab.analysis.scanning.comparison import Comparison, Exchange
    from tcplab.cli.output_file import OutputFile


def present(
    report: ScanReport,
    shown: Presentation,
    wanted: Wanted,
    ladder: "Exchange | None" = None,
    recording: "OutputFile | None" = None,
) -> int:
    """Show the scan, and the exchange of one port if there is a `ladder`; returns the exit status.
    Last it is said if the `recording` could not be written.

    A signal that comes meanwhile waits until all is shown.
    """
    finish()
    if shown.json:
        _print_json(report, shown, wanted, ladder)
    else:
        _print_page(report, shown, wanted)
        if ladder is not None:
            _print_ladder(ladder, shown, anew=report.testbed)
    sys.stdout.flush()
    kept = recording is None or recording.refusal is None
    if recording is not None and recording.refusal is not None:
        from tcplab.cli.output_file import unwritable

        tell(unwritable(recording.path, recording.refusal), shown.say)
    if is_interrupted():
        return interrupted()
    answer = status(report)
    return answer if answer != Exit.DONE or kept else Exit.USAGE


def status(report: ScanReport) -> int:
    """The scan is what was asked for: whatever it finds, it is done when every port has been asked
    often enough. No (1) is for a host of which nothing came back.
    """
    if report.doubt is not None:
        return Exit.INCONCLUSIVE
    if report.partial:
        return Exit.INTERRUPTED
    return Exit.DONE if report.silence is None else Exit.NO


def _print_page(report: ScanReport, shown: Presentation, wanted: Wanted) -> None:
    from tcplab.cli import screen
    from tcplab.cli.services import service_names
    from tcplab.render.scan import page

    lines = page(
        report,
        width=screen.width(),
        services=service_names().get,
        say=shown.say,
        ascii_only=shown.ascii or plain(),
        wanted=wanted,
    )
    screen.show(lines, colour=screen.paints(no_color=shown.no_color))


def _print_json(
    report: ScanReport, shown: Presentation, wanted: Wanted, ladder: "Exchange | None"
) -> None:
    from tcplab.cli.result import command_line
    from tcplab.cli.terminal import print_json
    from tcplab.render.scan_json import document

    every_reason = wanted.all_ports or wanted.reason
    told = document(report, say=shown.say, every_reason=every_reason, command=command_line())
    if ladder is not None:
        from tcplab.analysis.scanning.proofs import findings
        from tcplab.render.document import document as timeline_document

        told["ladder"] = timeline_document(ladder.timeline, findings(ladder), shown.say)
    print_json(told)


def _print_ladder(exchange: "Exchange", shown: Presentation, *, anew: bool) -> None:
    from tcplab.cli import screen
    from tcplab.cli.terminal import console
    from tcplab.render.comparison import OneExchange
    from tcplab.render.scan import above_ladder

    print(flush=True)
    ascii_only = shown.ascii or plain()
    if anew:
        lines = above_ladder(width=screen.width(), say=shown.say, ascii_only=ascii_only)
        screen.show(lines, colour=screen.paints(no_color=shown.no_color))
        sys.stdout.flush()
    picture = OneExchange(exchange, say=shown.say, ascii_only=ascii_only)
    console(no_color=shown.no_color).print(picture, crop=False)


def present_comparison(comparison: "Comparison", shown: Presentation) -> int:
    """Show both scans side by side; returns the exit status."""
    from tcplab.cli.terminal import console, print_json

    finish()
    if shown.json:
        from tcplab.render.comparison_json import document

        print_json(document(comparison, say=shown.say))
    else:
        from tcplab.render.comparison import SideBySide

        picture = SideBySide(comparison, say=shown.say, ascii_only=shown.ascii or plain())
        console(no_color=shown.no_color).print(picture, crop=False)
    sys.stdout.flush()
    if comparison.partial or is_interrupted():
        return interrupted()
    return Exit.INCONCLUSIVE if comparison.drops else Exit.DONE
