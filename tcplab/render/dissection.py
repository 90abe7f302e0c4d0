"""Every segment of a run taken apart, layer by layer, under its number in the ladder (for -v)."""

from collections.abc import Callable, Container
from textwrap import wrap

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text as Line

from tcplab.render.harmless import harmless
from tcplab.text import Say, Text
from tcplab.timeline.events import SegmentEvent
from tcplab.timeline.timeline import Timeline, numbers

Dissect = Callable[[SegmentEvent], str]
"""Takes a segment's frame apart; text of many lines. Whoever renders brings it along (Scapy's)."""


class Dissections:
    """One block of text a segment; rich prints them. `shown` holds the indices of the segments that
    a display filter lets through (None: there is no filter).
    """

    def __init__(
        self,
        timeline: Timeline,
        *,
        dissect: Dissect,
        say: Say,
        shown: Container[int] | None = None,
    ) -> None:
        self._timeline = timeline
        self._dissect = dissect
        self._say = say
        self._shown = shown

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        steps = numbers(self._timeline)
        for event in self._timeline.segments():
            if self._shown is not None and event.i not in self._shown:
                continue
            heading = self._say(
                Text(
                    "Segment {number}, {flags}, as Scapy dissects it:",
                    number=steps[event.i],
                    flags=event.segment.flags.written,
                )
            )
            yield Line(f"\n{heading}", style="bold")
            for line in self._dissect(event).rstrip().splitlines():
                for part in _folded("  " + harmless(line).rstrip(), options.max_width):
                    yield Line(part, no_wrap=True, overflow="ignore")


def _folded(line: str, cells: int) -> list[str]:
    """Scapy's `name = value` in lines of at most `cells`: what has no room hangs under the value.

    A payload keeps every space.
    """
    if len(line) <= cells:
        return [line]
    name, equals, value = line.partition("= ")
    name += equals
    payload = value.startswith(("b'", 'b"'))
    room = max(cells - len(name), 8)
    parts = wrap(value, room, drop_whitespace=not payload, break_on_hyphens=False)
    return [(name if n == 0 else " " * len(name)) + part for n, part in enumerate(parts)] or [name]
