"""What a scan found, for people: the open ports, the sums of the rest, and what it took."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from tcplab.analysis.scanning.census import PortState
from tcplab.analysis.scanning.groups import Group, groups
from tcplab.analysis.scanning.report import ScanReport
from tcplab.render import scan_traffic, scan_words
from tcplab.render.cells import flowed, wrapped
from tcplab.render.harmless import harmless, plain
from tcplab.render.page import Line, Style, plain_lines
from tcplab.render.scan_table import PortTable
from tcplab.scenario.ports import spelled
from tcplab.text import Say, Text

_WIDEST = 100
"""Cells: longer lines of prose are hard to read."""
_INDENT = 4
_STYLES = {
    PortState.OPEN: Style.GOOD,
    PortState.CLOSED: Style.PLAIN,
    PortState.FILTERED: Style.WARNING,
    PortState.REJECTED: Style.BAD,
}

Services = Callable[[int], str | None]
"""The name of the service that a port is for, or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How much is shown: `all_ports` one by one, and the `reason` of every state."""

    all_ports: bool = False
    reason: bool = False


def page(
    report: ScanReport,
    *,
    width: int,
    services: Services,
    say: Say,
    ascii_only: bool = False,
    wanted: Wanted = Wanted(),
) -> Iterator[Line]:
    """The lines, each at most `width` (not below 40) cells wide."""
    return _Page(report, width, services, say, ascii_only, wanted).lines()


def above_ladder(*, width: int, say: Say, ascii_only: bool = False) -> Iterator[Line]:
    """What is said of the ladder of the testbed's server, in lines at most `width` cells wide."""
    words = say(scan_words.played_anew())
    words = plain(words) if ascii_only else words
    yield from plain_lines(
        [f" {each}" for each in wrapped(words, min(width, _WIDEST) - 1)], Style.QUIET
    )


class _Page:
    def __init__(
        self,
        report: ScanReport,
        width: int,
        services: Services,
        say: Say,
        ascii_only: bool,
        wanted: Wanted,
    ) -> None:
        self._report = report
        self._groups = groups(report.census)
        self._width = width
        self._prose = min(width, _WIDEST)
        self._services = services
        self._say_it = say
        self._ascii = ascii_only
        self._wanted = wanted

    def lines(self) -> Iterator[Line]:
        report = self._report
        yield from self._head()
        yield ()
        if report.partial:
            yield from self._warning(
                Text(
                    "Stopped before its end: this is what was known by then. A port without an "
                    "answer may not have been asked, or not often enough."
                )
            )
            yield ()
        if report.silence is not None:
            yield from self._warning(scan_words.silent(report, report.silence))
            for group in self._groups:
                if group.rejection is not None:
                    yield from self._sum(group)
        else:
            yield from self._ports()
        yield ()
        yield from self._traffic()
        yield from self._server()
        if report.caveat is not None:
            yield ()
            yield from self._sentence(report.caveat, style=Style.QUIET)
        if report.doubt is not None:
            yield ()
            yield from self._warning(Text("Inconclusive: {doubt}", doubt=report.doubt))

    def _head(self) -> Iterator[Line]:
        for words in wrapped(self._say(scan_words.title(self._report)), self._prose - 1):
            yield ((f" {words}", Style.STRONG),)
        parts = [self._say(each) for each in scan_words.circumstances(self._report)]
        dot = " - " if self._ascii else " · "
        for words in _dotted(parts, dot, self._prose - 1):
            yield ((f" {words}", Style.QUIET),)

    def _ports(self) -> Iterator[Line]:
        """The table, and under it the sums of what it leaves out."""
        all_ports, told = self._wanted.all_ports, self._groups
        shown = [each for each in told if all_ports or each.state is PortState.OPEN]
        summed = [
            each
            for each in told
            if self._wanted.reason or all_ports or each.state is not PortState.OPEN
        ]
        if any(each.state is PortState.OPEN for each in told):
            yield from self._table(shown, states=all_ports)
            if summed:
                yield ()
        else:
            if all_ports:
                yield from self._table(shown, states=True)
                yield ()
            yield from self._sentence(Text("No open port was found."))
        for group in summed:
            yield from self._sum(group)

    def _table(self, shown: list[Group], *, states: bool) -> Iterator[Line]:
        yield from PortTable(
            self._report.census,
            shown,
            states=states,
            partial=self._report.partial,
            services=self._services,
            say=self._say,
            ellipsis="..." if self._ascii else "…",
        ).lines(self._width)

    def _sum(self, group: Group) -> Iterator[Line]:
        """How many ports are so; with --reason also which, and what that proves."""
        summed = scan_words.sum_of(group, partial=self._report.partial)
        first, *rest = wrapped(self._say(summed), self._prose - _INDENT)
        lines = [f" {first}", *(" " * _INDENT + each for each in rest)]
        yield from plain_lines(lines, _STYLES[group.state])
        if self._wanted.reason:
            room = self._prose - _INDENT
            proof = scan_words.what_it_proves(
                group, self._report.method, partial=self._report.partial
            )
            ports = spelled(group.ranges).replace(",", ", ").split()
            for words in (*wrapped(self._say(proof), room), *flowed(ports, room)):
                yield ((" " * _INDENT + words, Style.QUIET),)

    def _traffic(self) -> Iterator[Line]:
        for sentence in scan_traffic.traffic(self._report):
            yield from self._sentence(sentence)
        for name, told in (
            (Text("Answered in each round:"), scan_traffic.rounds(self._report)),
            (Text("Rate:"), scan_traffic.pace(self._report)),
        ):
            if told:
                words = f"{self._say(name)} {'; '.join(map(self._say, told))}"
                yield from self._flush(wrapped(words, self._prose - 1), Style.QUIET)

    def _server(self) -> Iterator[Line]:
        saw = self._report.server_saw
        if saw is None:
            return
        yield ()
        for sentence in scan_words.server_saw(saw):
            yield from self._sentence(sentence)
        open_ports = any(each.state is PortState.OPEN for each in self._groups)
        if lesson := scan_words.lesson(self._report, anything_open=open_ports):
            yield ()
            yield from self._sentence(lesson, style=Style.QUIET)

    def _warning(self, sentence: Text) -> Iterator[Line]:
        yield from self._sentence(sentence, style=Style.WARNING_MARK)

    def _sentence(self, sentence: Text, *, style: Style = Style.PLAIN) -> Iterator[Line]:
        yield from self._flush(wrapped(self._say(sentence), self._prose - 1), style)

    @staticmethod
    def _flush(lines: Iterable[str], style: Style) -> list[Line]:
        return plain_lines([f" {each}" for each in lines], style)

    def _say(self, text: Text) -> str:
        words = self._say_it(text)
        return harmless(plain(words) if self._ascii else words, ascii_only=False)


def _dotted(parts: list[str], dot: str, cells: int) -> Iterator[str]:
    """The parts with a dot between those that share a line."""
    line = ""
    for part in parts:
        whole = f"{line}{dot}{part}" if line else part
        pieces = wrapped(whole, cells)
        if len(pieces) == 1:
            line = whole
            continue
        if line:
            yield line
        *full, line = wrapped(part, cells)
        yield from full
    yield line
