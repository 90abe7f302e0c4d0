"""What is wrong with a predicate, where, and what was probably meant."""

import re
from collections.abc import Collection

from tcplab.text import Text

_LIKE = 0.7  # of 1, by difflib's measure: less alike is no help
_SHOWN = 60  # of a word, so that a sentence stays a line or two


class PredicateError(ValueError):
    """A text is no predicate: `what` is wrong, and the `remedy`.

    `column` counts characters of the text from 0 to where `word` stands, the wrong one (it is empty
    where something is missing).
    """

    def __init__(self, what: Text, *, remedy: Text, column: int, word: str) -> None:
        super().__init__(f"{what} {remedy}")
        self.what = what
        self.remedy = remedy
        self.column = column
        self.word = word


def shown(word: str) -> str:
    """The word as a sentence quotes it: a very long one in part."""
    return word if len(word) <= _SHOWN else f"{word[:_SHOWN]}…"


def did_you_mean(word: str, among: Collection[str], *, otherwise: Text) -> Text:
    """The remedy that names the nearest of the right words; `otherwise` if none is near."""
    near = nearest(word, among)
    return otherwise if near is None else meant(near)


def meant(right: str) -> Text:
    """The remedy if the right word is known."""
    return Text("Did you mean {word}?", word=right)


def nearest(word: str, among: Collection[str]) -> str | None:
    """The right word that is most like this one, whatever the case, the hyphens and low lines."""
    from difflib import get_close_matches  # only those who err pay for its import

    alike = {_plain(right): right for right in sorted(among, reverse=True)}
    near = get_close_matches(_plain(shown(word)), alike, n=1, cutoff=_LIKE)
    return alike[near[0]] if near else None


def _plain(word: str) -> str:
    return re.sub("[-_]", "", word).casefold()
