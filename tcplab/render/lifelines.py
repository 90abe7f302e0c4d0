"""The two lifelines of the SVG, and on them the states: a bar for each, its name in a pill."""

from tcplab.render.markup import element
from tcplab.render.palette import family
from tcplab.render.rows import Known, Picture, Side, Standing

WIDTH, MARGIN = 900, 28
"""The page, in units that a browser takes as pixels."""
LIFELINES = (225.0, 655.0)


class Lifelines:
    """Hairlines from `top` on; what is told of the ends as the rungs go down is kept here."""

    def __init__(self, picture: Picture, top: float) -> None:
        self._picture = picture
        self._top = top
        self._spans: tuple[list[tuple[float, Standing]], ...] = ([], [])
        self._silences: list[tuple[float, float]] = []

    def states(
        self, ends: tuple[Standing, Standing], at: tuple[float, float], *, always: bool = False
    ) -> list[str]:
        """A new colour of the bar from here on, and a pill, where the state changed."""
        pills = []
        for side, end, y in zip(Side, ends, at, strict=True):
            if always or end.changed:
                self._spans[side.value].append((y, end))
                pills += self._pill(side, end, y)
        return pills

    def silence(self, top: float, below: float) -> None:
        """The lifelines are broken here: time passes, or something is left out."""
        self._silences.append((top, below))

    def _pill(self, side: Side, end: Standing, y: float) -> list[str]:
        known = self._picture.known[side.value][0]
        name = str(end.after or "?") + ("?" if end.known is Known.INFERRED is not known else "")
        width = 7.6 * len(name) + 14
        x = LIFELINES[side.value] + 16
        if side is Side.LEFT:
            x = LIFELINES[side.value] - 16 - width
        colour = family(end.after)
        return [
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

    def drawn(self, bottom: float) -> list[str]:
        """A hairline down to `bottom`, and on it a bar for every span of a state that is known."""
        parts = []
        for side, x in zip(Side, LIFELINES, strict=True):
            spans = self._spans[side.value]
            below = spans[0][0] if spans else bottom
            top = self._top - 14
            parts.append(element("line", class_="hairline", x1=x, y1=top, x2=x, y2=below))
            edges = [*(y for y, _ in spans), bottom]
            for (y, end), below in zip(spans, edges[1:], strict=True):
                if end.after is None:
                    parts.append(element("line", class_="hairline", x1=x, y1=y, x2=x, y2=below))
                    continue
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
