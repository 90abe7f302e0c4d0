"""What becomes of a timeline: shown on standard output, kept in files, summed up in a status."""

import sys
from collections.abc import Callable, Sequence
from typing import BinaryIO

from tcplab.analysis.expectations import is_expectation
from tcplab.analysis.explain import explain
from tcplab.analysis.finding import Finding, Verdict
from tcplab.cli.ending import finish, interrupted, is_interrupted, tell
from tcplab.cli.options import Presentation
from tcplab.cli.output_file import opened, unwritable
from tcplab.cli.terminal import console, plain, print_json
from tcplab.errors import Exit
from tcplab.render.wording import SeqForm
from tcplab.scenario.steps import Scenario
from tcplab.timeline.timeline import Timeline


def command_line() -> tuple[str, ...]:
    """The command as the user gave it, without the program's name: a timeline keeps it."""
    return tuple(sys.argv[1:])


def present(timeline: Timeline, shown: Presentation, scenario: Scenario | None = None) -> int:
    """Show the run, then keep it; returns the exit status.

    It is shown first, so that a file that cannot be written after all costs nothing else; and kept
    even if it could not be shown: the reader is gone, the disk is full, Ctrl-C.
    """
    finish()
    findings = explain(timeline)
    try:
        _show(timeline, findings, shown, scenario)
        sys.stdout.flush()
    finally:
        kept = _keep(timeline, findings, shown)
    if timeline.interrupted or is_interrupted():
        return interrupted()
    answer = status(findings)
    return answer if answer is not Exit.DONE or kept else Exit.USAGE


def status(findings: Sequence[Finding]) -> Exit:
    """The answer of a run. Where a scenario expected something, that alone is the question: what is
    bad luck elsewhere, such as a closed port, may be its very point.
    """
    expectations = [finding for finding in findings if is_expectation(finding)]
    verdicts = {finding.verdict for finding in expectations or findings}
    if Verdict.NO in verdicts:
        return Exit.NO
    return Exit.INCONCLUSIVE if Verdict.INCONCLUSIVE in verdicts else Exit.DONE


def _show(
    timeline: Timeline,
    findings: Sequence[Finding],
    shown: Presentation,
    scenario: Scenario | None,
) -> None:
    if shown.json:
        from tcplab.render.document import document

        print_json(document(timeline, findings, shown.say))
        return
    from tcplab.render.findings import Findings
    from tcplab.render.ladder import Ladder

    screen = console(no_color=shown.no_color)
    ascii_only = shown.ascii or plain()
    matching = _matching(timeline, shown)
    ladder = Ladder(
        timeline,
        say=shown.say,
        seq=SeqForm(shown.seq),
        ascii_only=ascii_only,
        verbose=shown.verbose,
        met=shown.met,
        shown=matching,
    )
    if scenario is not None:
        from tcplab.render.story import Notice, Story

        screen.print(Story(scenario, say=shown.say, ascii_only=ascii_only))
    screen.print(ladder)
    if shown.verbose:
        from tcplab.render.dissection import Dissections
        from tcplab.wire.codec import dissect

        screen.print(
            Dissections(
                timeline,
                dissect=lambda event: dissect(event.frame, bare=event.link_octets == 0),
                say=shown.say,
                shown=matching,
            )
        )
    screen.print(
        Findings(findings, timeline, say=shown.say, ascii_only=ascii_only, verbose=shown.verbose)
    )
    if scenario is not None and not timeline.interrupted:  # what is to be noticed may not have come
        screen.print(Notice(scenario, say=shown.say, ascii_only=ascii_only))


def _matching(timeline: Timeline, shown: Presentation) -> frozenset[int] | None:
    """The segments that the display filter lets through; None without one."""
    if shown.filter is None:
        return None
    from tcplab.analysis.filtering import matching

    return matching(timeline, shown.filter)


def _keep(timeline: Timeline, findings: Sequence[Finding], shown: Presentation) -> bool:
    """Write the files that were asked for; False, and a word on stderr, if one could not be."""
    kept = True
    for path, write in _writers(timeline, findings, shown):
        try:
            with opened(path, force=shown.force) as file:
                write(file)
        except OSError as refusal:
            tell(unwritable(path, refusal), shown.say)
            kept = False
    return kept


def _writers(
    timeline: Timeline, findings: Sequence[Finding], shown: Presentation
) -> list[tuple[str, Callable[[BinaryIO], None]]]:
    """Each file asked for, and what writes it; the modules are imported only for those."""
    writers: list[tuple[str, Callable[[BinaryIO], None]]] = []
    if shown.save is not None:
        from tcplab.timeline import jsonl

        writers.append((shown.save, lambda file: jsonl.write(timeline, file)))
    if shown.pcap is not None:
        from tcplab.wire import pcapng

        writers.append((shown.pcap, lambda file: pcapng.write(timeline, file, say=shown.say)))
    if shown.svg is not None:
        from tcplab.render.svg import svg

        picture = svg(
            timeline,
            findings,
            say=shown.say,
            seq=SeqForm(shown.seq),
            verbose=shown.verbose,
            met=shown.met,
            shown=_matching(timeline, shown),
        )
        writers.append((shown.svg, lambda file: (file.write(picture.encode()), None)[1]))
    return writers
