"""Both scans side by side: the ladders of every port, one table, and what it teaches."""

from collections.abc import Iterator
from itertools import zip_longest

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text as Line

from tcplab.analysis.finding import Finding
from tcplab.analysis.scanning import proofs
from tcplab.analysis.scanning.comparison import Comparison, Exchange, Pair
from tcplab.analysis.scanning.lessons import findings
from tcplab.analysis.scanning.report import Method
from tcplab.render import theme
from tcplab.render.cells import cropped, wrapped
from tcplab.render.comparison_table import ComparisonTable
from tcplab.render.findings import Findings
from tcplab.render.harmless import harmless, plain
from tcplab.render.ladder import WIDEST, Ladder
from tcplab.render.wording import SeqForm
from tcplab.text import Say, Text

_GAP = 3
_BESIDE = 2 * 60 + _GAP
"""From so many cells on, two ladders with lanes have room beside each other."""


class OneExchange:
    """One port asked in one way: whose the segments are, the ladder, and the findings that it
    proves. rich prints it in the width that it has.
    """

    def __init__(
        self,
        exchange: Exchange,
        *,
        say: Say,
        seq: SeqForm = SeqForm.RELATIVE,
        ascii_only: bool = False,
        verbose: bool = False,
    ) -> None:
        timeline = exchange.timeline
        self._exchange = exchange
        self._say = say
        self._ascii = ascii_only
        self._signs = theme.ASCII if ascii_only else theme.UNICODE
        self._ladder = Ladder(timeline, say=say, seq=seq, ascii_only=ascii_only, verbose=verbose)
        self._findings = Findings(
            proofs.findings(exchange), timeline, say=say, ascii_only=ascii_only, verbose=verbose
        )

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from self.picture(console, options, min(options.max_width, WIDEST))
        yield self._findings

    def picture(self, console: Console, options: ConsoleOptions, width: int) -> Iterator[Line]:
        """Its heading and its ladder, in lines of that width."""
        title = cropped(self._said(_title(self._exchange)), width - 2, self._signs.ellipsis)
        yield Line.assemble(" ", (title, theme.HOST))
        for words in wrapped(self._said(_whose(self._exchange)), width - 2):
            yield Line.assemble(" ", (words, theme.QUIET))
        for line in self._ladder.__rich_console__(console, options.update(max_width=width)):
            if isinstance(line, Line):
                yield line

    def _said(self, text: Text) -> str:
        words = self._say(text)
        return harmless(plain(words) if self._ascii else words)


class SideBySide:
    """A comparison; rich prints it in the width that it has. Ladders stand beside each other where
    there is room, else one above the other.
    """

    def __init__(self, comparison: Comparison, *, say: Say, ascii_only: bool = False) -> None:
        self._comparison = comparison
        self._say = say
        self._ascii = ascii_only
        self._signs = theme.ASCII if ascii_only else theme.UNICODE
        self._table = ComparisonTable(comparison, say=say, ascii_only=ascii_only)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(options.max_width, 2 * WIDEST + _GAP)
        for line in self._lines(width, console, options):
            line.no_wrap = True
            line.overflow = "ignore"
            line.rstrip()
            yield line

    def _lines(self, width: int, console: Console, options: ConsoleOptions) -> Iterator[Line]:
        arrange = self._beside if width >= _BESIDE else self._stacked
        for pair in self._comparison.pairs:
            yield from arrange(pair, width, console, options)
        narrow = min(width, WIDEST)
        yield from self._table.lines(narrow)
        if self._comparison.pairs:
            yield Line()
        for finding in findings(self._comparison):
            yield from self._finding(finding, narrow)
        if self._comparison.partial:
            note = self._said(Text("Cut short: these are the ports that were done by then."))
            for words in wrapped(note, narrow - 2):
                yield Line.assemble(" ", (words, theme.WARNING))

    def _stacked(
        self, pair: Pair, width: int, console: Console, options: ConsoleOptions
    ) -> Iterator[Line]:
        for exchange in pair:
            yield from self._picture(exchange, console, options, min(width, WIDEST))
            yield Line()

    def _beside(
        self, pair: Pair, width: int, console: Console, options: ConsoleOptions
    ) -> Iterator[Line]:
        room = (width - _GAP) // 2
        columns = (self._picture(exchange, console, options, room) for exchange in pair)
        for left, right in zip_longest(*columns, fillvalue=Line()):
            line = left.copy()
            line.pad_right(room + _GAP - line.cell_len)
            yield line.append_text(right)
        yield Line()

    def _picture(
        self, exchange: Exchange, console: Console, options: ConsoleOptions, width: int
    ) -> Iterator[Line]:
        picture = OneExchange(exchange, say=self._say, ascii_only=self._ascii)
        return picture.picture(console, options, width)

    def _finding(self, finding: Finding, width: int) -> Iterator[Line]:
        """The mark, and the sentence with a hanging indent."""
        mark = self._signs.verdict(finding.verdict)
        indent = len(mark) + 2
        style = theme.verdict_style(finding.verdict)
        for n, part in enumerate(wrapped(self._said(finding.sentence), width - indent - 1)):
            yield Line.assemble((f" {mark} ", style) if n == 0 else " " * indent, part)

    def _said(self, text: Text) -> str:
        words = self._say(text)
        return harmless(plain(words) if self._ascii else words)


def _title(exchange: Exchange) -> Text:
    match exchange.method:
        case Method.SYN:
            return Text("SYN scan of port {port}", port=exchange.port)
        case Method.CONNECT:
            return Text("connect() scan of port {port}", port=exchange.port)


def _whose(exchange: Exchange) -> Text:
    """Who makes the client's segments."""
    match exchange.method:
        case Method.SYN:
            return Text("The SYN is crafted; the client's kernel knows nothing of it.")
        case Method.CONNECT:
            return Text("The client's kernel connects, for a program.")
