"""How far a scan is: a bar on standard error, from half a second on; gone when the scan ends."""

import sys
from typing import TYPE_CHECKING

from tcplab.text import Say, Text

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn, TaskID

    from tcplab.experiment.scanning import Standing

_WORTH_A_BAR_NS = 500_000_000


class ScanBar:
    """Hears of the standing of a scan, and shows it on a terminal.

    rich is imported when there is something to show (20 ms, in which the receive ring goes on
    filling); it gets no thread of its own, for a testbed's user namespace may be yet to be entered.
    """

    def __init__(self, say: Say, *, no_color: bool, ascii_only: bool) -> None:
        self._say = say
        self._no_color = no_color
        self._ascii = ascii_only
        self._wanted = sys.stderr.isatty()
        self._shown: tuple[Progress, TaskID] | None = None

    def heed(self, standing: "Standing") -> None:
        """Show how far it is, if it takes long enough and somebody looks."""
        if not self._wanted or standing.at_ns < _WORTH_A_BAR_NS:
            return
        progress, task = self._shown = self._shown or self._begin(standing.ports)
        progress.update(
            task, completed=standing.answered, description=self._say(description(standing))
        )
        progress.refresh()

    def clear(self) -> None:
        """Take the bar away."""
        if self._shown is not None:
            self._shown[0].stop()
            self._shown = None

    def _begin(self, ports: int) -> "tuple[Progress, TaskID]":
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn
        from rich.table import Column

        from tcplab.cli.terminal import plain

        words = Column(no_wrap=True, overflow="ellipsis")
        columns: list[ProgressColumn] = [
            TextColumn("{task.description}", markup=False, table_column=words)
        ]
        if not (self._ascii or plain(sys.stderr)):
            columns.insert(0, BarColumn(bar_width=20))
        else:
            words.overflow = "crop"  # rich's ellipsis is one character that is not ASCII
        progress = Progress(
            *columns,
            console=Console(stderr=True, no_color=self._no_color or None, highlight=False),
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        task = progress.add_task("", total=ports)
        progress.start()
        return progress, task


def description(standing: "Standing") -> Text:
    """Ports that have answered, the round, packets a second, and the time that is left."""
    pps = standing.sent * 1_000_000_000 // max(standing.at_ns, 1)
    told = Text(
        "{answered} of {ports} answered, round {round}, {pps}/s",
        answered=f"{standing.answered:,}",
        ports=f"{standing.ports:,}",
        round=standing.round + 1,
        pps=f"{pps:,}",
    )
    if standing.left_s is None:
        return told
    return Text("{told}, {time} left", told=told, time=duration(standing.left_s))


def duration(seconds: float) -> Text:
    """Some time, to the second, and upwards: "1 min 6 s"."""
    whole = -int(-seconds // 1)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return Text("{hours} h {minutes} min", hours=hours, minutes=minutes)
    if minutes:
        return Text("{minutes} min {seconds} s", minutes=minutes, seconds=rest)
    return Text("{seconds} s", seconds=rest)
