"""The table of a comparison: what either scan found at each port, and did to the server."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from rich.text import Text as Line

from tcplab.analysis.scanning.comparison import Comparison, Exchange
from tcplab.analysis.scanning.lessons import course
from tcplab.analysis.scanning.report import Method
from tcplab.render import theme
from tcplab.render.cells import cell_len, flush_left, flush_right, wrapped
from tcplab.render.harmless import harmless, plain
from tcplab.render.scan_words import STATES, reason
from tcplab.text import Say, Text, verbatim

_GAP = "  "
_HEADS = (
    Text("port"),
    Text("scan"),
    Text("found"),
    Text("segments"),
    Text("server's kernel"),
    Text("application log"),
)
_ELASTIC = (4, 2, 5)
"""Columns that may wrap, the one first that gets room first."""
_ARROWS = frozenset({"→", "->"})

Row = tuple[str, ...]
"""One cell a column."""


class ComparisonTable:
    """Rows of a port stand under each other, so that the two scans can be compared cell by cell.

    Where the columns have no room the same is told line by line.
    """

    def __init__(self, comparison: Comparison, *, say: Say, ascii_only: bool) -> None:
        self._say = say
        self._ascii = ascii_only
        self._signs = theme.ASCII if ascii_only else theme.UNICODE
        self._heads = tuple(map(self._said, _HEADS))
        self._blocks = [[self._row(each) for each in pair] for pair in comparison.pairs]

    def lines(self, width: int) -> Iterator[Line]:
        """The table in that width."""
        if not self._blocks:
            return
        columns = self._columns(width)
        yield from self._listed(width) if columns is None else self._table(columns)

    # --- words ------------------------------------------------------------------------------

    def _row(self, exchange: Exchange) -> Row:
        return (
            str(exchange.port),
            {Method.SYN: "SYN", Method.CONNECT: "connect"}[exchange.method],
            self._found(exchange),
            self._segments(exchange),
            self._kernel(exchange),
            self._log(exchange),
        )

    def _found(self, exchange: Exchange) -> str:
        why = reason(exchange.proof, exchange.rejection)
        return self._said(Text("{state}: {reason}", state=STATES[exchange.state], reason=why))

    def _segments(self, exchange: Exchange) -> str:
        there, back = self._signs.head_right, self._signs.head_left
        counts = [f"{exchange.to_server} {there}"]
        if exchange.to_client or not exchange.reports:
            counts.append(f"{back} {exchange.to_client}")
        if exchange.reports:
            counts.append(f"{back} ICMP")
        return " ".join(counts)

    def _kernel(self, exchange: Exchange) -> str:
        if not exchange.reached:
            return self._said(Text("nothing reached it"))
        return self._said(verbatim(course(exchange)))

    def _log(self, exchange: Exchange) -> str:
        if not exchange.log:
            return self._said(Text("nothing"))
        addresses = ", ".join(map(str, exchange.log))
        return self._said(Text("accepted {addresses}", addresses=addresses))

    def _said(self, text: Text) -> str:
        words = self._say(text)
        return harmless(plain(words) if self._ascii else words)

    # --- room -------------------------------------------------------------------------------

    def _columns(self, width: int) -> list[int] | None:
        """How many cells each column gets; None if they have no room."""
        rows = [self._heads, *(row for block in self._blocks for row in block)]
        cells = [list(column) for column in zip(*rows, strict=True)]
        wanted = [max(map(cell_len, column)) for column in cells]
        given = list(wanted)
        for n in _ELASTIC:
            given[n] = max(map(_least, cells[n]))
        left = width - 2 - len(_GAP) * (len(given) - 1) - sum(given)
        if left < 0:
            return None
        for n in _ELASTIC:
            more = min(left, wanted[n] - given[n])
            given[n] += more
            left -= more
        return given

    def _table(self, columns: Sequence[int]) -> Iterator[Line]:
        yield from self._cells(self._heads, columns, theme.QUIET)
        for block in self._blocks:
            cells = sum(columns) + len(_GAP) * (len(columns) - 1)
            yield Line.assemble(" ", (self._signs.shaft * cells, theme.FRAME))
            first, *others = block
            yield from self._cells(first, columns, "")
            for row in others:
                yield from self._cells(("", *row[1:]), columns, "")

    def _cells(self, row: Row, columns: Sequence[int], style: str) -> Iterator[Line]:
        """One row, in as many lines as its fullest cell takes."""
        wraps = [wrapped(cell, cells) for cell, cells in zip(row, columns, strict=True)]
        for parts in zip_longest(*wraps, fillvalue=""):
            line = Line(" ")
            for n, (part, cells) in enumerate(zip(parts, columns, strict=True)):
                flush = flush_right if n == 0 else flush_left
                line.append(_GAP if n else "")
                line.append(flush(part, cells), theme.NUMBER if n == 0 and not style else style)
            yield line

    def _listed(self, width: int) -> Iterator[Line]:
        """Line by line: what it is, and what there is."""
        heads = self._heads[2:]
        indent = max(map(cell_len, heads)) + 5
        for block in self._blocks:
            for port, scan, *cells in block:
                heading = f"{self._heads[0]} {port}, {scan}"
                yield Line.assemble(" ", (heading, theme.NUMBER))
                for head, cell in zip(heads, cells, strict=True):
                    label = f"   {head}"
                    for part in wrapped(cell, width - indent - 1):
                        yield Line.assemble((flush_left(label, indent), theme.QUIET), part)
                        label = ""


def _least(cell: str) -> int:
    """The longest part of the cell that is not to be broken: a word, and the arrow behind it."""
    words = cell.split()
    after = (*words[1:], "")
    return max(
        (
            cell_len(word) + (1 + cell_len(arrow) if arrow in _ARROWS else 0)
            for word, arrow in zip(words, after, strict=True)
        ),
        default=0,
    )
