"""What a scenario says of itself: its title and story before the ladder, what to notice after
it.
"""

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text as Line

from tcplab.render.harmless import harmless, plain
from tcplab.render.ladder import WIDEST
from tcplab.scenario.steps import Scenario
from tcplab.text import Say, Text


class Story:
    """The title, and under it the story; rich prints them in the width that it has."""

    def __init__(self, scenario: Scenario, *, say: Say, ascii_only: bool = False) -> None:
        self._scenario = scenario
        self._say = say
        self._ascii_only = ascii_only

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from self._block(self._scenario.title, "bold", console, options)
        yield from self._block(self._scenario.story, "dim", console, options)
        yield Line()

    def _block(
        self, text: Text, style: str, console: Console, options: ConsoleOptions
    ) -> Iterator[Line]:
        said = harmless(" ".join(self._say(text).split()))
        words = Line(plain(said) if self._ascii_only else said, style=style)
        for line in words.wrap(console, min(options.max_width, WIDEST) - 2):
            line.rstrip()
            yield Line(" ").append_text(line)


class Notice(Story):
    """What to notice."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Line()
        yield from self._block(self._scenario.notice, "italic", console, options)
