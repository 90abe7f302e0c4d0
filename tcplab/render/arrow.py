"""Draws what lies between the two lifelines: arrows, calls that branch off, words in the middle.

Everything here is a list of lines, each exactly as wide as the space between the lifelines.
"""

from collections.abc import Iterable

from rich.text import Text as Line

from tcplab.analysis.finding import Verdict
from tcplab.render import theme
from tcplab.render.cells import (
    cell_len,
    centred,
    cropped,
    flowed,
    flush_left,
    flush_right,
    listed,
    wrapped,
)
from tcplab.render.harmless import harmless
from tcplab.render.payloads import shown
from tcplab.render.rows import ActRow, AsideRow, CallRow, ExpectRow, IcmpRow, SegmentRow, Side
from tcplab.render.theme import Signs
from tcplab.render.wording import Wording
from tcplab.timeline.events import SampleEvent

_TAIL, _SHORT_TAIL = 2, 1
"""Cells of shaft before the label begins; where the arrow has less than _TIGHT of them, fewer."""
_TIGHT = 30
_LOST_AT = 0.7
"""How far over the wire an arrow gets that never arrives."""


class Middle:
    """Draws rows into `cells` between the lifelines, one of them padding at each end.

    `indent` more cells are left free at the left (for a number). `verbose`: there is room to spare.
    """

    def __init__(
        self, wording: Wording, signs: Signs, *, cells: int, indent: int = 0, verbose: bool = False
    ) -> None:
        self._wording = wording
        self._signs = signs
        self._cells = cells
        self._indent = indent
        self._verbose = verbose
        self._span = cells - 2 - indent
        self._tail = _TAIL if self._span >= _TIGHT else _SHORT_TAIL

    def _room(self, toward: Side) -> int:
        """How much label an arrow can carry besides its head, its tail and the spaces."""
        return self._span - self._tail - 2 - (toward is Side.LEFT)

    # --- segments -----------------------------------------------------------------------------

    def segment(self, row: SegmentRow) -> list[Line]:
        """An arrow with the flags and as many numbers as fit, and below it all the rest."""
        segment = row.event.segment
        style = theme.segment_style(segment)
        room = self._room(row.toward)
        flags = segment.flags.written
        if cell_len(flags) > room:
            flags = f"[{segment.flags.letters}]"
        label = Line(style=style).append(cropped(flags, room, self._signs.ellipsis), "bold")
        rest = list(self._wording.label(row))
        while rest and label.cell_len + 1 + cell_len(rest[0]) <= room:
            label.append(f" {rest.pop(0)}")
        if self._verbose and not rest:
            step = row.event.step or ""
            counted = (f"({harmless(step)})",) if "/" in step else ()
            for more in (f"win {row.wnd_octets}", *counted):
                if label.cell_len + 1 + cell_len(more) <= room:
                    label.append(f" {more}", theme.QUIET)
        shaft = self._arrow(label, row.toward, style, lost=row.lost, crossing=bool(row.crosses))
        return [self._framed(shaft), *self._below(row, rest)]

    def _below(self, row: SegmentRow, rest: list[str]) -> list[Line]:
        """The lines under an arrow, on the side of the sender."""
        facts = (*rest, *self._wording.facts(row, verbose=self._verbose))
        room = self._span - self._tail
        notes = listed(self._wording.notes(row), room)
        lines = [(line, theme.WARNING) for line in notes]
        lines += [(line, theme.QUIET) for line in flowed(facts, room)]
        if row.telling and (payload := row.event.segment.payload):
            ascii_only = self._signs is theme.ASCII
            lines += [(line, theme.DATA) for line in shown(payload, room, ascii_only=ascii_only)]
        return [self._beside(line, style, row.toward.other, self._tail) for line, style in lines]

    def _arrow(
        self,
        label: Line,
        toward: Side,
        style: str,
        *,
        lost: bool,
        crossing: bool,
        thin: bool = False,
    ) -> Line:
        """`──[SYN] seq 0 ────▶`, or mirrored, or with a cross where it got lost; `_span` wide."""
        signs = self._signs
        shaft = signs.thin_shaft if thin else signs.shaft
        length = self._span - self._tail - label.cell_len - 1 - (toward is Side.LEFT)
        end = signs.head_right if toward is Side.RIGHT else signs.head_left
        blank = 0
        if lost:
            blank = max(0, min(length - 3, round(self._span * (1 - _LOST_AT))))
            end = signs.lost
        body = shaft * (length - 1 - blank)
        if crossing and len(body) >= 2:
            body = f"{shaft * (len(body) - 2)}{signs.crossing}{shaft}"
            if toward is Side.LEFT:
                body = body[::-1]
        tail = Line(shaft * self._tail, style)
        head = Line(end, f"bold {'red' if lost else style}")
        if toward is Side.RIGHT:
            return Line.assemble(tail, label, " ", (body, style), head, " " * blank)
        return Line.assemble(" " * blank, head, (body, style), " ", label, " ", tail)

    def _framed(self, arrow: Line) -> Line:
        return Line.assemble(" " * (1 + self._indent), arrow, " ")

    # --- the rest -----------------------------------------------------------------------------

    def call(self, row: CallRow) -> list[Line]:
        """A call branches off the lifeline of the host that made it."""
        words = self._wording.call(row)
        if row.side is None:
            return self.words((f"{harmless(row.event.host)}: {words}",), None, theme.CALL)
        room = self._cells - 3
        lines = []
        for n, words_line in enumerate(wrapped(words, room)):
            fork = self._signs.shaft if n == 0 else " "
            if row.side is Side.LEFT:
                line = Line.assemble((fork, theme.FRAME), " ", (words_line, theme.CALL))
                line.pad_right(self._cells - line.cell_len)
            else:
                line = Line.assemble((words_line, theme.CALL), " ", (fork, theme.FRAME))
                line.pad_left(self._cells - line.cell_len)
            lines.append(line)
        return lines

    def icmp(self, row: IcmpRow) -> list[Line]:
        """An ICMP error is a thin arrow: it is about the connection, not of it."""
        meaning, origin = self._wording.icmp(row)
        label, *rest = flowed(("[ICMP]", *meaning.split()), self._room(row.toward))
        arrow = self._arrow(
            Line(label, "bold red"), row.toward, "red", lost=False, crossing=False, thin=True
        )
        below = [*rest, *wrapped(origin, self._span - self._tail)]
        return [
            self._framed(arrow),
            *(self._beside(line, theme.QUIET, row.toward.other, self._tail) for line in below),
        ]

    def aside(self, row: AsideRow) -> list[Line]:
        """Quiet words at the lifeline of the host that they are about; about a segment that it
        sent, in line with the words under that.
        """
        asked = isinstance(row.events[0], SampleEvent) and row.events[0].cause is not None
        words = self._wording.aside(row)
        if row.side is None or not asked:
            return self.words(words, row.side, theme.QUIET)
        lines = flowed(words, self._span - self._tail)
        return [self._beside(line, theme.QUIET, row.side, self._tail) for line in lines]

    def act(self, row: ActRow) -> list[Line]:
        """A line across the wire, on which stands what a step did to it."""
        words, *more = wrapped(self._wording.act(row), self._cells - 8) or [""]
        shaft = self._signs.thin_shaft
        room = self._cells - 4 - cell_len(words)
        before, after = shaft * (room // 2), shaft * (room - room // 2)
        return [
            Line.assemble(" ", (f"{before} {words} {after}", theme.WARNING), " "),
            *(Line(centred(line, self._cells), theme.WARNING) for line in more),
        ]

    def expect(self, row: ExpectRow) -> list[Line]:
        """What the scenario expected here, with its mark, and what there was instead."""
        verdict = Verdict.YES if row.event.met else Verdict.NO
        mark, style = self._signs.verdict(verdict), theme.verdict_style(verdict)
        indent = cell_len(mark) + 2
        room = self._cells - indent - 1
        predicate, found = self._wording.expect(row, room)
        lines = []
        for n, part in enumerate(flowed(predicate, room)):
            head = f" {mark} " if n == 0 else " " * indent
            lines.append(Line.assemble((head, style), (flush_left(part, room + 1), theme.EXPECTED)))
        for words in found:
            lines += [
                Line.assemble(" " * indent, (flush_left(part, room + 1), style))
                for part in wrapped(words, room)
            ]
        return lines

    def words(self, parts: Iterable[str], side: Side | None, style: str) -> list[Line]:
        """Words at one side, or in the middle."""
        lines = flowed(parts, self._cells - 2)
        if side is None:
            return [Line(centred(line, self._cells), style) for line in lines]
        return [self._beside(line, style, side, 0, indent=0) for line in lines]

    def _beside(
        self, words: str, style: str, side: Side, inset: int, *, indent: int | None = None
    ) -> Line:
        """Words that begin (or, at the right, end) `inset` cells from a lifeline's padding."""
        if side is Side.LEFT:
            inset += self._indent if indent is None else indent
            return Line.assemble(
                " " * (1 + inset), (flush_left(words, self._cells - 1 - inset), style)
            )
        return Line.assemble(
            (flush_right(words, self._cells - 1 - inset), style), " " * (1 + inset)
        )
