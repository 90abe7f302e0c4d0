"""The rungs of the SVG's ladder: lifelines, states, arrows, and what is said beside them.

Time runs down, and an arrow slants because a segment takes time. Arrows that crossed on the wire
cross here; one that never arrived ends in a cross.
"""

from math import atan2, degrees

from tcplab.analysis.finding import Verdict
from tcplab.render.cells import cell_len, flowed, listed, wrapped
from tcplab.render.fates import duration
from tcplab.render.harmless import harmless
from tcplab.render.lifelines import LIFELINES, MARGIN, WIDTH, Lifelines
from tcplab.render.marks import mark
from tcplab.render.markup import element
from tcplab.render.palette import segment_family
from tcplab.render.payloads import shown
from tcplab.render.rows import (
    ActRow,
    AsideRow,
    CallRow,
    ConnectionRow,
    ExpectRow,
    FoldRow,
    GapRow,
    IcmpRow,
    Picture,
    Row,
    SegmentRow,
    Side,
    StateRow,
)
from tcplab.render.wording import Wording

_SLANT = 26
"""How far an arrow falls on its way over the wire."""
_CROSSING = 90
"""How much further, so that it has room to cross another between the words of both."""
_LINE = 15
"""The height of a line of words under an arrow."""
_LABEL_CELLS, _DETAIL_CELLS, _LOST_CELLS = 50, 52, 34
_LOST_AT = 0.7


class Rungs:
    """Everything along the two lifelines, from `top` on. `bottom` is where they end."""

    def __init__(self, picture: Picture, wording: Wording, top: float) -> None:
        self._picture = picture
        self._wording = wording
        self._y = top
        self._sent: dict[int, tuple[int, float]] = {}
        self._arrived = top
        self._lifelines = Lifelines(picture, top)
        self._front: list[str] = []
        for row in picture.rows:
            self._draw(row)
        self.bottom = self._y + 8
        self.parts = [*self._lifelines.drawn(self.bottom), *self._front]

    def _draw(self, row: Row) -> None:
        match row:
            case SegmentRow():
                self._segment(row)
            case IcmpRow():
                self._icmp(row)
            case CallRow():
                self._call(row)
            case StateRow():
                at = self._y, self._y
                self._front += self._lifelines.states(row.ends, at, always=row.initial)
                self._y += 26
            case GapRow() | FoldRow():
                self._omission(self._wording.omission(row))
            case ConnectionRow():
                at = self._y + 8, self._y + 8
                self._front += self._lifelines.states(row.ends, at, always=True)
                self._middle("host", " ".join(self._wording.heading(row)), 34)
            case ActRow():
                self._act(row)
            case ExpectRow():
                self._expect(row)
            case AsideRow():
                self._aside(row)

    # --- arrows -------------------------------------------------------------------------------

    def _segment(self, row: SegmentRow) -> None:
        details = self._details(row)
        crossed = min((self._sent[n] for n in row.crosses if n in self._sent), default=None)
        fall: float = _SLANT
        if crossed is None:
            send = self._y + 16.0
            if row.crosses:
                fall += _CROSSING + 2 * _LINE * len(details)
            arrive = send + fall
        else:
            other_ns, send = crossed
            send += 15 if row.event.at_ns >= other_ns else -15
            arrive = self._arrived + 24
        self._sent[row.number] = row.event.at_ns, send
        self._arrived = arrive
        at = (arrive, send) if row.toward is Side.LEFT else (send, arrive)
        self._front += self._lifelines.states(row.ends, at)
        colour = segment_family(row.event.segment)
        flags = row.event.segment.flags.written
        label, *more = flowed((flags, *self._wording.label(row)), _LABEL_CELLS)
        words = [("small", line) for line in more] + details
        self._arrow(row.toward, send, arrive, colour, label, words, flags=flags, lost=row.lost)
        self._badge(row, send, colour)
        self._y = max(arrive, send + _LINE * len(words) + 4) + 14

    def _details(self, row: SegmentRow) -> list[tuple[str, str]]:
        """(class, words) of each line under the arrow."""
        # Longer words would run into the arrow that crosses, or into the cross of a lost one.
        cells = _DETAIL_CELLS // 2 if row.crosses else _LOST_CELLS if row.lost else _DETAIL_CELLS
        notes = listed(self._wording.notes(row, crossing=False), cells)
        lines = [("note ink opening", line) for line in notes]
        facts = self._wording.facts(row, verbose=False)
        lines += [("small quiet", line) for line in flowed(facts, cells)]
        if row.telling and (payload := row.event.segment.payload):
            lines += [("small ink passive", line) for line in shown(payload, cells)]
        return lines

    def _icmp(self, row: IcmpRow) -> None:
        meaning, origin = self._wording.icmp(row)
        send = self._y + 16.0
        words = [("small quiet", line) for line in wrapped(origin, _DETAIL_CELLS)]
        label = f"[ICMP] {meaning}"
        self._arrow(
            row.toward, send, send + _SLANT, "reset", label, words, flags="[ICMP]", thin=True
        )
        self._y = max(send + _SLANT, send + _LINE * len(words) + 4) + 14

    def _arrow(
        self,
        toward: Side,
        send: float,
        arrive: float,
        colour: str,
        label: str,
        words: list[tuple[str, str]],
        *,
        flags: str,
        lost: bool = False,
        thin: bool = False,
    ) -> None:
        """A slanted arrow, its label above it and words below it, both along the slope."""
        way = 1 if toward is Side.RIGHT else -1
        tail, head = LIFELINES[toward.other.value] + way * 4, LIFELINES[toward.value] - way * 6
        if lost:
            head, arrive = tail + (head - tail) * _LOST_AT, send + (arrive - send) * _LOST_AT
        angle = degrees(atan2(arrive - send, abs(head - tail))) * way
        kind = f"arrow line {colour}" + (" thin" if thin else "")
        self._front.append(element("line", class_=kind, x1=tail, y1=send, x2=head, y2=arrive))
        point = f"translate({head:.1f} {arrive:.1f}) rotate({angle:.2f})"
        if lost:
            cross = element(
                "path", class_="mark line reset", d="M-6-6 6 6M-6 6 6-6", transform=point
            )
        else:
            shape = f"M0 0 {-way * 11}-5 {-way * 11} 5z"
            cross = element("path", class_=f"body {colour}", d=shape, transform=point)
        self._front.append(cross)
        drop = 18 * (arrive - send) / abs(head - tail)
        start = f"translate({tail + way * 18:.1f} {send + drop:.1f}) rotate({angle:.2f})"
        anchor = "start" if way > 0 else "end"
        # Viewers disagree on spaces at the edge of a tspan: the gap is a shift.
        above = element(
            "text",
            element("tspan", class_="flags", text=flags),
            element("tspan", dx=7, text=label.removeprefix(flags).strip()),
            class_=f"ink {colour}",
            y=-4.5,
            text_anchor=anchor,
        )
        below = [
            element("text", class_=kind, y=_LINE * n + 14, text_anchor=anchor, text=line)
            for n, (kind, line) in enumerate(words)
        ]
        self._front.append(element("g", above, *below, transform=start))

    def _badge(self, row: SegmentRow, y: float, colour: str) -> None:
        """The number, where the segment left, and at the edge of the page when."""
        x = LIFELINES[row.toward.other.value]
        time = duration(row.event.at_ns - self._picture.begin_ns)
        number = str(row.number)
        self._front += [
            element("circle", class_=f"pill {colour}", cx=x, cy=y, r=8 + len(number)),
            element("text", class_=f"number ink {colour}", x=x, y=y + 4, text=number),
            element(
                "text",
                class_="small quiet",
                x=WIDTH - MARGIN,
                y=y + 4,
                text_anchor="end",
                text=time,
            ),
        ]

    # --- the rest -----------------------------------------------------------------------------

    def _call(self, row: CallRow) -> None:
        """A call branches off the lifeline of its host."""
        words = self._wording.call(row)
        if row.side is None:
            lines = wrapped(f"{harmless(row.event.host)}: {words}", _LABEL_CELLS)
            for line in lines:
                self._middle("call ink listen", line, _LINE)
            self._y += 22 - _LINE
            return
        y = self._y + 4.0
        way = 1 if row.side is Side.LEFT else -1
        x = LIFELINES[row.side.value]
        self._front += self._lifelines.states(row.ends, (y, y))
        self._front += [
            element("line", class_="line listen", x1=x + way * 4, y1=y, x2=x + way * 18, y2=y),
            element(
                "text",
                class_="call ink listen",
                x=x + way * 24,
                y=y + 4,
                text_anchor="start" if way > 0 else "end",
                text=words,
            ),
        ]
        self._y = y + 20

    def _omission(self, words: str) -> None:
        """Time or segments that are not drawn."""
        self._lifelines.silence(self._y - 2, self._y + 34)
        self._y += 10
        self._middle("quiet", words, 32)

    def _aside(self, row: AsideRow) -> None:
        way = -1 if row.side is Side.RIGHT else 1
        x = LIFELINES[1 if row.side is Side.RIGHT else 0] + way * 24
        for line in flowed(self._wording.aside(row), _DETAIL_CELLS):
            anchor = "start" if way > 0 else "end"
            self._front.append(
                element(
                    "text", class_="small quiet", x=x, y=self._y + 6, text_anchor=anchor, text=line
                )
            )
            self._y += _LINE
        self._y += 6

    def _act(self, row: ActRow) -> None:
        """A line across the wire, broken where its words stand."""
        words = self._wording.act(row)
        y = self._y + 8
        left, right = LIFELINES[0] + 10, LIFELINES[1] - 10
        half = min(3.9 * cell_len(words) + 12, (right - left) / 2)
        middle = (left + right) / 2
        for x1, x2 in ((left, middle - half), (middle + half, right)):
            line = element("line", class_="line opening thin", x1=x1, y1=y, x2=x2, y2=y)
            self._front.append(line)
        self._middle("note ink opening", words, 28)

    def _expect(self, row: ExpectRow) -> None:
        """A mark, the predicate, and what there was instead."""
        verdict = Verdict.YES if row.event.met else Verdict.NO
        predicate, found = self._wording.expect(row, _DETAIL_CELLS)
        x = LIFELINES[0] + 24
        self._front.append(mark(verdict, x, self._y + 8))
        lines = [("small", line) for line in flowed(predicate, _DETAIL_CELLS)]
        lines += [
            ("note ink reset", line) for words in found for line in wrapped(words, _DETAIL_CELLS)
        ]
        for kind, line in lines:
            self._front.append(element("text", class_=kind, x=x + 20, y=self._y + 8, text=line))
            self._y += _LINE
        self._y += 10

    def _middle(self, kind: str, words: str, height: float) -> None:
        x = sum(LIFELINES) / 2
        self._front.append(
            element("text", class_=kind, x=x, y=self._y + 12, text_anchor="middle", text=words)
        )
        self._y += height
