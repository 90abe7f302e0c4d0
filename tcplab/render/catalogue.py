"""The catalogue of scenarios: by group, one line each, and how each of them stands."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text as Line

from tcplab.analysis.finding import Verdict
from tcplab.analysis.standing import Standing
from tcplab.render import theme
from tcplab.render.cells import cell_len, cropped, flush_left, flush_right, wrapped
from tcplab.render.harmless import harmless, plain
from tcplab.render.ladder import WIDEST
from tcplab.text import Say, Text
from tcplab.timeline.encoding import Json

_TITLE = 24
"""With fewer cells than these beside its name a title stands under it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """A group of the catalogue; `title` None for scenarios of the user's own."""

    title: Text | None
    standings: tuple[Standing, ...]


class Catalogue:
    """The shelves, one under another; rich prints them in the width that it has.

    With `verdicts` each line says what came of the scenario; then the sums, and what speaks against
    those that do not stand, each with the command that shows it.
    """

    def __init__(
        self, shelves: Sequence[Shelf], *, verdicts: bool, say: Say, ascii_only: bool = False
    ) -> None:
        self._shelves = [shelf for shelf in shelves if shelf.standings]
        self._standings = [each for shelf in self._shelves for each in shelf.standings]
        self._verdicts = verdicts
        self._say = say
        self._ascii = ascii_only
        self._signs = theme.ASCII if ascii_only else theme.UNICODE
        self._name_cells = max((cell_len(each.name) for each in self._standings), default=0)
        titles = [self._said(each.title) for each in self._standings]
        self._title_cells = max(map(cell_len, titles), default=0)
        results = [self._result(each) for each in self._standings] if verdicts else []
        self._right_cells = max(map(cell_len, results), default=-2) + 2
        self._mark_cells = 1 + max(map(len, self._signs.verdicts)) if verdicts else 0

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(options.max_width, WIDEST)
        for line in self._lines(width):
            line.no_wrap = True
            line.overflow = "ignore"
            line.rstrip()
            yield line

    def _lines(self, width: int) -> Iterator[Line]:
        for number, shelf in enumerate(self._shelves):
            if number:
                yield Line()
            if shelf.title is not None:
                yield Line(cropped(self._said(shelf.title), width, self._signs.ellipsis), "bold")
            for standing in shelf.standings:
                yield from self._entry(standing, width)
        if self._verdicts:
            yield Line()
            for words in wrapped(self._said(_sums(self._standings)), width - 1):
                yield Line(f" {words}")
            for standing in self._standings:
                if standing.why:
                    yield from self._against(standing, width)

    def _entry(self, standing: Standing, width: int) -> Iterator[Line]:
        """One line; where there is no room for the title in it, that has the next one."""
        # One cell stays free on the right, as under ladders.
        beside = width - 2 - self._mark_cells - self._name_cells - self._right_cells - 2
        title = self._said(standing.title)
        if beside >= _TITLE:
            beside = min(beside, self._title_cells)
            shown = cropped(title, beside, self._signs.ellipsis)
            yield self._head(standing, self._name_cells, flush_left(f"  {shown}", beside + 2))
            return
        indent = " " * (self._mark_cells + 3)
        room = width - 2 - self._mark_cells - self._right_cells
        under = room < self._name_cells  # and so has the result
        if under:
            yield self._head(standing, room + self._right_cells, None)
        else:
            yield self._head(standing, room, "")
        shown = cropped(title, width - len(indent) - 1, self._signs.ellipsis)
        yield Line.assemble(indent, (shown, theme.QUIET))
        if under and self._verdicts:
            yield Line(indent + self._result(standing))

    def _head(self, standing: Standing, name_cells: int, title: str | None) -> Line:
        """The mark and the name; unless `title` is None it and the result as well."""
        style = theme.HOST if standing.verdict is None else theme.verdict_style(standing.verdict)
        name = cropped(harmless(standing.name), name_cells, self._signs.ellipsis)
        line = Line.assemble(
            " ",
            (flush_left(self._mark(standing), self._mark_cells), style),
            (flush_left(name, name_cells), theme.HOST),
        )
        if title is not None:
            line.append(title)
            if self._verdicts:
                line.append(flush_right(self._result(standing), self._right_cells))
        return line

    def _mark(self, standing: Standing) -> str:
        return "" if standing.verdict is None else self._signs.verdict(standing.verdict)

    def _result(self, standing: Standing) -> str:
        """What came of it, in a few words."""
        if standing.verdict is None:
            return self._said(Text("not played"))
        if standing.runs == 1:
            return self._said(_VERDICTS[standing.verdict])
        held = Text("{held} of {runs}", held=standing.held, runs=standing.runs)
        if standing.traces is None:
            return self._said(Text("{held}, by timers", held=held))
        return self._said(Text("{held}, traces: {traces}", held=held, traces=standing.traces))

    def _against(self, standing: Standing, width: int) -> Iterator[Line]:
        """What speaks against it, and the command that shows it."""
        yield Line()
        yield self._head(standing, width - self._mark_cells - 2, None)
        indent = " " * (self._mark_cells + 1)
        for sentence in standing.why:
            for words in wrapped(self._said(sentence), width - len(indent) - 1):
                yield Line(indent + words)
        yield Line.assemble(indent, (harmless(standing.again), theme.CALL))

    def _said(self, text: Text) -> str:
        words = self._say(text)
        return harmless(plain(words) if self._ascii else words)


_VERDICTS = {
    Verdict.YES: Text("as expected"),
    Verdict.NO: Text("not as expected"),
    Verdict.INCONCLUSIVE: Text("inconclusive"),
}


def _sums(standings: Sequence[Standing]) -> Text:
    count = dict.fromkeys((*Verdict, None), 0)
    for standing in standings:
        count[standing.verdict] += 1
    sums = Text(
        "As expected: {yes}. Not as expected: {no}. Inconclusive: {open}.",
        yes=count[Verdict.YES],
        no=count[Verdict.NO],
        open=count[Verdict.INCONCLUSIVE],
    )
    if count[None]:
        return Text("{sums} Not played: {left}.", sums=sums, left=count[None])
    return sums


def document(shelves: Sequence[Shelf], say: Say) -> Json:
    """The same for machines (`tcplab.catalogue/1`); null where nothing was played."""
    return {
        "schema": "tcplab.catalogue/1",
        "scenarios": [
            {
                "name": standing.name,
                "group": standing.group,
                "title": say(standing.title),
                "verdict": None if standing.verdict is None else standing.verdict.value,
                "runs": standing.runs,
                "held": standing.held,
                "traces": standing.traces,
                "why": [say(sentence) for sentence in standing.why],
            }
            for shelf in shelves
            for standing in shelf.standings
        ],
    }
