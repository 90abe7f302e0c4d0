"""What a run proved: each finding with its mark, its sentence, and the segments that prove it."""

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text as Line

from tcplab.analysis.finding import Finding
from tcplab.render import theme
from tcplab.render.cells import cell_len, wrapped
from tcplab.render.harmless import harmless
from tcplab.render.ladder import WIDEST
from tcplab.render.wording import SeqForm, Wording
from tcplab.text import Say
from tcplab.timeline.events import CallEvent, IcmpEvent
from tcplab.timeline.timeline import Timeline, numbers

_SPAN = 5
"""The fewest numbers in a row that are written as a span."""


def proof(finding: Finding, timeline: Timeline) -> str:
    """The numbers that a ladder gives to the finding's segments, "1 2 3"; calls and ICMP by name.

    Many in a row become "4-27". Events that a ladder does not show as steps (states, counters) are
    left out.
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
    return harmless(" ".join(_spanned(dict.fromkeys(words))))


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


class Findings:
    """An empty line, then findings with a hanging indent, in the width that rich has."""

    def __init__(
        self,
        findings: Sequence[Finding],
        timeline: Timeline,
        *,
        say: Say,
        ascii_only: bool = False,
    ) -> None:
        self._findings = findings
        self._timeline = timeline
        self._wording = Wording(say, seq=SeqForm.RELATIVE, ascii_only=ascii_only)
        self._signs = theme.ASCII if ascii_only else theme.UNICODE

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(options.max_width, WIDEST)
        if self._findings:
            yield Line()
        for finding in self._findings:
            yield from self._lines(finding, width)

    def _lines(self, finding: Finding, width: int) -> Iterator[Line]:
        mark = self._signs.verdict(finding.verdict)
        indent = len(mark) + 2
        room = width - indent - 1
        lines = wrapped(self._wording.said(finding.sentence), room)
        cited = proof(finding, self._timeline)
        cited_lines = wrapped(f"[{cited}]", room) if cited else []
        if len(cited_lines) == 1 and cell_len(lines[-1]) + 2 + cell_len(cited_lines[0]) <= room:
            gap = room - cell_len(lines[-1]) - cell_len(cited_lines[0])
            last, cited_lines = cited_lines[0], []
        else:
            gap, last = 0, ""
        for n, words in enumerate(lines):
            line = Line(no_wrap=True, overflow="ignore")
            line.append(
                f" {mark} " if n == 0 else " " * indent, theme.verdict_style(finding.verdict)
            )
            line.append(words)
            if n == len(lines) - 1 and last:
                line.append(" " * gap + last, theme.QUIET)
            yield line
        for words in cited_lines:
            line = Line(" " * (width - 1 - cell_len(words)), no_wrap=True, overflow="ignore")
            yield line.append(words, theme.QUIET)
