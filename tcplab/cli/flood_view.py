"""A SYN flood on the terminal while it lasts: a few lines on standard error, gone when it ends."""

import sys
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from tcplab.render.page import Line, bare, coloured
from tcplab.text import Say

if TYPE_CHECKING:
    from rich.live import Live

    from tcplab.analysis.flooding.report import FloodLook
    from tcplab.analysis.flooding.settings import FloodSettings


class FloodView:
    """Hears of every look, and shows the latest, if somebody is there to see it.

    It has no thread of its own, as rich's live display else has: the testbed's user namespace is
    yet to be entered.
    """

    def __init__(self, say: Say, *, no_color: bool, ascii_only: bool) -> None:
        self._say = say
        self._no_color = no_color
        self._ascii = ascii_only
        self._live: Live | None = None
        self._lines: Callable[..., Iterable[Line]] = lambda *_look, **_how: ()

    def __enter__(self) -> Self:
        if not sys.stderr.isatty():
            return self
        from rich.console import Console
        from rich.live import Live

        from tcplab.cli.terminal import plain
        from tcplab.render.flood_live import live  # now, not in the midst of the flood

        self._lines = live
        self._ascii = self._ascii or plain(sys.stderr)
        self._live = Live(
            console=Console(stderr=True, no_color=self._no_color or None, highlight=False),
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def heed(self, settings: "FloodSettings", look: "FloodLook") -> None:
        """Show it."""
        if self._live is None:
            return
        from rich.text import Text as Words

        lines = self._lines(
            settings,
            look,
            width=self._live.console.width,
            say=self._say,
            ascii_only=self._ascii,
        )
        paint = bare if self._live.console.no_color else coloured
        words = Words.from_ansi("\n".join(map(paint, lines)), no_wrap=True, overflow="crop")
        self._live.update(words, refresh=True)
