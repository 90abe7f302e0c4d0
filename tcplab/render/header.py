"""What stands above the lifelines: who is who, how their states are known, and how they are set."""

from collections.abc import Iterator

from rich.text import Text as Line

from tcplab.render import theme
from tcplab.render.cells import cell_len, wrapped
from tcplab.render.rows import Picture, Side
from tcplab.render.theme import Signs
from tcplab.render.wording import Wording

_GROUPINGS = (((0, 1), (2, 3)), ((0, 1), (2,), (3,)), ((0,), (1,), (2,), (3,)))
"""Which parts of a host's introduction share a line, from the roomiest way to the narrowest."""

Spans = list[tuple[str, str]]
"""Words, each with its style."""


class Header:
    """The introduction of both hosts in two columns, if there is room, and the settings."""

    def __init__(self, picture: Picture, wording: Wording, signs: Signs, width: int) -> None:
        self._picture = picture
        self._wording = wording
        self._signs = signs
        self._width = width

    def lines(self) -> Iterator[Line]:
        """All of it."""
        yield from self._introductions()
        for words in self._wording.settings(self._picture):
            for n, part in enumerate(wrapped(words, self._width - 4)):
                yield Line.assemble(" " * (3 if n else 1), (part, theme.QUIET))

    def _introductions(self) -> Iterator[Line]:
        left, right = (self._introduction(side) for side in Side)
        for lines in _GROUPINGS:
            pairs = [([left[n] for n in line], [right[n] for n in line]) for line in lines]
            joined = [(self._joined(a), self._joined(b)) for a, b in pairs]
            if all(_cells(a) + _cells(b) + 4 <= self._width for a, b in joined):
                for a, b in joined:
                    yield Line.assemble(
                        " ", *a, " " * (self._width - 2 - _cells(a) - _cells(b)), *b
                    )
                return
        room = self._width - 2
        for spans, flush in ((left, False), (right, True)):
            for words, style in spans:
                for part in wrapped(words, room):
                    yield Line.assemble(" " * (1 + (room - cell_len(part)) * flush), (part, style))

    def _introduction(self, side: Side) -> tuple[tuple[str, str], ...]:
        """Name, address, stack, and how the states are known."""
        name, address = self._wording.host(self._picture, side)
        known = self._picture.known[side.value]
        return (
            (name, theme.HOST),
            (address, ""),
            (self._wording.stack(self._picture, side), theme.QUIET),
            (self._wording.known(known), theme.known_style(known[0])),
        )

    def _joined(self, spans: Spans) -> Spans:
        """Name and address with a space between them, all else with a dot."""
        if len(spans) < 2:
            return spans
        first, second = spans
        between = " " if first[1] == theme.HOST else f" {self._signs.dot} "
        return [first, (between, theme.QUIET), second]


def _cells(spans: Spans) -> int:
    return sum(cell_len(words) for words, _style in spans)
