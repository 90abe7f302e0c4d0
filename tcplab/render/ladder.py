"""The picture of a run in a terminal: a ladder, with both ends' states beside every segment.

From 60 cells on the states stand in lanes beside the lifelines; the more room there is, the more is
shown (times, windows, the change of state spelled out, the time between segments). In a narrower
terminal the states go under each arrow.
"""

from collections.abc import Container

from rich.console import Console, ConsoleOptions, RenderResult

from tcplab.render import theme
from tcplab.render.lanes import Beside, Stacked
from tcplab.render.picture import arranged
from tcplab.render.wording import SeqForm, Wording
from tcplab.text import Say
from tcplab.timeline.timeline import Timeline

WIDEST = 150
"""Longer arrows would show nothing more."""
_LANES = 60


class Ladder:
    """A timeline as a ladder; rich prints it in the width that it has. `verbose` leaves nothing
    out; without `met` there are no expectations that were met. Only segments with these indices are
    `shown` (None: everything).
    """

    def __init__(
        self,
        timeline: Timeline,
        *,
        say: Say,
        seq: SeqForm = SeqForm.RELATIVE,
        ascii_only: bool = False,
        verbose: bool = False,
        met: bool = True,
        shown: Container[int] | None = None,
    ) -> None:
        self._picture = arranged(timeline, verbose=verbose, met=met, shown=shown)
        self._wording = Wording(say, seq=seq, ascii_only=ascii_only)
        self._signs = theme.ASCII if ascii_only else theme.UNICODE

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(options.max_width, WIDEST)
        layout = Beside if width >= _LANES else Stacked
        for line in layout(self._picture, self._wording, self._signs, width).lines():
            line.rstrip()
            line.no_wrap = True
            line.overflow = "ignore"
            yield line
