"""The marks of the SVG: a tick, a cross, a question mark."""

from tcplab.analysis.finding import Verdict
from tcplab.render.markup import element

_SHAPES = {
    Verdict.YES: ("established", "M1-5 5-1 13-10"),
    Verdict.NO: ("reset", "M2-10 11-1M2-1 11-10"),
    Verdict.INCONCLUSIVE: ("opening", "M3-8C3-12 11-12 11-8 11-5 7-6 7-3M7 1v.1"),
}
"""The colour and the shape of each."""


def mark(verdict: Verdict, x: float, y: float) -> str:
    """The mark of a verdict, beside words whose baseline begins at (x, y)."""
    colour, shape = _SHAPES[verdict]
    return element(
        "path", class_=f"mark line {colour}", d=shape, transform=f"translate({x:g} {y:.1f})"
    )
