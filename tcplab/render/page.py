"""Lines with styles, for a command that ends before rich would be imported (15 ms of a scan's 200).

Colours are those of `tcplab.render.theme`: the terminal's own sixteen.
"""

from collections.abc import Iterable
from enum import Enum, unique


@unique
class Style(Enum):
    """How words stand out; the value is what SGR takes for it (ECMA-48 §8.3.117)."""

    PLAIN = ""
    STRONG = "1"
    QUIET = "2"
    GOOD = "32"
    BAD = "31"
    WARNING = "33"
    GOOD_MARK = "1;32"
    BAD_MARK = "1;31"
    WARNING_MARK = "1;33"


Line = tuple[tuple[str, Style], ...]
"""Words from left to right, each with its style."""


def bare(line: Line) -> str:
    """The words alone, without spaces at the end."""
    return "".join([words for words, _style in line]).rstrip()


def coloured(line: Line) -> str:
    """The words with their styles, for a terminal."""
    return "".join(
        [
            words if style is Style.PLAIN or not words else f"\x1b[{style.value}m{words}\x1b[0m"
            for words, style in line
        ]
    ).rstrip()


def plain_lines(lines: Iterable[str], style: Style = Style.PLAIN) -> list[Line]:
    """Each of them in one style."""
    return [((words, style),) for words in lines]
