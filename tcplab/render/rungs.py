"""The rungs of the SVG's ladder: lifelines, states, arrows, and what is said beside them.

Time runs down, and an arrow slants because a segment takes time. Arrows that crossed on the wire
cross here; one that never arrived ends in a cross.
"""

from math import atan2, degrees

from tcplab.render.cells import flowed, wrapped
from tcplab.render.harmless import harmless, preview
from tcplab.render.markup import element
from tcplab.render.palette import family, segment_family
from tcplab.render.rows import (
    AsideRow,
    CallRow,
    ConnectionRow,
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
from tcplab.render.wording import Wording, duration

WIDTH, MARGIN = 900, 28
"""The page, in units that a browser takes as pixels."""
LIFELINES = (225.0, 655.0)
TOP = 176
_SLANT = 26
"""How far an arrow falls on its way over the wire."""
_CROSSING = 90
"""How much further, so that it has room to cross another between the words of both."""
_LINE = 15
"""The height of a line of words under an arrow."""
_LABEL_CELLS, _DETAIL_CELLS = 50, 52
_LOST_AT = 0.7


class Rungs:
    """Everything along the two lifelines. `bottom` is where they end."""

    def __init__(self, picture: Picture, wording: Wording) -> None:
        self._picture = picture
        self._wording = wording
        self._y: float = TOP
        self._sent: dict[int, tuple[int, float]] = {}
        self._arrived: float = TOP
        self._spans: tuple[list[tuple[float, Standing]], ...] = ([], [])
        self._silences: list[tuple[float, float]] = []
        self._front: list[str] = []
        for row in picture.rows:
            self._draw(row)
        self.bottom = self._y + 8
        self.parts = [*self._bars(), *self._front]

    def _draw(self, row: Row) -> None:
        match row:
            case SegmentRow():
                self._segment(row)
            case IcmpRow():
                self._icmp(row)
            case CallRow():
                self._call(row)
            case StateRow():
                self._states(row.ends, (self._y, self._y), always=row.initial)
                self._y += 26
            case GapRow(elapsed_ns):
                self._gap(elapsed_ns)
            case ConnectionRow(conn):
                self._middle("host", self._wording.connection(conn), 24)
            case AsideRow():
                self._aside(row)

    # --- states -------------------------------------------------------------------------------

    def _states(
        self, ends: tuple[Standing, Standing], at: tuple[float, float], *, always: bool = False
    ) -> None:
        """A new colour of the bar and a pill with the state's name, where it changed."""
        for side, end, y in zip(Side, ends, at, strict=True):
            if always or end.changed:
                self._spans[side.value].append((y, end))
                self._pill(side, end, y)

    def _pill(self, side: Side, end: Standing, y: float) -> None:
        known = self._picture.known[side.value][0]
        name = str(end.after or "?") + ("?" if end.known is Known.INFERRED is not known else "")
        width = 7.6 * len(name) + 14
        x = LIFELINES[side.value] + 16
        if side is Side.LEFT:
            x = LIFELINES[side.value] - 16 - width
        colour = family(end.after)
        self._front += [
            element("rect", class_=f"pill {colour}", x=x, y=y - 10, width=width, height=20, rx=10),
            element(
                "text",
                class_=f"ink {colour}",
                x=x + width / 2,
                y=y + 4,
                text_anchor="middle",
                text=name,
            ),
        ]

    def _bars(self) -> list[str]:
        """The lifelines: a hairline, and on it a bar for every span of one state."""
        parts = []
        for side, x in zip(Side, LIFELINES, strict=True):
            spans = self._spans[side.value]
            below = spans[0][0] if spans else self.bottom
            parts.append(element("line", class_="hairline", x1=x, y1=TOP - 14, x2=x, y2=below))
            edges = [*(y for y, _ in spans), self.bottom]
            for (y, end), below in zip(spans, edges[1:], strict=True):
                colour = f"bar {family(end.after)} {end.known.value if end.known else 'inferred'}"
                parts.append(
                    element(
                        "rect", class_=colour, x=x - 4, y=y, width=8, height=max(below - y, 0), rx=2
                    )
                )
            for top, below in self._silences:
                parts += [
                    element(
                        "rect",
                        class_="page",
                        x=x - 8,
                        y=top,
                        width=16,
                        height=below - top,
                        stroke_opacity=0,
                    ),
                    element("line", class_="silence", x1=x, y1=top + 3, x2=x, y2=below),
                ]
        return parts

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
        self._states(row.ends, at)
        colour = segment_family(row.event.segment)
        flags = row.event.segment.flags.written
        label, *more = flowed((flags, *self._wording.label(row)), _LABEL_CELLS)
        words = [("small", line) for line in more] + details
        self._arrow(row.toward, send, arrive, colour, label, words, flags=flags, lost=row.lost)
        self._badge(row, send, colour)
        self._y = max(arrive, send + _LINE * len(words) + 4) + 14

    def _details(self, row: SegmentRow) -> list[tuple[str, str]]:
        """(class, words) of each line under the arrow."""
        cells = _DETAIL_CELLS // 2 if row.crosses else _DETAIL_CELLS  # less, or two arrows collide
        notes = self._wording.notes(row, crossing=False)
        lines = [("note ink opening", line) for note in notes for line in wrapped(note, cells)]
        facts = self._wording.facts(row, verbose=False)
        lines += [("small quiet", line) for line in flowed(facts, cells)]
        if payload := row.event.segment.payload:
            lines.append(("small ink passive", preview(payload, cells)))
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
            self._middle("call ink listen", f"{harmless(row.event.host)}: {words}", 22)
            return
        y = self._y + 4.0
        way = 1 if row.side is Side.LEFT else -1
        x = LIFELINES[row.side.value]
        self._states(row.ends, (y, y))
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

    def _gap(self, elapsed_ns: int) -> None:
        self._silences.append((self._y - 2, self._y + 34))
        self._y += 10
        self._middle("quiet", self._wording.gap(elapsed_ns), 32)

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

    def _middle(self, kind: str, words: str, height: float) -> None:
        x = sum(LIFELINES) / 2
        self._front.append(
            element("text", class_=kind, x=x, y=self._y + 12, text_anchor="middle", text=words)
        )
        self._y += height
