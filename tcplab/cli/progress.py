"""A word on standard error while one has to wait; on a terminal that can take it back only."""

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

from tcplab.cli.terminal import plain
from tcplab.render.harmless import harmless
from tcplab.tcp.flags import Flags
from tcplab.text import Say, Text
from tcplab.timeline.events import Event, SegmentEvent

if TYPE_CHECKING:
    from rich.progress import ProgressColumn

_WORTH_A_WORD_NS = 1_000_000_000
"""Nobody reads what is there for less than a second."""


class _Word:
    """One line on a terminal, written over and over."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._shown = False

    def _tell(self, text: Text) -> None:
        """Not on a terminal that shows ASCII only: a dumb one cannot take it back."""
        if not sys.stderr.isatty() or plain(sys.stderr):
            return
        print(f"\r\x1b[K{self._say(text)}", end="", file=sys.stderr, flush=True)
        self._shown = True

    def clear(self) -> None:
        """Take the word back."""
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._shown = False


class Progress(_Word):
    """Hears of the events of a run, and says how many SYNs are still without an answer."""

    def __init__(self, say: Say) -> None:
        super().__init__(say)
        self._syns = 0

    def heed(self, event: Event) -> None:
        """Count the SYNs; from the second on, the wait is worth a word."""
        if not isinstance(event, SegmentEvent):
            return
        if event.sender != "client" or event.segment.flags != Flags.SYN:
            self.clear()
            return
        self._syns += 1
        if self._syns > 1:
            self._tell(Text("No answer yet: SYN {number} has been sent …", number=self._syns))


class Waiting(_Word):
    """Hears of the events of a run that lasts, and says how far it is."""

    def __init__(self, say: Say) -> None:
        super().__init__(say)
        self._segments = 0

    def heed(self, event: Event) -> None:
        """Count the segments; from the second second on, the wait is worth a word."""
        if not isinstance(event, SegmentEvent):
            return
        self._segments += 1
        if event.at_ns >= _WORTH_A_WORD_NS:
            self._tell(
                Text(
                    "{seconds} s, {segments} segments so far …",
                    seconds=f"{event.at_ns / 1e9:.1f}",
                    segments=self._segments,
                )
            )


class Bar:
    """How many of many runs have ended, and which was the last to; gone when it is left.

    It has no thread of its own, as rich's progress bars else have: processes are forked meanwhile.
    """

    def __init__(self, runs: int, *, no_color: bool, ascii_only: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        name = TextColumn("{task.description}", markup=False)
        columns: list[ProgressColumn] = [MofNCompleteColumn(), name]
        if not (ascii_only or plain(sys.stderr)):
            columns.insert(0, BarColumn())
        self._screen = Console(stderr=True, no_color=no_color or None, highlight=False)
        self._progress = Progress(
            *columns,
            console=self._screen,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            disable=not sys.stderr.isatty(),
        )
        self._task = self._progress.add_task("", total=runs)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def step(self, name: str) -> None:
        """One more run has ended, of the scenario of that name."""
        self._progress.update(self._task, advance=1, description=harmless(name))
        self._progress.refresh()
