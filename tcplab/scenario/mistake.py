"""Mistakes in scenario files: what is wrong, what to do, and where."""

from collections.abc import Iterable

from tcplab.errors import UsageError
from tcplab.text import Text

Path = tuple[str | int, ...]
"""Where in a document something stands: keys of tables, and indices of arrays from 0."""

_SHOWN = 40
"""Characters of a wrong word that are quoted."""


class ScenarioError(UsageError):
    """A scenario file is wrong. `what` begins with its name and the line: "my.toml:17: "."""

    def __init__(self, what: Text, *, remedy: Text, source: str, line: int) -> None:
        place = f"{source}:{line}"
        super().__init__(Text("{place}: {mistake}", place=place, mistake=what), remedy=remedy)
        self.line = line


class MistakeError(Exception):
    """A mistake at `path`, whose line is not known yet."""

    def __init__(self, what: Text, *, remedy: Text, path: Path) -> None:
        super().__init__(str(what))
        self.what = what
        self.remedy = remedy
        self.path = path


def quoted(word: str) -> str:
    """A word of the file as messages quote it: cut if it is long."""
    return repr(word if len(word) <= _SHOWN else f"{word[: _SHOWN - 1]}…")


def instead_of(word: str, right: Iterable[str]) -> Text:
    """The remedy for a wrong word: the nearest of the `right` ones, or all of them."""
    choices = sorted(right)
    near = nearest(word, choices)
    if near:
        return Text("Did you mean {word}?", word=near[0])
    if not choices:
        return Text("Take it out.")
    return Text("Possible here: {choices}.", choices=", ".join(choices))


def nearest(word: str, right: Iterable[str], *, most: int = 1) -> list[str]:
    """The `most` right words that are nearest to `word`, whatever its case."""
    from difflib import get_close_matches  # 1 ms, for those who made a mistake

    spelled = {each.lower(): each for each in right}
    return [spelled[each] for each in get_close_matches(word[:200].lower(), spelled, n=most)]
