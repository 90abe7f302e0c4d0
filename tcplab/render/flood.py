"""What a SYN flood did, for people: was the client served, how did the queues fill, and why."""

from collections.abc import Iterable, Iterator, Sequence

from tcplab.analysis.flooding.report import FloodLook, FloodReport
from tcplab.render import flood_words
from tcplab.render.cells import cell_len, cropped, flush_left, flush_right, wrapped
from tcplab.render.harmless import harmless, plain
from tcplab.render.page import Line, Style
from tcplab.text import Say, Text, verbatim

_WIDEST = 100
"""Cells: longer lines of prose are hard to read."""
_MOMENTS = 8
_HEADINGS = (
    verbatim("s"),
    Text("SYNs sent"),
    Text("half-open"),
    verbatim("ListenDrops"),
    verbatim("SyncookiesSent"),
    Text("client served"),
)
_FEWEST_COLUMNS, _LEAST_HEADING = 3, 9
_GAP = 2


def page(report: FloodReport, *, width: int, say: Say, ascii_only: bool = False) -> Iterator[Line]:
    """The lines, each at most `width` (not below 40) cells wide."""
    return _Page(report, width, say, ascii_only).lines()


class _Page:
    def __init__(self, report: FloodReport, width: int, say: Say, ascii_only: bool) -> None:
        self._report = report
        self._width = width
        self._prose = min(width, _WIDEST)
        self._say_it = say
        self._ascii = ascii_only

    def lines(self) -> Iterator[Line]:
        report = self._report
        yield from self._head()
        yield ()
        if report.partial:
            yield from self._sentence(
                Text("Stopped before its end: this is what was seen by then."),
                style=Style.WARNING_MARK,
            )
            yield ()
        yield from self._sentence(flood_words.verdict(report), style=_served_style(report))
        if (kept := flood_words.options(report)) is not None:
            yield from self._sentence(kept)
        if (vain := flood_words.too_fast(report)) is not None:
            yield from self._sentence(vain)
        yield ()
        if report.looks:
            yield from self._course()
            yield ()
        yield from self._counters()
        yield ()
        yield from self._conditions()
        if (doubt := flood_words.doubt(report)) is not None:
            yield ()
            yield from self._sentence(doubt, style=Style.WARNING_MARK)

    def _head(self) -> Iterator[Line]:
        for words in wrapped(self._say(flood_words.title(self._report)), self._prose - 1):
            yield ((f" {words}", Style.STRONG),)
        dot = " - " if self._ascii else " · "
        parts = map(self._say, flood_words.circumstances(self._report))
        for words in dotted(parts, dot, self._prose - 1):
            yield ((f" {words}", Style.QUIET),)

    # --- the course -------------------------------------------------------------------------

    def _course(self) -> Iterator[Line]:
        """The queues at some moments, in the columns that there is room for."""
        rows = [_row(look) for look in moments(self._report.looks)]
        headings = [self._say(each) for each in _HEADINGS]
        while self._excess(headings, rows) > 0 and len(headings) > _FEWEST_COLUMNS:
            for row in (headings, *rows):
                row.pop(-2)  # what tells most stays: the time, the queue, and the client
        if (excess := self._excess(headings, rows)) > 0:
            longest = max(headings, key=cell_len)
            ellipsis = "..." if self._ascii else "…"
            room = max(cell_len(longest) - excess, _LEAST_HEADING)
            headings = [cropped(each, room, ellipsis) for each in headings]
        cells = _widths(headings, rows)
        yield self._aligned(headings, cells, Style.QUIET)
        for row in rows:
            yield self._aligned(row, cells, Style.PLAIN)

    def _excess(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
        """By how many cells the table is too wide."""
        cells = _widths(headings, rows)
        return 1 + sum(cells) + _GAP * (len(cells) - 1) - self._width

    @staticmethod
    def _aligned(row: Sequence[str], cells: Sequence[int], style: Style) -> Line:
        words = [flush_right(each, room) for each, room in zip(row, cells, strict=True)]
        return ((" " + (" " * _GAP).join(words), style),)

    # --- the counters -----------------------------------------------------------------------

    def _counters(self) -> Iterator[Line]:
        """Each of the server's counters, and what it counts."""
        shown = [
            (flood_words.short(name), f"{self._report.counters.get(name, 0):,}", name)
            for name in flood_words.COUNTERS
        ]
        names = max(len(name) for name, _number, _key in shown)
        numbers = max(len(number) for _name, number, _key in shown)
        indent = 1 + names + 2 + numbers + 2
        for name, number, key in shown:
            style = Style.QUIET if number == "0" else Style.PLAIN
            head = f" {flush_left(name, names)}  {flush_right(number, numbers)}"
            room = self._prose - indent
            what = wrapped(self._say(flood_words.COUNTERS[key]), room) if room > 16 else []
            yield ((head, style), ("  " + what[0] if what else "", Style.QUIET))
            for more in what[1:]:
                yield ((" " * indent + more, Style.QUIET),)

    # --- the conditions ---------------------------------------------------------------------

    def _conditions(self) -> Iterator[Line]:
        found = self._report.conditions
        held = sum(each.held for each in found)
        yield from self._sentence(
            Text(
                "Of the conditions under which a SYN flood denies service {held} of {all} held:",
                held=held,
                all=len(found),
            )
        )
        for each in found:
            mark, style = mark_of(held=each.held, ascii_only=self._ascii)
            indent = len(mark) + 2
            for n, words in enumerate(wrapped(self._say(each.sentence), self._prose - indent)):
                yield (
                    (f" {mark} " if n == 0 else " " * indent, style),
                    (words, Style.PLAIN),
                )

    # --- words ------------------------------------------------------------------------------

    def _sentence(self, sentence: Text, *, style: Style = Style.PLAIN) -> Iterator[Line]:
        for words in wrapped(self._say(sentence), self._prose - 1):
            yield ((f" {words}", style),)

    def _say(self, text: Text) -> str:
        words = self._say_it(text)
        return harmless(plain(words) if self._ascii else words)


def _served_style(report: FloodReport) -> Style:
    """Good if the client was always served, bad if it never was."""
    if not report.served:
        return Style.BAD_MARK
    return Style.GOOD_MARK if report.tries_served == len(report.tries) else Style.WARNING_MARK


def mark_of(*, held: bool, ascii_only: bool) -> tuple[str, Style]:
    """Of a condition for denial: that it held is the attacker's good, so it has no colour."""
    if ascii_only:
        return ("[yes]" if held else "[no] "), Style.STRONG if held else Style.QUIET
    return ("✔" if held else "✘"), Style.STRONG if held else Style.QUIET


def moments(looks: Sequence[FloodLook]) -> list[FloodLook]:
    """Some of the looks, as far apart as can be; the first and the last are among them."""
    if len(looks) <= _MOMENTS:
        return list(looks)
    step = (len(looks) - 1) / (_MOMENTS - 1)
    return [looks[round(n * step)] for n in range(_MOMENTS)]


def _widths(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    """The cells of each column."""
    return [max(map(cell_len, column)) for column in zip(headings, *rows, strict=True)]


def _row(look: FloodLook) -> list[str]:
    return [
        f"{look.at_ns / 1e9:.1f}",
        f"{look.sent:,}",
        f"{look.syn_received:,}",
        f"{look.counters.get('TcpExtListenDrops', 0):,}",
        f"{look.counters.get('TcpExtSyncookiesSent', 0):,}",
        f"{look.client_served} / {look.client_tries}",
    ]


def dotted(parts: Iterable[str], dot: str, cells: int) -> Iterator[str]:
    """The parts with a dot between those that share a line."""
    line = ""
    for part in parts:
        whole = f"{line}{dot}{part}" if line else part
        if cell_len(whole) <= cells:
            line = whole
            continue
        if line:
            yield line
        *full, line = wrapped(part, cells)
        yield from full
    yield cropped(line, cells, "")
