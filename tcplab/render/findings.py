"""What a run proved: each finding with its mark, its sentence, and the segments that prove it.

Expectations that were not met come first. Those that were stand in the ladder, each where it was
met, so here they are only counted, at the end.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text as Line

from tcplab.analysis.expectations import expected, is_expectation
from tcplab.analysis.finding import Finding, Verdict
from tcplab.render import theme
from tcplab.render.acts import of_connections
from tcplab.render.cells import cell_len, wrapped
from tcplab.render.gathering import gathered
from tcplab.render.harmless import harmless
from tcplab.render.ladder import WIDEST
from tcplab.render.predicates import names_no_connection
from tcplab.render.wording import SeqForm, Wording
from tcplab.text import Say, Text, verbatim
from tcplab.timeline.events import CallEvent, IcmpEvent
from tcplab.timeline.timeline import Timeline, numbers

_SPAN = 5
"""The fewest numbers in a row that are written as a span."""
_CITED, _LAST = 12, 3
"""The most words of a citation; of a longer one the last are shown after an ellipsis."""
_SEVERAL = 2
"""From so many connections on, findings say which one they are about."""


def proof(finding: Finding, timeline: Timeline) -> str:
    """The numbers that a ladder gives to the finding's segments, "1 2 3"; calls and ICMP by name.

    Many in a row become "4-27", and a long list loses its middle. Events that a ladder does not
    show as steps (states, counters) are left out.
    """
    steps = numbers(timeline)
    events = {event.i: event for event in timeline.events}
    words: list[int | str] = []
    for i in finding.events:
        event = events.get(i)
        if i in steps:
            words.append(steps[i])
        elif isinstance(event, CallEvent):
            words.append(f"{event.name}()")
        elif isinstance(event, IcmpEvent):
            words.append("ICMP")
    spanned = [*_spanned(dict.fromkeys(words))]
    if len(spanned) > _CITED:
        spanned[_CITED - _LAST : -_LAST] = ["…"]
    return harmless(" ".join(spanned))


def _spanned(words: Iterable[int | str]) -> Iterator[str]:
    """The words, with rows of _SPAN numbers and more as spans."""
    row: list[int] = []
    for word in (*words, ""):
        if isinstance(word, int) and (not row or word == row[-1] + 1):
            row.append(word)
            continue
        yield from [f"{row[0]}-{row[-1]}"] if len(row) >= _SPAN else map(str, row)
        row = [word] if isinstance(word, int) else []
        if isinstance(word, str) and word:
            yield word


def ordered(
    findings: Sequence[Finding], timeline: Timeline, *, verbose: bool = False
) -> tuple[Finding, ...]:
    """The findings that are told in full: failed expectations, then what the connections did.

    Of several connections each finding names its own. What holds for many alike is told once,
    unless it is to be `verbose`.
    """
    failed = [each for each in findings if is_expectation(each) and each.verdict is not Verdict.YES]
    others = [each for each in findings if not is_expectation(each)]
    if len({event.conn for event in timeline.segments()}) < _SEVERAL:
        return *failed, *others
    return *_addressed(failed, timeline), *gathered(others, timeline, verbose=verbose)


def _addressed(failed: Sequence[Finding], timeline: Timeline) -> Iterator[Finding]:
    """Failed expectations, with the connection that was meant where they name none."""
    events = {event.i: event for event in expected(timeline)}
    for each in failed:
        event = next((events[i] for i in each.events if i in events), None)
        if event is None or not names_no_connection(event.predicate):
            yield each
        else:
            yield replace(each, sentence=of_connections((event.conn,), each.sentence))


def count(findings: Sequence[Finding]) -> tuple[Verdict, Text] | None:
    """How many of the scenario's expectations were met; None if it had none.

    Where all were, and yet something did not come about, it says that this was no failure.
    """
    verdicts = [each.verdict for each in findings if is_expectation(each)]
    if not verdicts:
        return None
    met = verdicts.count(Verdict.YES)
    worst = next(
        each for each in (Verdict.NO, Verdict.INCONCLUSIVE, Verdict.YES) if each in verdicts
    )
    told = Text("Expectations met: {met} of {all}.", met=met, all=len(verdicts))
    if worst is Verdict.YES and any(each.verdict is Verdict.NO for each in findings):
        told = Text("{told} What did not come about above was not expected to.", told=told)
    return worst, told


class Findings:
    """An empty line, then findings with a hanging indent, in the width that rich has."""

    def __init__(
        self,
        findings: Sequence[Finding],
        timeline: Timeline,
        *,
        say: Say,
        ascii_only: bool = False,
        verbose: bool = False,
    ) -> None:
        self._verbose = verbose
        self._findings = findings
        self._timeline = timeline
        self._wording = Wording(say, seq=SeqForm.RELATIVE, ascii_only=ascii_only)
        self._signs = theme.ASCII if ascii_only else theme.UNICODE

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(options.max_width, WIDEST)
        if self._findings:
            yield Line()
        for finding in ordered(self._findings, self._timeline, verbose=self._verbose):
            style = theme.FAILED if is_expectation(finding) else ""
            cited = self._wording.said(verbatim(proof(finding, self._timeline)))
            yield from self._lines(finding.verdict, finding.sentence, cited, width, style)
        if (met := count(self._findings)) is not None:
            yield from self._lines(*met, "", width, theme.QUIET)

    def _lines(
        self, verdict: Verdict, sentence: Text, cited: str, width: int, style: str
    ) -> Iterator[Line]:
        mark = self._signs.verdict(verdict)
        indent = len(mark) + 2
        room = width - indent - 1
        lines = wrapped(self._wording.said(sentence), room)
        cited_lines = wrapped(f"[{cited}]", room) if cited else []
        if len(cited_lines) == 1 and cell_len(lines[-1]) + 2 + cell_len(cited_lines[0]) <= room:
            gap = room - cell_len(lines[-1]) - cell_len(cited_lines[0])
            last, cited_lines = cited_lines[0], []
        else:
            gap, last = 0, ""
        for n, words in enumerate(lines):
            line = Line(no_wrap=True, overflow="ignore")
            line.append(f" {mark} " if n == 0 else " " * indent, theme.verdict_style(verdict))
            line.append(words, style)
            if n == len(lines) - 1 and last:
                line.append(" " * gap + last, theme.QUIET)
            yield line
        for words in cited_lines:
            line = Line(" " * (width - 1 - cell_len(words)), no_wrap=True, overflow="ignore")
            yield line.append(words, theme.QUIET)
