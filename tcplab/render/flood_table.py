"""The same flood against several defences: one column each, and a row for what can be compared."""

from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from typing import assert_never

from tcplab.analysis.flooding.report import ConditionId, FloodReport
from tcplab.render import flood_words
from tcplab.render.cells import flush_left, wrapped
from tcplab.render.flood import dotted, mark_of
from tcplab.render.harmless import harmless, plain
from tcplab.render.page import Line, Style
from tcplab.text import Say, Text, verbatim

_WIDEST = 120
_GAP = 2
_LEAST = 8
"""Cells of a column, below which the table becomes a list."""
_LABEL = 28
_LEAST_LABEL = 16
_INDENT = 3

Cell = tuple[Text, Style]


def table(
    reports: Sequence[FloodReport], *, width: int, say: Say, ascii_only: bool = False
) -> Iterator[Line]:
    """The lines, each at most `width` (not below 40) cells wide."""
    return _Table(reports, min(width, _WIDEST), say, ascii_only).lines()


class _Table:
    def __init__(
        self, reports: Sequence[FloodReport], width: int, say: Say, ascii_only: bool
    ) -> None:
        self._reports = reports
        self._width = width
        self._say_it = say
        self._ascii = ascii_only
        self._rows = _rows(ascii_only=ascii_only)

    def lines(self) -> Iterator[Line]:
        """A title, the table, and under it what the rows of conditions mean."""
        if not self._reports:
            yield from self._sentence(Text("Stopped before anything was seen."), Style.WARNING_MARK)
            return
        yield from self._head()
        yield ()
        columns = len(self._reports)
        label = max(_LEAST_LABEL, min(_LABEL, self._width // 3))
        room = (self._width - 1 - label - _GAP * columns) // columns
        yield from self._listed() if room < _LEAST else self._table(label, room)
        yield ()
        yield from self._notes()

    def _head(self) -> Iterator[Line]:
        settings = self._reports[0].settings
        count = len(self._reports)
        yield from self._sentence(
            Text("The same SYN flood, {count} defences", count=count)
            if count > 1
            else Text("A SYN flood, and the first of the defences"),
            Style.STRONG,
        )
        parts = [
            verbatim(f"IPv{settings.version}"),
            Text("{frames} forged SYNs", frames=f"{settings.frames:,}"),
            verbatim(f"listen({settings.backlog})"),
            verbatim(f"tcp_max_syn_backlog {settings.max_syn_backlog}"),
            verbatim(f"Linux {self._reports[0].kernel}"),
        ]
        dot = " - " if self._ascii else " · "
        for words in dotted(map(self._say, parts), dot, self._width - 1):
            yield ((f" {words}", Style.QUIET),)

    # --- the table --------------------------------------------------------------------------

    def _table(self, label: int, room: int) -> Iterator[Line]:
        heads = [(flood_words.defence(each.settings), Style.QUIET) for each in self._reports]
        yield from self._row(verbatim(""), heads, label, room)
        for name, cell in self._rows:
            yield from self._row(name, [cell(each) for each in self._reports], label, room)

    def _row(self, name: Text, cells: Sequence[Cell], label: int, room: int) -> Iterator[Line]:
        """One row, in as many lines as its fullest cell takes."""
        wraps = [wrapped(self._say(name), label)]
        wraps += [wrapped(self._say(words), room) for words, _style in cells]
        for first, *parts in zip_longest(*wraps, fillvalue=""):
            line: list[tuple[str, Style]] = [(f" {flush_left(first, label)}", Style.PLAIN)]
            for part, (_words, style) in zip(parts, cells, strict=True):
                line.append((" " * _GAP, Style.PLAIN))
                line.append((flush_left(part, room), style))
            yield tuple(line)

    def _listed(self) -> Iterator[Line]:
        """One defence after the other, where the columns have no room."""
        for n, report in enumerate(self._reports):
            if n:
                yield ()
            yield from self._sentence(flood_words.defence(report.settings), Style.STRONG)
            for name, cell in self._rows:
                words, style = cell(report)
                head = f"{self._say(name)}: {self._say(words)}"
                for part in wrapped(head, self._width - _INDENT):
                    yield ((" " * _INDENT + part, style),)

    def _notes(self) -> Iterator[Line]:
        yield from self._sentence(
            Text(
                "The last rows are the conditions under which a SYN flood denies service: which of "
                "them held, and which did not."
            ),
            Style.QUIET,
        )
        for report in self._reports:
            if (vain := flood_words.too_fast(report)) is not None:
                yield from self._sentence(vain, Style.QUIET)
            for words in flood_words.reservations(report):
                yield from self._sentence(words, Style.WARNING_MARK)

    # --- words ------------------------------------------------------------------------------

    def _sentence(self, sentence: Text, style: Style) -> Iterator[Line]:
        for words in wrapped(self._say(sentence), self._width - 1):
            yield ((f" {words}", style),)

    def _say(self, text: Text) -> str:
        words = self._say_it(text)
        return harmless(plain(words) if self._ascii else words)


def _rows(*, ascii_only: bool) -> list[tuple[Text, Callable[[FloodReport], Cell]]]:
    """What stands in each row, and how it is told of one defence."""
    rows: list[tuple[Text, Callable[[FloodReport], Cell]]] = [
        (Text("client served"), _served),
        (Text("tries served"), lambda each: _quiet(f"{each.tries_served} / {len(each.tries)}")),
        (Text("served after"), _after),
        (Text("half-open at most"), lambda each: _quiet(f"{each.syn_received_peak:,}")),
        (Text("SYNs dropped"), lambda each: _counted(each, "TcpExtListenDrops")),
        (Text("cookies sent"), lambda each: _counted(each, "TcpExtSyncookiesSent")),
        (Text("cookies that came back"), lambda each: _counted(each, "TcpExtSyncookiesRecv")),
        (Text("TCP options kept"), _options),
    ]
    rows += [(_condition(ident), _holds(ident, ascii_only=ascii_only)) for ident in ConditionId]
    return rows


def _served(report: FloodReport) -> Cell:
    if not report.tries:
        return _quiet("-")
    if not report.served:
        return Text("no"), Style.BAD_MARK
    if report.tries_served < len(report.tries):
        return Text("partly"), Style.WARNING_MARK
    return Text("yes"), Style.GOOD_MARK


def _after(report: FloodReport) -> Cell:
    after = report.served_after_ns
    return _quiet("-" if after is None else flood_words.duration(after))


def _counted(report: FloodReport, counter: str) -> Cell:
    return _quiet(f"{report.counters.get(counter, 0):,}")


def _options(report: FloodReport) -> Cell:
    kept = report.options_kept
    if not kept:
        return _quiet("-") if kept is None else (Text("none"), Style.PLAIN)
    return _quiet(" ".join(kept))  # without commas, which would take the last cell of a column


def _quiet(words: str) -> Cell:
    return verbatim(words), Style.PLAIN


def _holds(ident: ConditionId, *, ascii_only: bool) -> Callable[[FloodReport], Cell]:
    def cell(report: FloodReport) -> Cell:
        for each in report.conditions:
            if each.id is ident:
                mark, style = mark_of(held=each.held, ascii_only=ascii_only)
                return verbatim(mark.strip()), style
        return verbatim("-"), Style.QUIET

    return cell


def _condition(ident: ConditionId) -> Text:
    """The condition in a few words."""
    match ident:
        case ConditionId.CALM:
            return Text("before, it was served")
        case ConditionId.COOKIES_OFF:
            return Text("no cookies")
        case ConditionId.QUEUE_FULL:
            return Text("no room for SYNs")
        case ConditionId.LAST_QUARTER:
            return Text("last quarter reserved")
        case ConditionId.UNPROVEN:
            return Text("client unknown")
        case ConditionId.VANISHING:
            return Text("nobody answers")
        case ConditionId.LASTING:
            return Text("kept for 63 s")
        case _:
            assert_never(ident)
