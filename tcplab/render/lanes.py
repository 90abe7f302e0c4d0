"""Puts the lifelines and both ends' states round what lies between, in either of two layouts."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from rich.text import Text as Line

from tcplab.render import theme
from tcplab.render.arrow import Middle
from tcplab.render.cells import cell_len, centred, flush_right, wrapped
from tcplab.render.fates import duration
from tcplab.render.header import Header
from tcplab.render.rows import (
    ActRow,
    AsideRow,
    CallRow,
    ConnectionRow,
    ExpectRow,
    FoldRow,
    GapRow,
    IcmpRow,
    Known,
    Picture,
    Row,
    SegmentRow,
    Side,
    Standing,
    StateRow,
)
from tcplab.render.theme import Signs
from tcplab.render.wording import Wording

_TIMES, _WINDOWS, _CHANGES = 76, 100, 120
"""From how many cells on there is room for times; for windows and timestamps; for both states of a
change and the time since the segment before."""

_HIDDEN = (Standing(), Standing())


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """One row, not yet in a layout: what lies in the middle, and what the lanes show beside it.

    `shown` says which lanes write their state; `forks` where a call branches off.
    """

    middle: list[Line]
    ends: tuple[Standing, Standing] = _HIDDEN
    shown: tuple[bool, bool] = (False, False)
    fork: Side | None = None
    number: str = ""
    silent: bool = False


class Layout(ABC):
    """What both layouts share: the words above and below, and what each row says."""

    def __init__(
        self, picture: Picture, wording: Wording, signs: Signs, width: int, middle: Middle
    ) -> None:
        self._picture = picture
        self._wording = wording
        self._signs = signs
        self._width = width
        self._middle = middle

    def lines(self) -> Iterator[Line]:
        """The whole ladder."""
        yield from Header(self._picture, self._wording, self._signs, self._width).lines()
        yield self._ground()
        for row in self._picture.rows:
            yield from self._lines_of(self._strip(row))
        for n, note in enumerate(self._wording.closing(self._picture)):
            if n == 0:
                yield Line()
            for words in wrapped(note, self._width - 1):
                yield Line.assemble(" ", (words, theme.WARNING))

    @abstractmethod
    def _ground(self) -> Line:
        """The line from which the lifelines hang."""

    @abstractmethod
    def _lines_of(self, strip: Strip) -> Iterator[Line]:
        """A strip, in this layout."""

    def _strip(self, row: Row) -> Strip:
        """A row in signs and words."""
        middle = self._middle
        match row:
            case SegmentRow():
                return Strip(
                    middle=middle.segment(row),
                    ends=row.ends,
                    shown=(True, True),
                    number=str(row.number),
                )
            case CallRow():
                changed = (row.ends[0].changed, row.ends[1].changed)
                return Strip(middle=middle.call(row), ends=row.ends, shown=changed, fork=row.side)
            case StateRow():
                left, right = (row.initial or end.changed for end in row.ends)
                return Strip(middle=[], ends=row.ends, shown=(left, right))
            case GapRow() | FoldRow():
                words = (self._wording.omission(row),)
                return Strip(middle=middle.words(words, None, theme.QUIET), silent=True)
            case ConnectionRow():
                heading = middle.words(self._wording.heading(row), None, theme.HOST)
                return Strip(middle=heading, ends=row.ends, shown=(True, True))
            case IcmpRow() | AsideRow() | ActRow() | ExpectRow():
                return Strip(middle=self._stateless(row))

    def _stateless(self, row: IcmpRow | AsideRow | ActRow | ExpectRow) -> list[Line]:
        """A row beside which no state stands."""
        match row:
            case IcmpRow():
                return self._middle.icmp(row)
            case AsideRow():
                return self._middle.aside(row)
            case ActRow():
                return self._middle.act(row)
            case ExpectRow():
                return self._middle.expect(row)

    def _state(self, side: Side, standing: Standing, *, both: bool) -> list[tuple[str, str]]:
        """A state; with `both`, the one before it as well."""
        if standing.after is None:
            return [("?", theme.QUIET)]
        style = theme.state_style(standing.after, changed=standing.changed)
        doubtful = standing.known is Known.INFERRED is not self._picture.known[side.value][0]
        after = (f"{standing.after}{'?' if doubtful else ''}", style)
        if both and standing.changed and standing.before is not None:
            return [(f"{standing.before} {self._signs.becomes} ", theme.QUIET), after]
        return [after]

    def _marks(self, strip: Strip, line: int) -> tuple[tuple[str, str], tuple[str, str]]:
        """Both lifelines at one line: a dot where the state changes, a fork at a call."""
        left, right = (self._mark(strip, side, first=line == 0) for side in Side)
        return left, right

    def _mark(self, strip: Strip, side: Side, *, first: bool) -> tuple[str, str]:
        end = strip.ends[side.value]
        if strip.silent:
            return self._signs.silence, theme.FRAME
        if first and strip.shown[side.value] and end.changed and end.after is not None:
            return self._signs.change, theme.state_style(end.after, changed=True)
        if first and strip.fork is side:
            return (self._signs.fork if side is Side.LEFT else self._signs.join), theme.FRAME
        return self._signs.lifeline, theme.FRAME


class Beside(Layout):
    """State lanes outside the lifelines, arrows between them, times at the right."""

    def __init__(self, picture: Picture, wording: Wording, signs: Signs, width: int) -> None:
        self._picture = picture
        self._signs = signs
        self._both = width >= _CHANGES
        self._left, self._right = (self._lane_cells(side) for side in Side)
        self._digits = len(str(picture.highest))
        self._times = _times(picture, since=width >= _CHANGES) if width >= _TIMES else {}
        self._time = max((2 + cell_len(time) for time in self._times.values()), default=0)
        self._cells = width - self._left - self._right - self._digits - self._time - 7
        middle = Middle(wording, signs, cells=self._cells, verbose=width >= _WINDOWS)
        super().__init__(picture, wording, signs, width, middle)

    def _lane_cells(self, side: Side) -> int:
        rows = (
            row
            for row in self._picture.rows
            if isinstance(row, SegmentRow | CallRow | StateRow | ConnectionRow)
        )
        ends = (row.ends[side.value] for row in rows)
        return max((_cells(self._state(side, end, both=self._both)) for end in ends), default=0)

    def _ground(self) -> Line:
        shaft, ground = self._signs.shaft, self._signs.ground
        left = shaft * (self._left + self._digits + 2)
        right = shaft * (self._right + 1 + self._time)
        return Line(f" {left}{ground}{shaft * self._cells}{ground}{right}", theme.FRAME)

    def _lines_of(self, strip: Strip) -> Iterator[Line]:
        for n, middle in enumerate(strip.middle or [Line(" " * self._cells)]):
            left_mark, right_mark = self._marks(strip, n)
            left, right = (
                self._state(side, strip.ends[side.value], both=self._both)
                if n == 0 and strip.shown[side.value]
                else []
                for side in Side
            )
            number = strip.number if n == 0 else ""
            time = self._times.get(int(number), "") if number else ""
            yield Line.assemble(
                " " * (1 + self._left - _cells(left)),
                *left,
                (f" {number:>{self._digits}} ", theme.NUMBER),
                left_mark,
                middle,
                right_mark,
                " ",
                *right,
                " " * (self._right - _cells(right) + 2),
                (time, theme.QUIET),
            )


class Stacked(Layout):
    """Narrow: the lifelines at the edges, the states on a line of their own under each arrow."""

    def __init__(self, picture: Picture, wording: Wording, signs: Signs, width: int) -> None:
        self._cells = width - 2
        self._times = _times(picture, since=False)
        indent = len(str(picture.highest)) + 1
        middle = Middle(wording, signs, cells=self._cells, indent=indent)
        super().__init__(picture, wording, signs, width, middle)

    def _ground(self) -> Line:
        ground = self._signs.ground
        return Line(f"{ground}{self._signs.shaft * self._cells}{ground}", theme.FRAME)

    def _lines_of(self, strip: Strip) -> Iterator[Line]:
        bare = Strip(middle=[], fork=strip.fork, silent=strip.silent)
        for n, middle in enumerate(strip.middle):
            left_mark, right_mark = self._marks(bare, n)
            number = f" {strip.number}" if strip.number and n == 0 else ""
            yield Line.assemble(
                left_mark, (number, theme.NUMBER), middle[cell_len(number) :], right_mark
            )
        if any(strip.shown):
            yield self._states(strip)

    def _states(self, strip: Strip) -> Line:
        left_mark, right_mark = self._marks(strip, 0)
        left, right = (
            self._state(side, strip.ends[side.value], both=False) if strip.shown[side.value] else []
            for side in Side
        )
        room = self._cells - 2 - _cells(left) - _cells(right)
        time = self._times[int(strip.number)].strip() if strip.number else ""
        between = centred(time, room) if cell_len(time) + 2 <= room else " " * room
        return Line.assemble(left_mark, " ", *left, (between, theme.QUIET), *right, " ", right_mark)


def _cells(spans: list[tuple[str, str]]) -> int:
    return sum(cell_len(words) for words, _style in spans)


def _times(picture: Picture, *, since: bool) -> dict[int, str]:
    """When each segment left, by its number; with `since`, how long after the one before."""
    rows = list(picture.segments())
    at = [row.event.at_ns - picture.begin_ns for row in rows]
    gaps = ["", *(f"{'+' if b >= a else '-'}{duration(abs(b - a))}" for a, b in pairwise(at))]
    times = [duration(ns) for ns in at]
    wide, wide_gap = (max(map(cell_len, column), default=0) for column in (times, gaps))
    return {
        row.number: flush_right(time, wide) + (f"  {flush_right(gap, wide_gap)}" if since else "")
        for row, time, gap in zip(rows, times, gaps, strict=False)
    }
